"""The training loop: packed dataset + plan → a run directory that can be resumed where it stopped.

The loop is here; a step stands in step.py, what it changes in state.py, what it shows and records in monitor.py.
"""

import contextlib
import signal
from dataclasses import dataclass

from xrgan import console, ranks
from xrgan.gan.claim import locked
from xrgan.gan.job import Job
from xrgan.gan.memory import explained_failures
from xrgan.gan.monitor import Monitor, monitoring
from xrgan.gan.recording import updating
from xrgan.gan.saver import saving
from xrgan.gan.schedule import Schedule, TrainingClock
from xrgan.gan.scoring import CheckpointScoring, Score
from xrgan.gan.signals import interruptible
from xrgan.gan.state import TrainState, check_common, check_finite, restore, start
from xrgan.gan.step import train_step
from xrgan.hardware import repeatable
from xrgan.rundir import RunDir


@dataclass(frozen=True)
class Trained:
    run: RunDir
    epochs: float  # broken where the minutes ended within one
    step: int
    stopped_by: signal.Signals | None  # None: it is done


def train(job: Job, score: Score | None = None) -> Trained:
    """Train a run until its schedule is done, from its last good checkpoint where it has one.

    Where several processes train it, each takes its part of every step; the first one writes and speaks.

    Args:
        score: called where a run is resumed, and with the checkpoints of every `evaluate_every` epochs and of the end.

    Raises:
        XrganError: a size that the networks can't draw, NaN, or out of memory; or another process trains it.
    """
    first = ranks.is_first()
    with locked(job.run) if first else contextlib.nullcontext():
        if job.batches.left_out:
            console.notice(f"{job.batches.left_out} training images have no label and are left out.")
        restored = restore(job)
        state = restored or start(job)
        check_common(state)
        _say_shares(job)
        if job.plan.compile:
            state.generator.compile()  # in place: the names in a checkpoint stay
            state.discriminator.compile()

        update = updating(job)
        clock = TrainingClock(state)
        schedule = Schedule(job, clock)
        recording = monitoring(job, schedule, clock, state) if first else contextlib.nullcontext()
        repeating = repeatable(job.device, job.plan.deterministic)
        with (
            explained_failures(job),
            repeating,
            interruptible() as interrupt,
            recording as monitor,
            saving(job) as saver,
        ):
            scoring = CheckpointScoring(score, job, clock, interrupt, monitor)
            done = schedule.done(state)
            if restored:
                done = ranks.of_first(scoring.after_resume(state, done))
            stopped_by = interrupt.agreed()
            while not done and not stopped_by:
                schedule.apply(state)  # the learning rate, a progressive model's resolution
                train_step(state, job, update)
                if monitor:
                    monitor.after_step(state)

                done, stopped_by = schedule.done(state), interrupt.agreed()
                if done or stopped_by or job.batches.ends_epoch(state.step):
                    state.seconds = clock.seconds()
                    end_epoch(state, job, monitor, done)
                    if first:  # last, so that no run is resumed from a checkpoint newer than what the epoch wrote
                        saver.after_epoch(state, needed=done or stopped_by is not None or scoring.is_due(state))
                    stopped_by = interrupt.agreed()
                    if not stopped_by:
                        done = ranks.of_first(scoring.after_epoch(state, done))
                        stopped_by = interrupt.agreed()
            if first:
                saver.at_end(state)
        return Trained(job.run, round(state.step / job.batches.steps_per_epoch, 2), state.step, stopped_by)


def _say_shares(job: Job) -> None:
    """Say what each of several processes takes of a step."""
    processes = ranks.size()
    if processes > 1:
        own = job.plan.batch_size // processes
        norm = "" if job.device.type == "cuda" else f"; on a CPU, BatchNorm sees a process's own {own}"
        console.notice(f"{processes} processes take {own} of a step's {job.plan.batch_size} images each{norm}.")


def end_epoch(state: TrainState, job: Job, monitor: Monitor | None, done: bool) -> None:
    """Record an epoch; one that a signal cut short is recorded when it is whole.

    Args:
        monitor: None where another process records.
        done: whether the training is: by minutes it may end in the midst of an epoch.
    """
    whole = job.batches.ends_epoch(state.step)
    if monitor:
        check_finite(state, job)
        if whole or done:
            monitor.after_epoch(state, done)
    if whole:
        state.sums.zero_()
