"""The training loop: packed dataset + configuration → a run directory that can go on where it stopped.

The loop is here; a step stands in step.py, what a run is in state.py, when it is done in schedule.py.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from xrgan import console
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan import checkpoint, diagnostics
from xrgan.gan.batches import Batches, make_batches
from xrgan.gan.memory import explained_failures
from xrgan.gan.monitor import Monitor
from xrgan.gan.schedule import Schedule, TrainingClock
from xrgan.gan.signals import Interrupt, interruptible
from xrgan.gan.state import FIGURES, TrainState, check_finite, fit, gradient_norms, image_spec, restore, save, start
from xrgan.gan.step import train_step
from xrgan.hardware import choose_device
from xrgan.rundir import RunDir

Score = Callable[[Path, bool], None]
"""Is told which checkpoint a run has reached, and whether it is one to score; it must not change the run."""


@dataclass(frozen=True)
class Trained:
    run: RunDir
    epochs: int
    step: int
    stopped_by: signal.Signals | None  # None: it reached its last epoch


def train(run: RunDir, dataset: PackedDataset, config: Config, score: Score | None = None) -> Trained:
    """Train a run to its last epoch, from its last good checkpoint where it has one.

    Args:
        config: resolved; `run` holds the same one in its config.yaml.
        score: called where the run goes on, and with the checkpoints of every `evaluate_every` epochs and of the end.

    Raises:
        XrganError: too few images, a size that the networks can't draw, NaN, or out of memory.
    """
    device = choose_device(config.device)
    batches = make_batches(dataset, config)
    spec = image_spec(dataset, config)
    state = start(config, spec, device)
    goes_on = restore(state, run, device)
    if not goes_on:
        fit(state, batches)
    if config.train.compile:
        state.generator.compile()  # in place: the names in a checkpoint stay
        state.discriminator.compile()
    goal = Schedule(config, batches)
    monitor = Monitor(run, config, spec, state.step // batches.steps_per_epoch)
    showing = console.progress("Training", goal.images_left(state))
    with explained_failures(config, spec, device), interruptible() as interrupt, showing as bar:
        clock = TrainingClock(state)
        if goes_on and score:  # a stop may have come before the last checkpoint was scored
            _score(score, state, run, _is_scored(state, batches, config) or goal.done(state, clock), clock, interrupt)
        while not goal.done(state, clock) and not interrupt.by:
            goal.apply(state, clock)
            train_step(state, batches, config, device)
            if clock.is_time_to_look():
                bar.describe(_live(state, batches, goal))
                clock.forecast(state, batches, config)
                if not bool(state.sums.isfinite().all()):  # weights go the same way at the next step
                    check_finite(state, run, config)
            bar.advance(batches.size)
            epoch_ends = state.step % batches.steps_per_epoch == 0
            ends = goal.done(state, clock)
            if epoch_ends or ends or interrupt.by:
                state.seconds = clock.seconds()
                check_finite(state, run, config)
                if epoch_ends or ends:
                    bar.describe(_live(state, batches, goal))
                    row = _row(state, batches) | gradient_norms(state)
                    if epoch_ends and diagnostics.is_due(state, batches):
                        row |= diagnostics.diagnose(state, batches, spec, config, device)
                        monitor.warn_once(diagnostics.explain(row))
                    monitor.record(row, state.ema, last=ends)
                if epoch_ends:
                    state.sums.zero_()
                # Last, so that what the epoch wrote is never older than the checkpoint that a run goes on from.
                save(state, run, dataset, spec, config)
                if score and not interrupt.by and (ends or _is_scored(state, batches, config)):
                    _score(score, state, run, True, clock, interrupt)
    return Trained(run, state.step // batches.steps_per_epoch, state.step, interrupt.by)


def _is_scored(state: TrainState, batches: Batches, config: Config) -> bool:
    every = config.train.evaluate_every * batches.steps_per_epoch
    return every > 0 and state.step % every == 0


def _score(
    score: Score, state: TrainState, run: RunDir, wanted: bool, clock: TrainingClock, interrupt: Interrupt
) -> None:
    """Let the last checkpoint be scored; the time that it takes is no training, and its failure not the run's."""
    path = checkpoint.path_of(run.checkpoints, state.step)
    try:
        with clock.paused(), interrupt.at_once(), torch.random.fork_rng(devices=[]):
            score(path, wanted)
    except (XrganError, OSError, RuntimeError) as error:  # memory that runs out is a RuntimeError
        reason = " ".join(str(error).split()).rstrip(".")
        console.warn(f"{path.name} was not scored: {reason}. `xrgan evaluate --every-checkpoint` tries it again.")


def _row(state: TrainState, batches: Batches) -> dict[str, float]:
    """The epoch's line of losses.csv: means over its steps. One that time cut short has a broken number."""
    means = dict(zip(FIGURES, (state.sums / _steps(state, batches)).tolist(), strict=True))
    epoch = state.step / batches.steps_per_epoch
    return {
        "epoch": int(epoch) if epoch.is_integer() else round(epoch, 2),
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "augment": round(state.augment, 4),
    } | means


def _live(state: TrainState, batches: Batches, goal: Schedule) -> str:
    figures = dict(zip(FIGURES, (state.sums / _steps(state, batches)).tolist(), strict=True))
    epoch = (state.step - 1) // batches.steps_per_epoch + 1
    losses = f"loss D {figures['discriminator_loss']:.3f} G {figures['generator_loss']:.3f}"
    losses += f" · D(x) {figures['d_real']:.2f} D(G(z)) {figures['d_fake']:.2f}"
    return f"epoch {epoch}{goal.of_epochs} · {losses}"


def _steps(state: TrainState, batches: Batches) -> int:
    """Steps of the present epoch so far: those in `state.sums`."""
    return state.step % batches.steps_per_epoch or batches.steps_per_epoch
