"""The losses of both networks: pure functions of logits (N,), of gradients and of features.

A logit > 0 says "looks real". Every loss is a scalar.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

from xrgan import ranks
from xrgan.frozen_convolutions import differentiated_twice

SMALLEST_VARIANCE = 1e-8  # of a feature: a root has no slope at 0


def discriminator_loss(kind: str, real_logits: Tensor, fake_logits: Tensor, real_label: float) -> Tensor:
    """The discriminator's loss.

    Args:
        kind: bce: binary cross-entropy (Goodfellow et al. 2014, eq. 1), its real targets smoothed to `real_label`
            (Salimans et al. 2016, 3.4);
            non-saturating: the same without smoothing, as softplus;
            hinge (Lim & Ye 2017, arXiv:1705.02894; Miyato et al. 2018, eq. 16);
            relativistic: softplus of the difference of each pair (Jolicoeur-Martineau 2018, arXiv:1807.00734; RpGAN).
    """
    if kind == "bce":
        real = binary_cross_entropy_with_logits(real_logits, torch.full_like(real_logits, real_label))
        return real + softplus(fake_logits).mean()
    if kind == "hinge":
        return (relu(1 - real_logits) + relu(1 + fake_logits)).mean()
    if kind == "relativistic":
        return softplus(fake_logits - real_logits).mean()
    assert kind == "non-saturating"
    return (softplus(-real_logits) + softplus(fake_logits)).mean()


def generator_loss(kind: str, fake_logits: Tensor, real_logits: Tensor | None) -> Tensor:
    """The generator's loss: −log D(G(z)) for bce and non-saturating, −D(G(z)) for hinge, the mirror image for RpGAN.

    Args:
        real_logits: of as many real images, without gradients; relativistic alone needs them.
    """
    if kind == "hinge":
        return -fake_logits.mean()
    if kind == "relativistic":
        assert real_logits is not None
        return softplus(real_logits - fake_logits).mean()
    return softplus(-fake_logits).mean()


def gradient_penalty(discriminator: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Mean squared norm of the discriminator's gradient at images (N, C, S, S): R1 at real ones, R2 at synthetic ones.

    Mescheder et al. 2018 (arXiv:1801.04406), eq. 9, without its γ / 2. In fp32: squared gradients underflow in bf16.
    """
    images = images.detach().float().requires_grad_(True)
    with differentiated_twice():
        logits = discriminator.forward(images, labels)  # as it is: a compiled one has no second derivative
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def feature_distance(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The distance of a synthetic batch's mean features from those of a real one, whose gradient is not taken.

    Salimans et al. 2016 (arXiv:1606.03498), 3.1: the squared difference of the means over the batch, place by place;
    here its mean over the places of each layer, and over the layers, each (N, F, H, W). The batch is that of all
    processes.
    """
    layers = [
        ranks.mean(ours.float().mean(dim=0) - theirs.detach().float().mean(dim=0)).square().mean()
        for theirs, ours in zip(real, fake, strict=True)
    ]
    return torch.stack(layers).mean()


def missing_variance(real: Sequence[Tensor], fake: Sequence[Tensor], labels: Tensor, classes: int) -> Tensor:
    """How much less the synthetic images of a class vary than its real ones: 0 (no less) … 1 (all are one).

    Variance regularization (Bardes, Ponce, LeCun 2022, VICReg, arXiv:2105.04906, eq. 1): a hinge at the standard
    deviation of each feature over the batch. There every feature shall reach 1; here, what real images have. The mean
    over the features of each layer, and over the layers; the batch is that of all processes.

    Args:
        real: the layers of real images, (N, F, H, W) each; their gradient is not taken.
        fake: the same of synthetic images with the same labels.
        labels: class (N,) of each pair: it is within a class that images vary.
        classes: how many there are; 0 = images have none.
    """
    # one_hot would look at the labels' values, for which some devices have to be waited for.
    belongs = (labels[:, None] == torch.arange(max(classes, 1), device=labels.device)).float()
    with torch.autocast(labels.device.type, enabled=False):  # bf16 would round the means by more than some deviations
        shares = ranks.mean(belongs.mean(dim=0)).clamp(min=1 / 2**20)
        to_means = belongs.T / (shares[:, None] * len(labels))
        lacking = []
        for theirs, ours in zip(real, fake, strict=True):
            both = torch.stack([theirs.detach(), ours], dim=1).float()
            of_real, of_fake = _deviations(both, belongs, to_means)
            lacking.append(relu(1 - of_fake / of_real).mean())
    return torch.stack(lacking).mean()


def _deviations(maps: Tensor, belongs: Tensor, to_means: Tensor) -> Tensor:
    """The standard deviations (2, F) of features (N, 2, F, H, W) about the mean of each place in each class.

    Args:
        belongs: 1 where an image is of a class, (N, K).
        to_means: times the images (K, N): this process's share of the class's mean.
    """
    rows = maps.flatten(1)
    # Deviations from a mean sum to 0, so the variance has no slope along it, which no process sees by itself.
    for _ in range(2):  # the first mean is rounded by its own size, which may be many deviations
        means = ranks.mean(to_means @ rows.detach())
        rows = torch.addmm(rows, belongs, means, alpha=-1)
    variances = ranks.mean(rows.square().view_as(maps).mean(dim=(0, 3, 4)))
    return (variances + SMALLEST_VARIANCE).sqrt()
