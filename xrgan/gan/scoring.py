"""Checkpoints scored while a run trains: what that costs, and whether it fails, is none of the run's affair."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from xrgan import console
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.job import Job
from xrgan.gan.monitor import Monitor
from xrgan.gan.schedule import TrainingClock
from xrgan.gan.signals import Interrupt
from xrgan.gan.state import TrainState

Score = Callable[[Path, bool], float]
"""Is told which checkpoint a run has reached, and whether it is one to score; it must not change the run.

Returns for how many seconds of training no checkpoint was better than the best one; 0 where it scored none.
"""


@dataclass(frozen=True)
class CheckpointScoring:
    """Has every checkpoint scored that ends `evaluate_every` epochs, and the last one; says when to stop early."""

    score: Score | None
    job: Job
    clock: TrainingClock
    interrupt: Interrupt
    monitor: Monitor | None  # None: another process records

    def after_resume(self, state: TrainState, done: bool) -> bool:
        """Make up for a stop that came before the last checkpoint was scored; whether training is over."""
        return self._call(state, done, wanted=done or self.is_due(state))

    def after_epoch(self, state: TrainState, done: bool) -> bool:
        """Score the checkpoint that was saved last, where it is one to score; whether training is over."""
        if done or self.is_due(state):
            return self._call(state, done, wanted=True)
        return False

    def is_due(self, state: TrainState) -> bool:
        """Whether a checkpoint of now would be scored, though the training isn't done."""
        every = self.job.plan.evaluate_every * self.job.batches.steps_per_epoch
        return every > 0 and state.step % every == 0

    def _call(self, state: TrainState, done: bool, wanted: bool) -> bool:
        """Have a checkpoint scored; whether training is over, or none was better for as long as patience lasts."""
        if self.score is None:
            return done
        path, began = checkpoint.path_of(self.job.run.checkpoints, state.step), time.monotonic()
        try:
            with self.clock.paused(), self.interrupt.at_once(), torch.random.fork_rng(devices=[]):
                waited = self.score(path, wanted) / 60
        except (XrganError, OSError, RuntimeError) as error:  # memory that runs out is a RuntimeError
            reason = " ".join(str(error).split()).rstrip(".")
            console.warn(f"{path.name} was not scored: {reason}. `xrgan evaluate --every-checkpoint` tries it again.")
            return done
        finally:
            if self.monitor and wanted and not done:
                self.monitor.after_scoring(began)
        if done or not self.job.plan.patience or waited < self.job.plan.patience:
            return done
        console.notice(
            f"No better for {waited:.0f} minutes of training: it stops here (`--patience`); the best checkpoint stays."
        )
        if self.monitor:
            self.monitor.after_early_stop(state)
        return True
