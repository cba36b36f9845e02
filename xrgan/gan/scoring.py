"""Checkpoints scored while a run trains: what that costs, and whether it fails, is none of the run's affair."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from xrgan import console
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.job import Job
from xrgan.gan.schedule import TrainingClock
from xrgan.gan.signals import Interrupt
from xrgan.gan.state import TrainState

Score = Callable[[Path, bool], None]
"""Is told which checkpoint a run has reached, and whether it is one to score; it must not change the run."""


@dataclass(frozen=True)
class CheckpointScoring:
    """Has every checkpoint scored that ends `evaluate_every` epochs, and the last one."""

    score: Score | None
    job: Job
    clock: TrainingClock
    interrupt: Interrupt

    def after_resume(self, state: TrainState, done: bool) -> None:
        """Make up for a stop that came before the last checkpoint was scored."""
        self._call(state, wanted=done or self._is_due(state))

    def after_epoch(self, state: TrainState, done: bool) -> None:
        """Score the checkpoint that was saved last, where it is one to score."""
        if done or self._is_due(state):
            self._call(state, wanted=True)

    def _is_due(self, state: TrainState) -> bool:
        every = self.job.plan.evaluate_every * self.job.batches.steps_per_epoch
        return every > 0 and state.step % every == 0

    def _call(self, state: TrainState, wanted: bool) -> None:
        if self.score is None:
            return
        path = checkpoint.path_of(self.job.run.checkpoints, state.step)
        try:
            with self.clock.paused(), self.interrupt.at_once(), torch.random.fork_rng(devices=[]):
                self.score(path, wanted)
        except (XrganError, OSError, RuntimeError) as error:  # memory that runs out is a RuntimeError
            reason = " ".join(str(error).split()).rstrip(".")
            console.warn(f"{path.name} was not scored: {reason}. `xrgan evaluate --every-checkpoint` tries it again.")
