"""Differentiable augmentation: the discriminator never sees an image as it is, so that few images last longer.

Zhao et al. 2020 (DiffAugment, arXiv:2006.10738): the same random changes on real and on synthetic images, with the
gradient passing through. What makes another patient or another picture of an X-ray is left out: flips, quarter turns,
inverted gray.

Shapes: images (B, C + M, S, S) in [-1, 1]: C channels of the X-ray, M of its masks, which move with it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SHIFT = 0.125  # of the size, at most, each way
CUTOUT = 0.5  # of the size: the side of the square that is covered
BRIGHTNESS = 0.5  # at most half of this, each way, of a range of 2
CONTRAST = 0.5  # at most half of this, each way, of the factor 1
BLACK = -1.0
FEW_IMAGES, MANY_IMAGES = 5_000, 70_000  # training images
TARGET_SIGN = 0.6  # ADA's
# ADA takes 500,000 images from no augmentation to full; runs of minutes see a tenth of that.
IMAGES_TO_FULL = 50_000
STEPS_TO_ADAPT = 64  # the signs are read from the device as seldom


@dataclass(frozen=True)
class RandomNumbers:
    """The random numbers of one batch, each (B, …) and uniform in [0, 1): so that a step can be repeated."""

    applied: NDArray[np.float32]  # (B, 4): the change is made where it is below the probability
    light: NDArray[np.float32]  # (B, 2): brightness, contrast
    shift: NDArray[np.float32]  # (B, 2): down, right
    cutout: NDArray[np.float32]  # (B, 2): the centre of the square
    pose: NDArray[np.float32]  # (B, 2): rotation, scale


@dataclass(frozen=True)
class Strength:
    """How often and how much images are changed."""

    probability: float  # of each change; 0 = none
    rotation: float = 0.0  # degrees at most, each way
    scaling: float = 0.0  # of the factor 1 at most, each way


def random_numbers(rng: np.random.Generator, batch_size: int) -> RandomNumbers:
    """Draw the random numbers of one batch."""
    numbers = rng.random((batch_size, 12), np.float32)
    return RandomNumbers(numbers[:, :4], numbers[:, 4:6], numbers[:, 6:8], numbers[:, 8:10], numbers[:, 10:])


def probability_for(images: int) -> float:
    """The augmentation probability for so many training images: 1 up to FEW_IMAGES, 0 from MANY_IMAGES on.

    DiffAugment helps most at 100 to 5,000 images and harms a little at 70,000 (its tables 2 and 3); between, the
    probability falls with the logarithm.
    """
    share = np.log(MANY_IMAGES / max(images, 1)) / np.log(MANY_IMAGES / FEW_IMAGES)
    return round(float(np.clip(share, 0, 1)), 2)


def adapted_probability(probability: float, sign: float, images: int) -> float:
    """The probability after so many images more, by the ADA heuristic (Karras et al. 2020, arXiv:2006.06676, 3).

    Args:
        sign: r_t, the mean sign of the discriminator's logits of real images since the last time, in [-1, 1]: high
            where it is sure of them, because it overfits.
    """
    step = images / IMAGES_TO_FULL
    return min(1.0, max(0.0, probability + (step if sign > TARGET_SIGN else -step)))


def augment(images: Tensor, numbers: RandomNumbers, strength: Strength, channels: int) -> Tensor:
    """Change each image by itself: brightness and contrast (of the X-ray alone), pose, a shift, then a cutout.

    Args:
        channels: C, of the X-ray.
    """
    if not strength.probability:
        return images
    size, device = images.shape[-1], images.device
    applied = torch.from_numpy(numbers.applied < strength.probability).to(device)
    light, shift, cutout = (
        torch.from_numpy(part).to(device) for part in (numbers.light, numbers.shift, numbers.cutout)
    )
    xrays = _lit(images[:, :channels], (light - 0.5) * applied[:, :1])
    images = torch.cat([xrays, images[:, channels:]], dim=1) if images.shape[1] > channels else xrays
    if strength.rotation or strength.scaling:
        pose = (2 * torch.from_numpy(numbers.pose).to(device) - 1) * applied[:, 3:4]
        images = _posed(images, torch.deg2rad(strength.rotation * pose[:, 0]), 1 + strength.scaling * pose[:, 1])
    furthest = round(SHIFT * size)
    steps = (shift * (2 * furthest + 1)).floor().long() - furthest
    images = _shifted(images, steps * applied[:, 1:2])
    return _covered(images, (cutout * size).floor().long(), applied[:, 2])


def _lit(xrays: Tensor, change: Tensor) -> Tensor:
    """Change brightness and contrast by change (B, 2) in [-0.5, 0.5)."""
    change = change[:, :, None, None, None]
    xrays = xrays + 2 * BRIGHTNESS * change[:, 0]
    mean = xrays.mean(dim=(1, 2, 3), keepdim=True)
    return (xrays - mean) * (1 + 2 * CONTRAST * change[:, 1]) + mean


def _posed(images: Tensor, angle: Tensor, scale: Tensor) -> Tensor:
    """Turn each image by angle (B,), in radians, and magnify it by scale (B,); what comes in is black."""
    cosine, sine, nothing = angle.cos() / scale, angle.sin() / scale, torch.zeros_like(angle)
    matrix = torch.stack([cosine, -sine, nothing, sine, cosine, nothing], dim=1).view(-1, 2, 3)
    places = torch.nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    # What lies outside is read as 0.
    return torch.nn.functional.grid_sample(images - BLACK, places, align_corners=False) + BLACK


def _shifted(images: Tensor, steps: Tensor) -> Tensor:
    """Shift each image by steps (B, 2) pixels down and right; what comes in is black."""
    batch, _, size, _ = images.shape
    place = torch.arange(size, device=images.device)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), value=BLACK)
    rows, columns = ((place[None] - steps[:, k : k + 1] + 1).clamp(0, size + 1) for k in (0, 1))
    return padded[
        torch.arange(batch, device=images.device)[:, None, None], :, rows[:, :, None], columns[:, None]
    ].permute(0, 3, 1, 2)


def _covered(images: Tensor, centre: Tensor, applied: Tensor) -> Tensor:
    """Cover a square of each image where `applied` (B,) with gray (0)."""
    size = images.shape[-1]
    place = torch.arange(size, device=images.device)
    half = round(CUTOUT * size) // 2
    rows, columns = ((place[None] - centre[:, k : k + 1]).abs() <= half for k in (0, 1))
    hole = rows[:, :, None] & columns[:, None] & applied[:, None, None]
    return images * (~hole)[:, None]
