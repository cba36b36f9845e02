"""What a run shows and records while it trains: the bar, losses.csv, losses.png, the grids in samples/, TensorBoard."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from xrgan import console
from xrgan.data.images import Pixels, grid, save_png
from xrgan.data.sheets import legend_of, shown, with_caption
from xrgan.gan import diagnostics
from xrgan.gan.contention import Contention
from xrgan.gan.events import Events
from xrgan.gan.job import Job
from xrgan.gan.networks.base import Generator
from xrgan.gan.sampler import generate, latents
from xrgan.gan.schedule import Schedule, TrainingClock
from xrgan.gan.state import LOSSES, TrainState, check_finite, gradient_norms
from xrgan.marks import Origin, mark_of
from xrgan.plots import drawn_figure

GRID_STREAM = 10**9  # latents of the grids: far from those of `sample`
GRID_IMAGES, GRID_AT_ONCE = 64, 16
SECONDS_BETWEEN_LOOKS = 1.0  # reading the losses waits for the device
SLOW_STEPS = 8  # the first ones of a session: a GPU chooses its kernels, and records them
SECONDS_BEFORE_FORECAST = 10.0  # after those
Row = dict[str, float]
PLOTTED = ("epoch", "step", "discriminator_loss", "generator_loss", "d_real", "d_fake")


class Monitor:
    """Shows and records one training; `monitoring` makes it."""

    def __init__(
        self,
        job: Job,
        clock: TrainingClock,
        begun: TrainState,
        rows: list[Row],
        events: Events | None,
        bar: console.Bar,
    ) -> None:
        self._job, self._clock = job, clock
        self._fast_from = begun.images_seen + SLOW_STEPS * job.plan.batch_size
        self._fast_since: tuple[float, int] | None = None  # seconds of the session and images seen, when it became fast
        self._size = job.size_at(begun.grown)
        self._rows = rows  # of losses.csv, so far
        self._events, self._bar = events, bar
        self._last_look = time.monotonic()
        self._is_forecast = False
        self._contention = Contention(job.device)
        self._warned: set[str] = set()

    def after_step(self, state: TrainState) -> None:
        """Move the bar; once a second, show the losses, and raise XrganError where they are NaN."""
        self._say_growth(state)
        if time.monotonic() - self._last_look >= SECONDS_BETWEEN_LOOKS:
            self._last_look = time.monotonic()
            self._show(state)
            self._forecast(state)
            if advice := self._contention.advice():
                console.notice(advice)
            if not bool(state.sums.isfinite().all()):  # the weights go the same way at the next step
                check_finite(state, self._job)
        self._bar.advance(self._job.batches.size)

    def after_epoch(self, state: TrainState, done: bool) -> None:
        """Record an epoch: one row of losses.csv and, every `sample_every` epochs and when all is done, the pictures.

        Now and then the row says how healthy the training is; the user is warned where it isn't, then and at the end.
        """
        self._show(state)
        row = epoch_row(state, self._job) | gradient_norms(state)
        if diagnostics.is_due(state, self._job):
            row |= diagnostics.diagnose(state, self._job)
            self._warn_once(diagnostics.explain(row))
        elif done:
            self._warn_at_end(state)
        self._rows.append(row)
        self._job.run.write_losses(self._rows)
        if self._events is not None:
            curves = {name: value for name, value in row.items() if name not in {"epoch", "step"}}
            self._events.add_scalars(curves, state.step)
        if done or row["epoch"] % self._job.plan.sample_every == 0:
            self._pictures(math.ceil(row["epoch"]), state)

    def after_scoring(self, since: float) -> None:
        """Go on with the bar: since a moment of `time.monotonic()` a checkpoint was scored, and nothing trained."""
        self._bar.leave_out(since)
        self._say_end()

    def after_early_stop(self, state: TrainState) -> None:
        """Make up for what the last epoch's record lacks, as nobody knew that it would be the last one."""
        row = self._rows[-1]
        if "diversity" not in row:
            self._warn_at_end(state)
        if row["epoch"] % self._job.plan.sample_every:
            self._pictures(math.ceil(row["epoch"]), state)

    def _warn_at_end(self, state: TrainState) -> None:
        """Judge a training whose end isn't due to be: not recorded, so that a longer one has the same rows."""
        seen = {"images_seen": state.images_seen}
        self._warn_once(diagnostics.explain(diagnostics.diagnose(state, self._job) | seen))

    def _show(self, state: TrainState) -> None:
        """Put epoch and losses behind the bar."""
        plan, means = self._job.plan, epoch_means(state, self._job)
        epoch = (state.step - 1) // self._job.batches.steps_per_epoch + 1
        of_epochs = "" if plan.minutes else f"/{plan.epochs}"
        losses = f"loss D {means['discriminator_loss']:.3f} G {means['generator_loss']:.3f}"
        losses += f" · D(x) {means['d_real']:.2f} D(G(z)) {means['d_fake']:.2f}"
        self._bar.describe(f"epoch {epoch}{of_epochs} · {losses}")
        self._say_end()

    def _say_end(self) -> None:
        """Put the time left behind the bar, where a clock ends the training."""
        minutes = self._job.plan.minutes
        if minutes:
            self._bar.end_in(60 * minutes - self._clock.seconds())

    def _forecast(self, state: TrainState) -> None:
        """Once the rate is known, say how far the minutes will get."""
        minutes, now = self._job.plan.minutes, self._clock.session_seconds()
        if self._is_forecast or not minutes or state.images_seen < self._fast_from:
            return
        if self._fast_since is None:
            self._fast_since = now, state.images_seen
        since, images_by_then = self._fast_since
        if now - since < SECONDS_BEFORE_FORECAST:
            return
        self._is_forecast = True
        rate = (state.images_seen - images_by_then) / (now - since)
        images = rate * max(60 * minutes - self._clock.seconds(), 0) + state.images_seen
        epochs = images / (self._job.batches.steps_per_epoch * self._job.batches.size)
        size, last = self._job.size_at(state.grown), self._job.spec.size
        if size < last:
            far = f"fewer than {images:,.0f} images, as those of {last} pixels take longer than those of {size}"
        else:
            far = f"about {images:,.0f} images: {epochs:.1f} epochs"
        console.notice(f"At {rate:.0f} images/s, {minutes:g} minutes see {far}.")

    def _say_growth(self, state: TrainState) -> None:
        """Say, after the first step with larger images, that each takes longer from there on."""
        size, before = self._job.size_at(state.grown), state.images_seen - self._job.plan.batch_size
        if size != self._size:
            console.notice(f"After {before:,} images the networks grow to {size} pixels: each takes longer.")
            self._size = size

    def _warn_once(self, advice: dict[str, str]) -> None:
        """Say each kind of trouble once: it is in losses.csv every time."""
        for kind in advice.keys() - self._warned:
            console.warn(advice[kind])
        self._warned |= advice.keys()

    def _pictures(self, epoch: int, state: TrainState) -> None:
        sheet = preview(state.ema, self._job)
        file = self._job.run.samples / f"epoch_{epoch:04d}.png"
        origin = Origin(self._job.run.name, state.run_id, dataset_hash=self._job.dataset.content_hash)
        mark = mark_of(origin, self._job.plan.seed, shows=f"grid of epoch {epoch}")
        save_png(file, with_caption(sheet, grid_caption(self._job, epoch)), mark)
        plot_losses(self._rows, self._job.run.path / "losses.png")
        if self._events is not None:
            self._events.add_image("samples", sheet, state.step)


@contextmanager
def monitoring(job: Job, schedule: Schedule, clock: TrainingClock, state: TrainState) -> Iterator[Monitor]:
    """Open a run's records, and show a bar until the block ends."""
    with clock.paused():
        # Rows and events behind the checkpoint belong to an epoch that is trained once more.
        epochs_done = state.step // job.batches.steps_per_epoch
        rows = [row for row in job.run.read_losses(PLOTTED) if row["epoch"] <= epochs_done]
        job.run.write_losses(rows)
        purge_step = int(rows[-1]["step"]) + 1 if rows else None
        events = Events(job.run.tensorboard, purge_step) if job.plan.tensorboard else None
    with console.progress("Training", schedule.images_left(state)) as bar:
        yield Monitor(job, clock, state, rows, events, bar)


def epoch_means(state: TrainState, job: Job) -> Row:
    """The mean of each loss over the steps of the present epoch so far: those in `state.sums`."""
    steps = state.step % job.batches.steps_per_epoch or job.batches.steps_per_epoch
    return dict(zip(LOSSES, (state.sums / steps).tolist(), strict=True))


def epoch_row(state: TrainState, job: Job) -> Row:
    """One row of losses.csv; an epoch that time cut short has a broken number."""
    epoch = state.step / job.batches.steps_per_epoch
    return {
        "epoch": int(epoch) if epoch.is_integer() else round(epoch, 2),
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "augment": round(state.augment, 4),
    } | epoch_means(state, job)


def preview(generator: Generator, job: Job) -> Pixels:
    """A grid of 64 images from the same latents every time, class by class in columns: uint8 (C or 3, H, W)."""
    z = latents(job.plan.seed, GRID_STREAM, GRID_IMAGES, job.plan.model.latent_size)
    labels = torch.arange(GRID_IMAGES) % job.spec.classes if job.spec.classes else None
    parts = [slice(k, k + GRID_AT_ONCE) for k in range(0, GRID_IMAGES, GRID_AT_ONCE)]
    size = job.spec.size
    images = [generate(generator, z[part], None if labels is None else labels[part], size) for part in parts]
    return grid(shown(np.concatenate(images), job.spec.channels), columns=8)


def grid_caption(job: Job, epoch: int) -> str:
    """Say what a grid of `preview` shows."""
    said = [f"Synthetic X-rays, nobody's: {job.run.name}, epoch {epoch}"]
    if job.spec.classes:
        said.append(f"in turn {', '.join(job.dataset.classes)}")
    if job.spec.masks:
        said.append(f"masks: {legend_of(job.spec.masks)}")
    return " · ".join(said)


def plot_losses(rows: list[Row], file: Path) -> None:
    """Draw both losses, and D(x) beside D(G(z)), over the epochs."""
    with drawn_figure(file, 9, 3.2, dpi=120, font_size=9) as figure:
        losses, outputs = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in rows]
        losses.plot(epochs, [row["discriminator_loss"] for row in rows], label="discriminator")
        losses.plot(epochs, [row["generator_loss"] for row in rows], label="generator")
        losses.set(title="Loss", xlabel="epoch")
        outputs.plot(epochs, [row["d_real"] for row in rows], label="D(x), real")
        outputs.plot(epochs, [row["d_fake"] for row in rows], label="D(G(z)), synthetic")
        outputs.set(title="What the discriminator says (1 = real)", xlabel="epoch", ylim=(0, 1))
        for axes in (losses, outputs):
            axes.legend(frameon=False)
            axes.grid(alpha=0.3)
