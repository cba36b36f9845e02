"""The training loop: packed dataset + configuration → a run directory that can go on where it stopped.

The loop is here, and how each network takes its step; the losses stand in losses.py, what a run is in state.py, and
which images and latents a step sees in batches.py.
"""

import signal
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import console
from xrgan.config import Config, TrainConfig
from xrgan.data.packed import PackedDataset
from xrgan.gan import health
from xrgan.gan.augment import STEPS_TO_ADAPT, adapted, augment, draw
from xrgan.gan.batches import (
    AUGMENTED_AGAIN,
    AUGMENTED_FAKE,
    AUGMENTED_REAL,
    LATENTS,
    Batches,
    generator_at,
    make_batches,
)
from xrgan.gan.losses import discriminator_loss, generator_loss, gradient_penalty
from xrgan.gan.models import autocast, choose_device
from xrgan.gan.pace import Clock, Goal
from xrgan.gan.recording import Recorder
from xrgan.gan.state import FIGURES, TrainState, check_finite, image_spec, restore, save, start, update_ema
from xrgan.gan.stopping import memory_advice, stop_signals
from xrgan.rundir import RunDir


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
    state.sums, state.signs = state.sums.to(device), state.signs.to(device)
    goal = Goal(config, batches)
    recording = Recorder(run, config, spec, state.step // batches.an_epoch)
    showing = console.progress("Training", goal.images_left(state))
    with recording as recorder, memory_advice(config), stop_signals() as stop, showing as bar:
        clock = Clock(state)
        while not goal.is_reached(state, clock) and not stop.asked_by:
            train_step(state, batches, config, device)
            if clock.is_time_to_look():
                bar.describe(_live(state, batches, goal))
                clock.forecast(state, batches, config)
                if not bool(state.sums.isfinite().all()):  # weights go the same way at the next step
                    check_finite(state, run, config)
            bar.advance(batches.size)
            epoch_ends = state.step % batches.an_epoch == 0
            ends = goal.is_reached(state, clock)
            if epoch_ends or ends or stop.asked_by:
                state.seconds = clock.seconds()
                check_finite(state, run, config)
                if epoch_ends or ends:
                    bar.describe(_live(state, batches, goal))
                    row = _row(state, batches)
                    if epoch_ends and health.is_due(state, batches):
                        row |= health.examine(state, batches, spec, config, device)
                        recorder.warn_once(health.advice(row))
                    recorder.record(row, state.ema, last=ends)
                if epoch_ends:
                    state.sums.zero_()
                # Last, so that what the epoch wrote is never older than the checkpoint that a run goes on from.
                save(state, run, dataset, spec, config)
    return Trained(run, state.step // batches.an_epoch, state.step, stop.asked_by)


def train_step(state: TrainState, batches: Batches, config: Config, device: torch.device) -> None:
    """One update of each network, and of the average."""
    real, labels = batches.at(state.step, device)
    z = generator_at(config.train.seed, LATENTS, state.step).standard_normal(
        (batches.size, config.model.latent_size), np.float32
    )
    with autocast(device, config.train.precision):
        fake = state.generator(torch.from_numpy(z).to(device, non_blocking=True), labels).float()
    real = _augmented(real, AUGMENTED_REAL, state, batches, config)
    seen_fake = _augmented(fake.detach(), AUGMENTED_FAKE, state, batches, config)
    of_discriminator = train_discriminator(state, real, seen_fake, labels, config.train)
    of_generator = train_generator(
        state, _augmented(fake, AUGMENTED_AGAIN, state, batches, config), real, labels, config.train
    )
    update_ema(state, batches.size, config.train.ema_halflife_images)
    state.sums += torch.stack([*of_discriminator, of_generator])
    state.step += 1
    state.images_seen += batches.size


def train_discriminator(
    state: TrainState, real: Tensor, fake: Tensor, labels: Tensor, config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Teach the discriminator to tell `real` from `fake`, each (B, C + M, S, S), as they were augmented.

    Returns:
        Its loss, the penalty in it, and the mean of D(x) and of D(G(z)) in [0, 1]: scalars on the device.
    """
    with autocast(real.device, config.precision):
        real_logits = state.discriminator(real, labels).float()
        fake_logits = state.discriminator(fake, labels).float()
    if config.augment == "adaptive":
        _adapt(state, real_logits)
    loss = discriminator_loss(str(config.loss), real_logits, fake_logits, config.real_label)
    penalty = _penalty(state, real, fake, labels, config)
    _descend(loss + penalty, state.discriminator, state.discriminator_optimizer, config.gradient_clip)
    d_real, d_fake = (logits.detach().sigmoid().mean() for logits in (real_logits, fake_logits))
    return loss.detach(), penalty.detach(), d_real, d_fake


def _penalty(state: TrainState, real: Tensor, fake: Tensor, labels: Tensor, config: TrainConfig) -> Tensor:
    """R1 and R2, taken every few steps and then as many times as large (Karras et al. 2020, arXiv:1912.04958, 4.1)."""
    penalty = torch.zeros((), device=real.device)
    if state.step % config.penalty_every == 0:
        for gamma, images in ((float(config.r1), real), (float(config.r2), fake)):
            if gamma:
                weight = gamma / 2 * config.penalty_every
                penalty = penalty + weight * gradient_penalty(state.discriminator, images, labels)
    return penalty


def train_generator(state: TrainState, fake: Tensor, real: Tensor, labels: Tensor, config: TrainConfig) -> Tensor:
    """Teach the generator that drew `fake` (B, C + M, S, S) to deceive the discriminator; returns its loss."""
    # The discriminator only passes the gradient on: its own would be thrown away.
    state.discriminator.requires_grad_(False)
    with autocast(fake.device, config.precision):
        logits = state.discriminator(fake, labels).float()
        real_logits = state.discriminator(real, labels).float() if config.loss == "relativistic" else None
    loss = generator_loss(str(config.loss), logits, real_logits)
    _descend(loss, state.generator, state.generator_optimizer, config.gradient_clip)
    state.discriminator.requires_grad_(True)
    return loss.detach()


def _augmented(images: Tensor, stream: int, state: TrainState, batches: Batches, config: Config) -> Tensor:
    if not state.augment:  # three times a step: nothing is drawn for nothing
        return images
    draws = draw(generator_at(config.train.seed, stream, state.step), len(images))
    return augment(images, draws, state.augment, batches.dataset.channels)


def _adapt(state: TrainState, real_logits: Tensor) -> None:
    """Augment more, or less, by how sure the discriminator was of real images lately."""
    state.signs += real_logits.detach().sign().mean()
    if (state.step + 1) % STEPS_TO_ADAPT == 0:
        sign = float(state.signs) / STEPS_TO_ADAPT
        state.augment = adapted(state.augment, sign, STEPS_TO_ADAPT * len(real_logits))
        state.signs.zero_()


def _descend(loss: Tensor, network: nn.Module, optimizer: Adam, clip: float) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if clip:
        nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


def _row(state: TrainState, batches: Batches) -> dict[str, float]:
    """The epoch's line of losses.csv: means over its steps. One that time cut short has a broken number."""
    means = dict(zip(FIGURES, (state.sums / _steps(state, batches)).tolist(), strict=True))
    epoch = state.step / batches.an_epoch
    return {
        "epoch": int(epoch) if epoch.is_integer() else round(epoch, 2),
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "augment": round(state.augment, 4),
    } | means


def _live(state: TrainState, batches: Batches, goal: Goal) -> str:
    figures = dict(zip(FIGURES, (state.sums / _steps(state, batches)).tolist(), strict=True))
    epoch = (state.step - 1) // batches.an_epoch + 1
    losses = f"loss D {figures['discriminator_loss']:.3f} G {figures['generator_loss']:.3f}"
    losses += f" · D(x) {figures['d_real']:.2f} D(G(z)) {figures['d_fake']:.2f}"
    return f"epoch {epoch}{goal.of_epochs} · {losses}"


def _steps(state: TrainState, batches: Batches) -> int:
    """Steps of the present epoch so far: those in `state.sums`."""
    return state.step % batches.an_epoch or batches.an_epoch
