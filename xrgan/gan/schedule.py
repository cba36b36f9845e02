"""Learning-rate schedule, progressive growing, and when a run is done: after its epochs, or its minutes."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

from xrgan import ranks
from xrgan.gan.job import Job
from xrgan.gan.state import TrainState, grow


class TrainingClock:
    """Seconds trained so far, earlier sessions included."""

    def __init__(self, state: TrainState) -> None:
        self._before = state.seconds
        self._begun = time.monotonic()

    def seconds(self) -> float:
        return round(self._before + time.monotonic() - self._begun, 2)

    def session_seconds(self) -> float:
        """Seconds trained since this clock was made."""
        return time.monotonic() - self._begun

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done meanwhile is no training."""
        before = time.monotonic()
        try:
            yield
        finally:
            self._begun += time.monotonic() - before


class Schedule:
    """By epochs, or by minutes where the plan has some."""

    def __init__(self, job: Job, clock: TrainingClock) -> None:
        self._plan, self._clock = job.plan, clock
        self._last_step = job.plan.epochs * job.batches.steps_per_epoch

    def done(self, state: TrainState) -> bool:
        if self._plan.minutes:
            return self._seconds() >= 60 * self._plan.minutes
        return state.step >= self._last_step

    def progress(self, state: TrainState) -> float:
        """The share of the training that is done, in [0, 1]."""
        if self._plan.minutes:
            return min(self._seconds() / (60 * self._plan.minutes), 1.0)
        return min(state.step / self._last_step, 1.0)

    def _seconds(self) -> float:
        """By the first process's clock: all processes of a training end, and change, at the same step."""
        return ranks.of_first(self._clock.seconds())

    def images_left(self, state: TrainState) -> int | None:
        """For the bar; None where time decides."""
        return None if self._plan.minutes else (self._last_step - state.step) * self._plan.batch_size

    def apply(self, state: TrainState) -> None:
        """Set the learning rate, and the resolution of a progressive model, for the next step."""
        if self._plan.lr_end < 1:
            lr = self._plan.lr * cosine_decay(self.progress(state), self._plan.lr_end)
            for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
                for group in optimizer.param_groups:
                    group["lr"] = lr
        model = self._plan.model
        if model.progressive:
            grow(state, growth_at(self.progress(state), len(model.progressive), model.growth == "fade"))


def cosine_decay(progress: float, end: float) -> float:
    """The learning rate's factor, from 1 to `end` along half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983)."""
    return end + (1 - end) * (1 + math.cos(math.pi * progress)) / 2


def growth_at(progress: float, resolutions: int, fades: bool = False) -> float:
    """How far a progressive model has grown: an index into its resolutions, fractional while one fades in.

    Each resolution has an equal share of the training; where they fade in, over the first half of it.
    """
    index, within = divmod(progress * resolutions, 1)
    if index >= resolutions:
        return float(resolutions - 1)
    if index == 0 or not fades:  # there is nothing to fade from
        return index
    return index - 1 + min(1.0, 2 * within)
