"""One step of training: an update of the discriminator, one of the generator, and of its average.

The losses stand in losses.py; which images and latents a step sees, in batches.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import ranks
from xrgan.gan.augment import STEPS_TO_ADAPT, adapted_probability, augment
from xrgan.gan.feed import Fed, feed
from xrgan.gan.job import Job
from xrgan.gan.losses import discriminator_loss, feature_distance, generator_loss, gradient_penalty, missing_variance
from xrgan.gan.networks.base import Discriminator
from xrgan.gan.plan import TrainingPlan
from xrgan.gan.state import NetworkName, TrainState, update_ema
from xrgan.hardware import autocast, tuned

Update = Callable[[TrainState, Fed, Job], Tensor]  # as `update_networks`


@dataclass(frozen=True)
class Shown:
    """A batch as the discriminator is shown it, and what of it no update changes."""

    images: Tensor  # (B, C + M, S, S), augmented
    features: list[Tensor] | None  # of a discriminator that doesn't learn them

    def detached(self) -> "Shown":
        """The same batch, of which the generator gets no gradient."""
        features = self.features and [maps.detach() for maps in self.features]
        return Shown(self.images.detach(), features)

    def logits(self, discriminator: Discriminator, labels: Tensor) -> Tensor:
        """What the discriminator says of it as it is by now, in fp32."""
        if self.features is None:
            said: Tensor = discriminator(self.images, labels)
            return said.float()
        return discriminator.logits(self.features, labels).float()

    def seen(self, discriminator: Discriminator) -> list[Tensor]:
        """The features that the discriminator sees by now."""
        return discriminator.features(self.images) if self.features is None else self.features


def train_step(state: TrainState, job: Job, update: Update | None = None) -> None:
    """Update the discriminator, the generator and its average once.

    Args:
        update: of the two networks, where it isn't launched as `update_networks` stands.
    """
    fed = feed(state.step, state.augment, job, job.size_at(state.grown))
    with tuned(job.device):
        terms = update(state, fed, job) if update else update_networks(state, fed, job)
    update_ema(state, job.plan.batch_size, job.plan.ema_halflife_images)
    state.sums += ranks.mean(terms)
    state.step += 1
    state.images_seen += job.plan.batch_size


def update_networks(state: TrainState, fed: Fed, job: Job) -> Tensor:
    """Update the discriminator and the generator by what a step is given.

    Returns:
        The losses and their terms, in the order of `LOSSES`.
    """
    labels = fed.labels
    with autocast(job.device, job.plan.precision):
        drawn = state.generator(fed.z, labels).float()

    # The discriminator never sees an image as it is, be it real or not, and each time changed anew.
    real = show(state, augment(fed.images, fed.changes_of_real, job.spec.channels), job.plan)
    fake = show(state, augment(drawn, fed.changes_of_fake, job.spec.channels), job.plan)
    of_discriminator = train_discriminator(state, real, fake.detached(), labels, job.plan)
    of_generator = train_generator(state, fake, real, labels, job.plan, job.spec.classes)
    return torch.stack([*of_discriminator, *of_generator])


def show(state: TrainState, images: Tensor, plan: TrainingPlan) -> Shown:
    """Show the discriminator images (B, C + M, S, S): what it sees through frozen weights is computed once for both."""
    if state.discriminator.learns_features or plan.compile:  # a compiled one is called as a whole
        return Shown(images, None)
    with autocast(images.device, plan.precision):
        return Shown(images, state.discriminator.features(images))


def train_discriminator(
    state: TrainState, real: Shown, fake: Shown, labels: Tensor, plan: TrainingPlan
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Teach the discriminator to tell `real` from `fake`.

    Returns:
        Its loss, the penalty beside it, and the mean of D(x) and of D(G(z)) in [0, 1]: scalars on the device.
    """
    with autocast(labels.device, plan.precision):
        real_logits = real.logits(state.discriminator, labels)
        fake_logits = fake.logits(state.discriminator, labels)
    if plan.augment == "adaptive":
        _adapt_augmentation(state, real_logits)
    loss = discriminator_loss(plan.loss, real_logits, fake_logits, plan.real_label)
    penalty = _gradient_penalties(state, real.images, fake.images, labels, plan)
    _descend(loss + penalty, "discriminator", state, plan.gradient_clip)
    d_real, d_fake = (logits.detach().sigmoid().mean() for logits in (real_logits, fake_logits))
    return loss.detach(), penalty.detach(), d_real, d_fake


def penalty_is_due(state: TrainState, plan: TrainingPlan) -> bool:
    """Whether this step regularizes the discriminator's gradient, as every `penalty_every`th one does."""
    return bool(plan.r1 or plan.r2) and state.step % plan.penalty_every == 0


def _gradient_penalties(state: TrainState, real: Tensor, fake: Tensor, labels: Tensor, plan: TrainingPlan) -> Tensor:
    """Lazy R1 and R2 regularization: every `penalty_every` steps, scaled by it (Karras et al. 2020, arXiv:1912.04958).

    Section 4.1 there.
    """
    penalty = torch.zeros((), device=real.device)
    if penalty_is_due(state, plan):
        for gamma, images in ((plan.r1, real), (plan.r2, fake)):
            if gamma:
                weight = gamma / 2 * plan.penalty_every
                penalty = penalty + weight * gradient_penalty(state.discriminator, images, labels)
    return penalty


def train_generator(
    state: TrainState, fake: Shown, real: Shown, labels: Tensor, plan: TrainingPlan, classes: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Teach the generator that drew `fake` to deceive the discriminator.

    Args:
        classes: of the labels; 0 = the images have none.

    Returns:
        Its loss, and the terms in it, weighted: feature matching, the perceptual one, and the missing variance. Scalars
        on the device.
    """
    # The discriminator only passes the gradient on: its own would be thrown away.
    state.discriminator.requires_grad_(False)
    matching = perceptual = variance = torch.zeros((), device=labels.device)
    with autocast(labels.device, plan.precision):
        if plan.feature_matching or plan.variance:
            with torch.no_grad():
                of_real = real.seen(state.discriminator)
            of_fake = fake.seen(state.discriminator)
            logits = state.discriminator.logits(of_fake, labels).float()
            if plan.feature_matching:
                matching = plan.feature_matching * feature_distance(of_real, of_fake)
            if plan.variance:
                variance = plan.variance * missing_variance(of_real, of_fake, labels, classes)
        else:
            logits = fake.logits(state.discriminator, labels)
        if state.perceptual_network is not None:
            with torch.no_grad():
                seen_real = state.perceptual_network(real.images)
            perceptual = plan.perceptual * feature_distance(seen_real, state.perceptual_network(fake.images))
        real_logits = real.logits(state.discriminator, labels) if plan.loss == "relativistic" else None
    loss = generator_loss(plan.loss, logits, real_logits) + matching + perceptual + variance
    _descend(loss, "generator", state, plan.gradient_clip)
    state.discriminator.requires_grad_(True)
    return loss.detach(), matching.detach(), perceptual.detach(), variance.detach()


def _adapt_augmentation(state: TrainState, real_logits: Tensor) -> None:
    """Augment more, or less, by how sure the discriminator was of real images lately (ADA)."""
    state.signs += ranks.mean(real_logits.detach().sign().mean())
    if (state.step + 1) % STEPS_TO_ADAPT == 0:
        sign = float(state.signs) / STEPS_TO_ADAPT
        state.augment = adapted_probability(state.augment, sign, STEPS_TO_ADAPT * len(real_logits) * ranks.size())
        state.signs.zero_()


def _descend(loss: Tensor, name: NetworkName, state: TrainState, clip: float) -> None:
    """Update one of the state's networks by its gradient, which is made no longer than `clip` where that is above 0.

    The gradient is that of all processes' images: every one of them takes the same step.
    """
    network: nn.Module = getattr(state, name)
    optimizer: Adam = getattr(state, f"{name}_optimizer")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    ranks.average_gradients(network)
    if clip:
        state.norms_before_clipping[name] = nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()
