"""Bilinear sampling, whose gradient is there on every device, and is the same twice where that was asked for.

PyTorch's own adds gradients up on CUDA in whatever order they come, and refuses where the order must not matter; MPS
has had none for long (pytorch#169143).
"""

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def sample_bilinear(images: Tensor, places: Tensor, padding_mode: str = "zeros") -> Tensor:
    """Look at images (N, C, H, W) at places (N, h, w, 2), x before y, in [-1, 1]: (N, C, h, w).

    Args:
        padding_mode: what is seen outside: zeros, or the border repeated.
    """
    if images.requires_grad and _lacks_a_gradient(images.device):
        return gathered(images, places, padding_mode)
    return grid_sample(images, places, padding_mode=padding_mode, align_corners=False)


def _lacks_a_gradient(device: torch.device) -> bool:
    return device.type == "mps" or (device.type == "cuda" and torch.are_deterministic_algorithms_enabled())


def gathered(images: Tensor, places: Tensor, padding_mode: str) -> Tensor:
    """The same by `gather`, whose gradient can be added up in order. No gradient of the places is wanted."""
    count, channels, height, width = images.shape
    x, y = ((places[..., axis] + 1) * size / 2 - 0.5 for axis, size in ((0, width), (1, height)))
    if padding_mode == "border":
        x, y = x.clamp(0, width - 1), y.clamp(0, height - 1)
    left, top, flat = x.floor(), y.floor(), images.flatten(2)
    total = torch.zeros_like(images[:, :, :1, :1])
    for row, share_down in ((top, top + 1 - y), (top + 1, y - top)):
        for column, share_right in ((left, left + 1 - x), (left + 1, x - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            pixel = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
            seen = flat.gather(2, pixel.flatten(1)[:, None].expand(-1, channels, -1))
            total = total + seen.view(count, channels, *pixel.shape[1:]) * (share_down * share_right * inside)[:, None]
    return total
