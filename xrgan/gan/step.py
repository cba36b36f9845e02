"""One step of training: an update of the discriminator, one of the generator, and of its average.

The losses stand in losses.py; which images and latents a step sees, in batches.py.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan.config import Config, TrainConfig
from xrgan.gan.augment import STEPS_TO_ADAPT, Strength, adapted, augment, random_numbers
from xrgan.gan.batches import AUGMENTED_AGAIN, AUGMENTED_FAKE, AUGMENTED_REAL, LATENTS, Batches, generator_at
from xrgan.gan.losses import discriminator_loss, feature_distance, generator_loss, gradient_penalty
from xrgan.gan.state import TrainState, update_ema
from xrgan.hardware import autocast


def train_step(state: TrainState, batches: Batches, config: Config, device: torch.device) -> None:
    """One update of each network, and of the average."""
    real, labels = batches.batch(state.step, device)
    z = generator_at(config.train.seed, LATENTS, state.step).standard_normal(
        (batches.size, int(config.model.latent_size)), np.float32
    )
    with autocast(device, config.train.precision):
        fake = state.generator(torch.from_numpy(z).to(device, non_blocking=True), labels).float()
    real = _augmented(real, AUGMENTED_REAL, state, batches, config)
    seen_fake = _augmented(fake.detach(), AUGMENTED_FAKE, state, batches, config)
    of_discriminator = train_discriminator(state, real, seen_fake, labels, config.train)
    of_generator = train_generator(
        state, _augmented(fake, AUGMENTED_AGAIN, state, batches, config), real, labels, config.train
    )
    update_ema(state, batches.size, float(config.train.ema_halflife_images))
    state.sums += torch.stack([*of_discriminator, *of_generator])
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


def train_generator(
    state: TrainState, fake: Tensor, real: Tensor, labels: Tensor, config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Teach the generator that drew `fake` (B, C + M, S, S) to deceive the discriminator.

    Returns:
        Its loss, and the terms in it, weighted: feature matching, and the perceptual one. Scalars on the device.
    """
    # The discriminator only passes the gradient on: its own would be thrown away.
    state.discriminator.requires_grad_(False)
    matching = perceptual = torch.zeros((), device=fake.device)
    with autocast(fake.device, config.precision):
        if config.feature_matching:
            with torch.no_grad():
                of_real = state.discriminator.features(real)
            of_fake = state.discriminator.features(fake)
            logits = state.discriminator.logits(of_fake, labels).float()
            matching = config.feature_matching * feature_distance(of_real, of_fake)
        else:
            logits = state.discriminator(fake, labels).float()
        if state.vgg16 is not None:
            with torch.no_grad():
                seen_real = state.vgg16(real)
            perceptual = config.perceptual * feature_distance(seen_real, state.vgg16(fake))
        real_logits = state.discriminator(real, labels).float() if config.loss == "relativistic" else None
    loss = generator_loss(str(config.loss), logits, real_logits) + matching + perceptual
    _descend(loss, state.generator, state.generator_optimizer, config.gradient_clip)
    state.discriminator.requires_grad_(True)
    return loss.detach(), matching.detach(), perceptual.detach()


def _augmented(images: Tensor, stream: int, state: TrainState, batches: Batches, config: Config) -> Tensor:
    if not state.augment:  # three times a step: nothing is drawn for nothing
        return images
    draws = random_numbers(generator_at(config.train.seed, stream, state.step), len(images))
    strength = Strength(state.augment, config.train.rotation, config.train.scaling)
    return augment(images, draws, strength, batches.dataset.channels)


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
