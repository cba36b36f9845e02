"""When a run is done, how long it has trained, and how far its minutes will get."""

import time

from xrgan import console
from xrgan.config import Config
from xrgan.gan.batches import Batches
from xrgan.gan.state import TrainState

SECONDS_BETWEEN_LOOKS = 1.0  # reading the losses waits for the device
SECONDS_BEFORE_FORECAST = 10.0  # the first steps are slow


class Goal:
    """When a run is done: at its last epoch, or when its minutes are over."""

    def __init__(self, config: Config, batches: Batches) -> None:
        self._seconds = 60 * config.train.minutes
        self._last_step = config.train.epochs * batches.an_epoch
        self._batch_size = batches.size
        self.of_epochs = "" if self._seconds else f"/{config.train.epochs}"

    def is_reached(self, state: TrainState, clock: "Clock") -> bool:
        return clock.seconds() >= self._seconds if self._seconds else state.step >= self._last_step

    def images_left(self, state: TrainState) -> int | None:
        """For the bar; None where time decides."""
        return None if self._seconds else (self._last_step - state.step) * self._batch_size


class Clock:
    """Seconds trained so far, earlier sessions included."""

    def __init__(self, state: TrainState) -> None:
        self._begun = self._last_look = time.monotonic()
        self._start = self._begun - state.seconds
        self._images_before = state.images_seen
        self._is_forecast = False

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 2)

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
        epochs = images / (batches.an_epoch * batches.size)
        far = f"about {images:,.0f} images: {epochs:.1f} epochs"
        console.notice(f"At {rate:.0f} images/s, {config.train.minutes:g} minutes see {far}.")
