"""When a run is done, how long it has trained, and how far its minutes will get."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from xrgan import console
from xrgan.config import Config
from xrgan.gan.batches import Batches
from xrgan.gan.state import TrainState, grow

SECONDS_BETWEEN_LOOKS = 1.0  # reading the losses waits for the device
SECONDS_BEFORE_FORECAST = 10.0  # the first steps are slow


class Schedule:
    """When a run is done: at its last epoch, or when its minutes are over."""

    def __init__(self, config: Config, batches: Batches) -> None:
        self._seconds = 60 * config.train.minutes
        self._last_step = config.train.epochs * batches.steps_per_epoch
        self._batch_size = batches.size
        self._resolutions = len(config.model.progressive)
        self._lr, self._lr_end = float(config.train.lr), config.train.lr_end
        self.of_epochs = "" if self._seconds else f"/{config.train.epochs}"

    def done(self, state: TrainState, clock: "TrainingClock") -> bool:
        return clock.seconds() >= self._seconds if self._seconds else state.step >= self._last_step

    def progress(self, state: TrainState, clock: "TrainingClock") -> float:
        """The share of the training that is done, in [0, 1]."""
        share = clock.seconds() / self._seconds if self._seconds else state.step / self._last_step
        return min(share, 1.0)

    def apply(self, state: TrainState, clock: "TrainingClock") -> None:
        """Set what changes while a run trains: the learning rate, and the resolution of a progressive model.

        Each resolution has an equal share of the training; it fades in over the first half of it.
        """
        if self._lr_end < 1:
            cosine = (1 + math.cos(math.pi * self.progress(state, clock))) / 2
            for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
                for group in optimizer.param_groups:
                    group["lr"] = self._lr * (self._lr_end + (1 - self._lr_end) * cosine)
        if self._resolutions:
            place, within = divmod(self.progress(state, clock) * self._resolutions, 1)
            if place >= self._resolutions:
                place, within = self._resolutions - 1, 1.0
            grow(state, place and place - 1 + min(1.0, 2 * within))

    def images_left(self, state: TrainState) -> int | None:
        """For the bar; None where time decides."""
        return None if self._seconds else (self._last_step - state.step) * self._batch_size


class TrainingClock:
    """Seconds trained so far, earlier sessions included."""

    def __init__(self, state: TrainState) -> None:
        self._begun = self._last_look = time.monotonic()
        self._start = self._begun - state.seconds
        self._images_before = state.images_seen
        self._is_forecast = False

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 2)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done meanwhile is no training."""
        before = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - before
            self._start += spent
            self._begun += spent

    def is_time_to_look(self) -> bool:
        if time.monotonic() - self._last_look < SECONDS_BETWEEN_LOOKS:
            return False
        self._last_look = time.monotonic()
        return True

    def forecast(self, state: TrainState, batches: Batches, config: Config) -> None:
        """Once the rate is known, say how far the minutes will get."""
        here = time.monotonic() - self._begun
        if self._is_forecast or not config.train.minutes or here < SECONDS_BEFORE_FORECAST:
            return
        self._is_forecast = True
        rate = (state.images_seen - self._images_before) / here
        images = rate * max(60 * config.train.minutes - self.seconds(), 0) + state.images_seen
        epochs = images / (batches.steps_per_epoch * batches.size)
        far = f"about {images:,.0f} images: {epochs:.1f} epochs"
        console.notice(f"At {rate:.0f} images/s, {config.train.minutes:g} minutes see {far}.")
