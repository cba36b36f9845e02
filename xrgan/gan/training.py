"""The training loop: packed dataset + configuration → a run directory that can go on where it stopped.

The loop is here, and how each network takes its step; the losses stand in losses.py, what a run is in state.py, and
which images and latents a step sees in batches.py.
"""

import signal
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import console
from xrgan.config import Config, TrainConfig
from xrgan.data.packed import PackedDataset
from xrgan.gan.batches import Batches, generator_at, make_batches
from xrgan.gan.losses import discriminator_bce, generator_bce
from xrgan.gan.models import autocast, choose_device
from xrgan.gan.recording import Recorder
from xrgan.gan.state import FIGURES, TrainState, check_finite, image_spec, restore, save, start, update_ema
from xrgan.gan.stopping import memory_advice, stop_signals
from xrgan.rundir import RunDir

SECONDS_BETWEEN_LOOKS = 1.0  # reading the losses waits for the device


@dataclass(frozen=True)
class Trained:
    run: RunDir
    epochs: int
    step: int
    stopped_by: signal.Signals | None  # None: it reached its last epoch


def train(run: RunDir, dataset: PackedDataset, config: Config) -> Trained:
    """Train a run to its last epoch, from its last good checkpoint where it has one.

    Args:
        config: resolved; `run` holds the same one in its config.yaml.

    Raises:
        XrganError: too few images, a size that the networks can't draw, NaN, or out of memory.
    """
    device = choose_device(config.device)
    batches = make_batches(dataset, config)
    spec = image_spec(dataset, config)
    state = start(config, spec, device)
    restore(state, run, device)
    state.sums = state.sums.to(device)
    last_step = config.train.epochs * batches.an_epoch
    recording = Recorder(run, config, spec, state.step // batches.an_epoch)
    showing = console.progress("Training", (last_step - state.step) * batches.size)
    with recording as recorder, memory_advice(config), stop_signals() as stop, showing as bar:
        clock = _Clock(state.seconds)
        while state.step < last_step and not stop.asked_by:
            train_step(state, batches, config, device)
            if clock.is_time_to_look():
                bar.describe(_live(state, batches, config))
                if not bool(state.sums.isfinite().all()):  # weights go the same way at the next step
                    check_finite(state, run, config)
            bar.advance(batches.size)
            epoch_ends = state.step % batches.an_epoch == 0
            if epoch_ends or stop.asked_by:
                state.seconds = clock.seconds()
                check_finite(state, run, config)
                if epoch_ends:
                    bar.describe(_live(state, batches, config))
                    recorder.epoch(_row(state, batches), state.ema)
                    state.sums.zero_()
                # Last, so that what the epoch wrote is never older than the checkpoint that a run goes on from.
                save(state, run, dataset, spec, config)
    return Trained(run, state.step // batches.an_epoch, state.step, stop.asked_by)


def train_step(state: TrainState, batches: Batches, config: Config, device: torch.device) -> None:
    """One update of each network, and of the average."""
    real, labels = batches.at(state.step, device)
    z = generator_at(config.train.seed, 2, state.step).standard_normal(
        (batches.size, config.model.latent_size), np.float32
    )
    with autocast(device, config.train.precision):
        fake = state.generator(torch.from_numpy(z).to(device, non_blocking=True), labels)
    discriminator_figures = train_discriminator(state, real, fake.detach(), labels, config.train)
    generator_figures = train_generator(state, fake, labels, config.train)
    update_ema(state, batches.size, config.train.ema_halflife_images)
    loss, d_real, d_fake = discriminator_figures
    state.sums += torch.stack([loss, generator_figures, d_real, d_fake])
    state.step += 1
    state.images_seen += batches.size


def train_discriminator(
    state: TrainState, real: Tensor, fake: Tensor, labels: Tensor, config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Teach the discriminator to tell `real` from `fake`, each (B, C, S, S).

    Returns:
        Its loss, and the mean of D(x) and of D(G(z)) in [0, 1]: scalars on the device.
    """
    with autocast(real.device, config.precision):
        real_logits = state.discriminator(real, labels)
        fake_logits = state.discriminator(fake, labels)
    loss = discriminator_bce(real_logits.float(), fake_logits.float(), config.real_label)
    _descend(loss, state.discriminator, state.discriminator_optimizer, config.gradient_clip)
    return loss.detach(), real_logits.detach().float().sigmoid().mean(), fake_logits.detach().float().sigmoid().mean()


def train_generator(state: TrainState, fake: Tensor, labels: Tensor, config: TrainConfig) -> Tensor:
    """Teach the generator that drew `fake` (B, C, S, S) to deceive the discriminator; returns its loss."""
    # The discriminator only passes the gradient on: its own would be thrown away.
    state.discriminator.requires_grad_(False)
    with autocast(fake.device, config.precision):
        logits = state.discriminator(fake, labels)
    loss = generator_bce(logits.float())
    _descend(loss, state.generator, state.generator_optimizer, config.gradient_clip)
    state.discriminator.requires_grad_(True)
    return loss.detach()


def _descend(loss: Tensor, network: nn.Module, optimizer: Adam, clip: float) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if clip:
        nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


def _row(state: TrainState, batches: Batches) -> dict[str, float]:
    """The epoch's line of losses.csv: means over its steps."""
    means = dict(zip(FIGURES, (state.sums / batches.an_epoch).tolist(), strict=True))
    epoch = state.step // batches.an_epoch
    return {"epoch": epoch, "step": state.step, "images_seen": state.images_seen, "seconds": state.seconds} | means


def _live(state: TrainState, batches: Batches, config: Config) -> str:
    steps = state.step % batches.an_epoch or batches.an_epoch
    loss_d, loss_g, d_real, d_fake = (state.sums / steps).tolist()
    epoch = min((state.step - 1) // batches.an_epoch + 1, config.train.epochs)
    losses = f"loss D {loss_d:.3f} G {loss_g:.3f} · D(x) {d_real:.2f} D(G(z)) {d_fake:.2f}"
    return f"epoch {epoch}/{config.train.epochs} · {losses}"


class _Clock:
    """Seconds trained so far, earlier sessions included."""

    def __init__(self, seconds_before: float) -> None:
        self._start = time.monotonic() - seconds_before
        self._last_look = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 2)

    def is_time_to_look(self) -> bool:
        if time.monotonic() - self._last_look < SECONDS_BETWEEN_LOOKS:
            return False
        self._last_look = time.monotonic()
        return True
