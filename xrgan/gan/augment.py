"""Differentiable augmentation: the discriminator never sees an image as it is, so that few images last longer.

Zhao et al. 2020 (DiffAugment, arXiv:2006.10738): the same random changes on real and on synthetic images, with the
gradient passing through. What makes another patient or another picture of an X-ray is left out: flips, quarter turns,
inverted gray.

In trainings of minutes, images are better changed seldom (examples/race.md, "Variety: less augmentation").

Shapes: images (B, C + M, S, S) in [-1, 1]: C channels of the X-ray, M of its masks, which move with it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.gan.networks.bilinear import sample_bilinear

Floats = NDArray[np.float32]

SHIFT = 0.125  # of the size, at most, each way
CUTOUT = 0.5  # of the size: the side of the square that is covered
BRIGHTNESS = 0.5  # at most half of this, each way, of a range of 2
CONTRAST = 0.5  # at most half of this, each way, of the factor 1
BLACK = -1.0
WIDTHS = (4, 2, 2, 2, 2)  # numbers that are drawn for an image, as RandomNumbers has them
FEW_IMAGES, MANY_IMAGES = 5_000, 70_000  # training images
TARGET_SIGN = 0.6  # ADA's
# ADA takes 500,000 images from no augmentation to full; runs of minutes see a tenth of that.
IMAGES_TO_FULL = 50_000
STEPS_TO_ADAPT = 64  # the signs are read from the device as seldom


class RandomNumbers(NamedTuple):
    """The random numbers of one batch, each (B, …) and uniform in [0, 1): so that a step can be repeated."""

    applied: Floats  # (B, 4): the change is made where it is below the probability
    light: Floats  # (B, 2): brightness, contrast
    shift: Floats  # (B, 2): down, right
    cutout: Floats  # (B, 2): the centre of the square
    pose: Floats  # (B, 2): rotation, scale


@dataclass(frozen=True)
class Strength:
    """How often and how much images are changed."""

    probability: float  # of each change; 0 = none
    rotation: float = 0.0  # degrees at most, each way
    scaling: float = 0.0  # of the factor 1 at most, each way


def draw_changes(rng: np.random.Generator, batch_size: int, strength: Strength, size: int) -> Floats:
    """Draw what `augment` changes of each image of one batch, of size × size pixels: (B, …), as `changes_of` says.

    (B, 0) where nothing is changed: then nothing is drawn either.
    """
    if not strength.probability:
        return np.empty((batch_size, 0), np.float32)
    drawn = rng.random((batch_size, sum(WIDTHS)), np.float32)
    return changes_of(RandomNumbers(*np.split(drawn, np.cumsum(WIDTHS)[:-1], axis=1)), strength, size)


def changes_of(numbers: RandomNumbers, strength: Strength, size: int) -> Floats:
    """What the random numbers change, on the CPU: what a device gets is ready, and adaptive augmentation is in it.

    Returns:
        (B, 6): brightness that is added, the factor of contrast, pixels down and right, and the centre of the square
        that is covered, in pixels (outside where none is); (B, 12) with rotation or scaling: the matrix (2, 3) from
        places in a posed image to those in the image, too, in rows.
    """
    applied = (numbers.applied < strength.probability).astype(np.float32)
    light = (numbers.light - 0.5) * applied[:, :1]
    furthest = round(SHIFT * size)
    shift = (np.floor(numbers.shift * (2 * furthest + 1)) - furthest) * applied[:, 1:2]
    centre = np.where(applied[:, 2:3], np.floor(numbers.cutout * size), np.float32(-size))
    changes = [2 * BRIGHTNESS * light[:, :1], 1 + 2 * CONTRAST * light[:, 1:], shift, centre]
    if strength.rotation or strength.scaling:
        pose = (2 * numbers.pose - 1) * applied[:, 3:4]
        angle, scale = np.deg2rad(strength.rotation * pose[:, 0]), 1 + strength.scaling * pose[:, 1]
        cosine, sine, nothing = np.cos(angle) / scale, np.sin(angle) / scale, np.zeros_like(angle)
        changes.append(np.stack([cosine, -sine, nothing, sine, cosine, nothing], axis=1))
    return np.concatenate(changes, axis=1, dtype=np.float32)


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


def augment(images: Tensor, changes: Tensor, channels: int) -> Tensor:
    """Change each image by itself: brightness and contrast (of the X-ray alone), pose, a shift, then a cutout.

    Args:
        changes: of `draw_changes`, on the images' device.
        channels: C, of the X-ray.
    """
    if not changes.shape[1]:
        return images
    light, shift, centre, pose = torch.split(changes, [2, 2, 2, changes.shape[1] - 6], dim=1)
    xrays = _lit(images[:, :channels], light)
    images = torch.cat([xrays, images[:, channels:]], dim=1) if images.shape[1] > channels else xrays
    if pose.shape[1]:
        images = _posed(images, pose.view(-1, 2, 3))
    return _covered(_Shifted.apply(images, shift.long()), centre)


def _lit(xrays: Tensor, light: Tensor) -> Tensor:
    """Add to brightness, and multiply contrast: light (B, 2)."""
    brightness, contrast = light.view(-1, 2, 1, 1, 1).unbind(1)
    mean = xrays.mean(dim=(1, 2, 3), keepdim=True)
    return (xrays - mean) * contrast + (mean + brightness)


def _posed(images: Tensor, matrices: Tensor) -> Tensor:
    """Turn and magnify each image by a matrix (B, 2, 3); what comes in is black."""
    places = torch.nn.functional.affine_grid(matrices, list(images.shape), align_corners=False)
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
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), value=background)
    place = torch.arange(1, size + 1, device=images.device)
    rows, columns = (place - steps[:, :, None]).clamp(0, size + 1).unbind(1)
    image = torch.arange(batch, device=images.device)[:, None, None]
    return padded[image, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def _covered(images: Tensor, centre: Tensor) -> Tensor:
    """Cover a square about centre (B, 2) of each image with gray (0)."""
    size = images.shape[-1]
    place = torch.arange(size, device=images.device)
    below, aside = ((place - centre[:, :, None]).abs() > round(CUTOUT * size) // 2).unbind(1)
    return images * (below[:, :, None] | aside[:, None])[:, None]
