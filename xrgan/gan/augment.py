"""Differentiable augmentation: the discriminator never sees an image as it is, so that few images last longer.

Zhao et al. 2020 (DiffAugment, arXiv:2006.10738): the same random changes on real and on synthetic images, with the
gradient passing through. What makes another patient or another picture of an X-ray is left out: flips, quarter turns,
inverted gray.

In trainings of minutes, small images are better changed seldom, and large ones always (examples/race.md, "Variety: less
augmentation").

Shapes: images (B, C + M, S, S) in [-1, 1]: C channels of the X-ray, M of its masks, which move with it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.gan.networks.bilinear import sample_bilinear

SHIFT = 0.125  # of the size, at most, each way
CUTOUT = 0.5  # of the size: the side of the square that is covered
BRIGHTNESS = 0.5  # at most half of this, each way, of a range of 2
CONTRAST = 0.5  # at most half of this, each way, of the factor 1
BLACK = -1.0
FEW_IMAGES, MANY_IMAGES = 5_000, 70_000  # training images
TARGET_SIGN = 0.6  # ADA's
# ADA takes 500,000 images from no augmentation to full; runs of minutes see a tenth of that.
IMAGES_TO_FULL = 50_000
NUMBERS = 12  # that are drawn for an image
STEPS_TO_ADAPT = 64  # the signs are read from the device as seldom


class RandomNumbers(NamedTuple):
    """The random numbers of one batch, each (B, …) and uniform in [0, 1): so that a step can be repeated."""

    applied: Tensor  # (B, 4): the change is made where it is below the probability
    light: Tensor  # (B, 2): brightness, contrast
    shift: Tensor  # (B, 2): down, right
    cutout: Tensor  # (B, 2): the centre of the square
    pose: Tensor  # (B, 2): rotation, scale


@dataclass(frozen=True)
class Strength:
    """How often and how much images are changed."""

    probability: float  # of each change; 0 = none
    rotation: float = 0.0  # degrees at most, each way
    scaling: float = 0.0  # of the factor 1 at most, each way


def draw_numbers(rng: np.random.Generator, batch_size: int) -> NDArray[np.float32]:
    """Draw the random numbers of one batch: (B, NUMBERS)."""
    return rng.random((batch_size, NUMBERS), np.float32)


def random_numbers(drawn: Tensor) -> RandomNumbers:
    """What each of the numbers (B, NUMBERS) is for."""
    return RandomNumbers(*torch.split(drawn, [4, 2, 2, 2, 2], dim=1))


def probability_for(images: int, most: float) -> float:
    """The augmentation probability for so many training images: `most` up to FEW_IMAGES, 0 from MANY_IMAGES on.

    DiffAugment helps most at 100 to 5,000 images and harms a little at 70,000 (its tables 2 and 3); between, the
    probability falls with the logarithm.
    """
    share = np.log(MANY_IMAGES / max(images, 1)) / np.log(MANY_IMAGES / FEW_IMAGES)
    return round(most * float(np.clip(share, 0, 1)), 2)


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
    size, applied = images.shape[-1], numbers.applied < strength.probability
    xrays = _lit(images[:, :channels], (numbers.light - 0.5) * applied[:, :1])
    images = torch.cat([xrays, images[:, channels:]], dim=1) if images.shape[1] > channels else xrays
    if strength.rotation or strength.scaling:
        pose = (2 * numbers.pose - 1) * applied[:, 3:4]
        images = _posed(images, torch.deg2rad(strength.rotation * pose[:, 0]), 1 + strength.scaling * pose[:, 1])
    furthest = round(SHIFT * size)
    steps = (numbers.shift * (2 * furthest + 1)).floor().long() - furthest
    images = _Shifted.apply(images, steps * applied[:, 1:2])
    return _covered(images, (numbers.cutout * size).floor().long(), applied[:, 2])


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
    return sample_bilinear(images - BLACK, places) + BLACK


class _Shifted(torch.autograd.Function):
    """Each image shifted by steps (B, 2) pixels down and right; what comes in is black.

    The gradient is shifted back. PyTorch's own of such an indexing adds up what never meets: a GPU sorts for that.
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, steps: Tensor) -> Tensor:
        ctx.save_for_backward(steps)
        return _moved(images, steps, BLACK)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (steps,) = ctx.saved_tensors
        return _moved(gradients[0], -steps, 0.0).contiguous(), None


def _moved(images: Tensor, steps: Tensor, background: float) -> Tensor:
    batch, _, size, _ = images.shape
    place = torch.arange(size, device=images.device)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), value=background)
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
