"""Classic augmentation, the same in every study: an X-ray is turned, shifted, scaled, sheared, brighter or darker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import v2
from torchvision.transforms.v2.functional import rgb_to_grayscale as to_gray

from xrgan.config import StudyConfig
from xrgan.downstream.training_loop import fixed_seed
from xrgan.hardware import upload

BRIGHTNESS, CONTRAST = 0, 1  # how torchvision numbers them


@dataclass(frozen=True)
class Classic:
    """How far an image is changed at most, each way; never flipped: hearts lie left."""

    rotation: float  # degrees
    shift: float  # of the side
    scale: float  # of the factor 1
    shear: float  # degrees
    light: float  # of the factor 1, of brightness and of contrast


class Changes(NamedTuple):
    """What happens to each image of a batch."""

    matrices: Tensor  # (N, 2, 3): where each pixel of the new image lies in the old one, both from the middle
    brightness: Tensor  # (N, 1, 1, 1): a factor
    contrast: Tensor  # (N, 1, 1, 1): a factor
    brightness_first: Tensor  # bool (N, 1, 1, 1)


def classic_of(config: StudyConfig) -> Classic:
    """The options of a study."""
    return Classic(
        config.classic_rotation,
        config.classic_shift,
        config.classic_scale,
        config.classic_shear,
        config.classic_light,
    )


def augment(images: Tensor, classic: Classic, seed: int) -> Tensor:
    """uint8 (N, C, H, W) → the same, each image changed by itself; the caller's random state is left alone."""
    changes = _draw(len(images), images.shape[-2:], classic, seed, images.device)
    return _lit(_placed(images, changes.matrices, "bilinear"), changes)


def augment_pairs(images: Tensor, masks: Tensor, classic: Classic, seed: int) -> tuple[Tensor, Tensor]:
    """uint8 (N, C, H, W) and (N, M, H, W) → the same, each image changed as by `augment`, its masks moved with it.

    Masks take the nearest pixel, and stay 0 or 255.
    """
    changes = _draw(len(images), images.shape[-2:], classic, seed, images.device)
    return _lit(_placed(images, changes.matrices, "bilinear"), changes), _placed(masks, changes.matrices, "nearest")


def _draw(count: int, size: Sequence[int], classic: Classic, seed: int, device: torch.device) -> Changes:
    """Draw as torchvision does, image by image, and bring it all to the device at once."""
    shift, scale = (classic.shift, classic.shift), (1 - classic.scale, 1 + classic.scale)
    affine = v2.RandomAffine(classic.rotation, shift, scale, classic.shear)
    jitter = v2.ColorJitter(brightness=classic.light, contrast=classic.light)
    rows = []
    with fixed_seed(seed):  # torchvision draws from torch's global random state, on the CPU
        for _ in range(count):
            placed = affine.make_params([torch.empty(1, *size, device="meta")])
            lit = jitter.make_params([])
            order = lit["fn_idx"].tolist()
            first = order.index(BRIGHTNESS) < order.index(CONTRAST)
            factors = (lit["brightness_factor"], lit["contrast_factor"])  # None where the image's own stays
            rows.append([*_matrix(**placed), *(1.0 if factor is None else factor for factor in factors), first])
    (drawn,) = upload([np.array(rows, np.float32).reshape(count, 9)], device)
    brightness, contrast, first = (drawn[:, k].view(-1, 1, 1, 1) for k in (6, 7, 8))
    return Changes(drawn[:, :6].view(-1, 2, 3), brightness, contrast, first > 0)


def _matrix(angle: float, translate: tuple[int, int], scale: float, shear: tuple[float, float]) -> list[float]:
    """The inverse of: shear along x, scale, turn, then shift; a pixel of the new image → its place in the old one."""
    turn, skew = math.radians(angle), math.tan(math.radians(shear[0]))
    cosine, sine = math.cos(turn), math.sin(turn)
    across = [(cosine - sine * skew) / scale, (cosine * skew + sine) / scale]
    down = [-sine / scale, cosine / scale]
    return [value for row in (across, down) for value in (*row, -row[0] * translate[0] - row[1] * translate[1])]


def _placed(images: Tensor, matrices: Tensor, mode: str) -> Tensor:
    """Look at uint8 images (N, C, H, W) where the matrices say: uint8, black outside."""
    height, width = images.shape[-2:]
    y, x = (torch.arange(size, device=images.device) - (size - 1) / 2 for size in (height, width))
    pixels = torch.stack(
        [x.expand(height, width), y[:, None].expand(height, width), torch.ones_like(x).expand(height, width)]
    )
    across, down = torch.einsum("nij,jhw->inhw", matrices, pixels)
    places = torch.stack([across * (2 / width), down * (2 / height)], dim=-1)
    seen = functional.grid_sample(images.float(), places, mode=mode, padding_mode="zeros", align_corners=False)
    if mode == "bilinear":  # as torchvision does it: along the border what is seen fades once more
        inside = functional.grid_sample(torch.ones_like(seen[:, :1]), places, align_corners=False)
        seen = seen * inside
    return seen.round_().to(torch.uint8)


def _lit(images: Tensor, changes: Changes) -> Tensor:
    """Change brightness and contrast of uint8 images, in the order that was drawn for each."""
    first = changes.brightness_first
    once = torch.where(first, _brightened(images, changes), _contrasted(images, changes))
    return torch.where(first, _contrasted(once, changes), _brightened(once, changes))


def _brightened(images: Tensor, changes: Changes) -> Tensor:
    return (images * changes.brightness).clamp_(0, 255).to(torch.uint8)


def _contrasted(images: Tensor, changes: Changes) -> Tensor:
    gray = (to_gray(images) if images.shape[1] == 3 else images).float()
    mean = gray.mean(dim=(1, 2, 3), keepdim=True)
    return (images * changes.contrast + mean * (1 - changes.contrast)).clamp_(0, 255).to(torch.uint8)
