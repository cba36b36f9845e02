"""Pure functions of logits (N,): what the two networks minimise."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def discriminator_bce(real_logits: Tensor, fake_logits: Tensor, real_label: float) -> Tensor:
    """Binary cross-entropy of real against fake (Goodfellow et al. 2014, eq. 1): a scalar ≥ 0.

    Args:
        real_label: the target of real images; below 1 it is one-sided label smoothing (Salimans et al. 2016, 3.4).
    """
    real = binary_cross_entropy_with_logits(real_logits, torch.full_like(real_logits, real_label))
    fake = binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return real + fake


def generator_bce(fake_logits: Tensor) -> Tensor:
    """The generator's non-saturating loss, −log D(G(z)) (Goodfellow et al. 2014, section 3): a scalar ≥ 0."""
    return binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))
