"""Images that are alike as chests are: one coarse shape for all, and details of their own."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

Images = np.ndarray


def chests(n: int, seed: int, size: int = 32, channels: int = 1) -> Images:
    """uint8 (N, C, size, size)."""
    rng = np.random.default_rng(seed)
    details = gaussian_filter(rng.standard_normal((n, channels, size, size)), (0, 0, size / 40, size / 40))
    down, right = np.mgrid[:size, :size] / size
    shape = 120 + 60 * np.sin(3 * down) * np.cos(6 * right)
    return np.clip(shape + 25 * details / details.std(), 0, 255).astype(np.uint8)


def _shifted(images: Images, rng: np.random.Generator) -> Images:
    most = round(images.shape[-1] * 4 / 64)
    moved = np.roll(images, (most, -most), axis=(2, 3))
    moved[:, :, :most], moved[:, :, :, -most:] = 0, 0
    return moved


def _gray(values: np.ndarray) -> Images:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


CHANGES: dict[str, Callable[[Images, np.random.Generator], Images]] = {
    "exact": lambda images, _: images,
    "shifted": _shifted,
    "brighter": lambda images, _: _gray(images * 1.2),
    "darker": lambda images, _: _gray(images * 0.8),
    "noisy": lambda images, rng: _gray(images + rng.normal(0, 10, images.shape)),
    "blended": lambda images, _: _gray(0.7 * images + 0.3 * chests(len(images), 99, *images.shape[2:0:-2])),
}
