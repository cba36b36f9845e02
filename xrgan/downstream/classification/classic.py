"""Classic augmentation: an X-ray turned, moved, scaled, made brighter or darker. Never flipped: hearts lie left."""

import torch
from torch import Tensor
from torchvision.transforms import v2

DEGREES = 7
SHIFT = 0.05  # of the side
SCALE = (0.9, 1.1)
LIGHT = 0.1  # brightness and contrast, relative

_change = v2.Compose(
    [
        v2.RandomAffine(DEGREES, (SHIFT, SHIFT), SCALE, interpolation=v2.InterpolationMode.BILINEAR),
        v2.ColorJitter(brightness=LIGHT, contrast=LIGHT),
    ]
)


def augment(images: Tensor) -> Tensor:
    """uint8 (N, C, H, W) → the same, each image changed by itself, from torch's global random state."""
    return torch.stack([_change(image) for image in images])
