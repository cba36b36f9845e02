"""Classic augmentation, the same in every study: an X-ray is turned, shifted, scaled, sheared, brighter or darker."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from xrgan.config import StudyConfig
from xrgan.downstream.training_loop import fixed_seed


@dataclass(frozen=True)
class Classic:
    """How far an image is changed at most, each way; never flipped: hearts lie left."""

    rotation: float  # degrees
    shift: float  # of the side
    scale: float  # of the factor 1
    shear: float  # degrees
    light: float  # of the factor 1, of brightness and of contrast

    def transform(self) -> v2.Compose:
        """Draws from torch's global random state; what comes into the image is black."""
        shift, scale = (self.shift, self.shift), (1 - self.scale, 1 + self.scale)
        bilinear = v2.InterpolationMode.BILINEAR  # of images; masks take the nearest pixel, and stay 0 or 255
        return v2.Compose(
            [
                v2.RandomAffine(self.rotation, shift, scale, self.shear, interpolation=bilinear),
                v2.ColorJitter(brightness=self.light, contrast=self.light),
            ]
        )


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
    change = classic.transform()
    with fixed_seed(seed):  # torchvision draws from torch's global random state, on the CPU
        changed = [change(tv_tensors.Image(image)) for image in images]
    return torch.stack(changed).as_subclass(Tensor)


def augment_pairs(images: Tensor, masks: Tensor, classic: Classic, seed: int) -> tuple[Tensor, Tensor]:
    """uint8 (N, C, H, W) and (N, M, H, W) → the same, each image changed as by `augment`, its masks moved with it.

    Masks stay 0 or 255.
    """
    change = classic.transform()
    with fixed_seed(seed):
        pairs = [
            change(tv_tensors.Image(image), tv_tensors.Mask(mask)) for image, mask in zip(images, masks, strict=True)
        ]
    changed, moved = (torch.stack([pair[k] for pair in pairs]).as_subclass(Tensor) for k in (0, 1))
    return changed, moved
