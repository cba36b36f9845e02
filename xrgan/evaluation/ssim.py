"""Structural similarity (SSIM, Wang et al. 2004) of pairs of images, and the pairs: within a set, between, the nearest.

Images are uint8 (N, C, H, W); pairs are int64 (P, 2), rows of (index in a, index in b).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

from xrgan import console
from xrgan.evaluation.image_sets import Images

SEARCH_PIXELS = 64  # the nearest image is looked for at this size at most
SEARCH_BATCH_IMAGES = 64

Pairs = NDArray[np.int64]
Similarity = Callable[[Images, Images], float]  # of two images


@dataclass(frozen=True)
class PairScore:
    mean: float
    std: float
    """over the pairs"""
    pairs: int


def ssim(a: Images, b: Images) -> float:
    """Compute the SSIM of two images, uint8 (C, H, W), H and W ≥ 11: 1 = equal, about 0 = unrelated.

    Channels are averaged. Window and constants are those of the paper, which are not scikit-image's defaults.
    """
    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            a, b, channel_axis=0, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


def ms_ssim(a: Images, b: Images) -> float:
    """Compute the multi-scale SSIM (Wang et al. 2003) of two images, uint8 (C, H, W), H and W ≥ 176; as `ssim`."""
    first, second = (torch.from_numpy(np.array(image, np.float32)[None]) for image in (a, b))
    return float(multiscale_structural_similarity_index_measure(first, second, data_range=255.0))


def ssim_pairs(a: Images, b: Images, pairs: Pairs, bar: console.Bar, of_two: Similarity = ssim) -> PairScore:
    """Compute mean and spread of a similarity over `pairs` of images of `a` and `b`."""
    values = []
    for i, j in pairs:
        values.append(of_two(a[i], b[j]))
        bar.advance()
    return PairScore(float(np.mean(values)), float(np.std(values)), len(values))


def pairs_within(n: int, count: int, rng: np.random.Generator) -> Pairs:
    """Sample `count` pairs of two different ones of n ≥ 2 images; all pairs where there are no more."""
    if n * (n - 1) // 2 <= count:
        return np.stack(np.triu_indices(n, k=1), axis=1)
    first = rng.integers(0, n, count)
    second = (first + rng.integers(1, n, count)) % n
    return np.stack([first, second], axis=1)


def pairs_between(n_a: int, n_b: int, count: int, rng: np.random.Generator) -> Pairs:
    """Sample `count` pairs, one of n_a and one of n_b images; all pairs where there are no more."""
    if n_a * n_b <= count:
        return np.stack([index.ravel() for index in np.indices((n_a, n_b))], axis=1)
    return np.stack([rng.integers(0, n_a, count), rng.integers(0, n_b, count)], axis=1)


def pairs_nearest(queries: Images, among: Images, description: str) -> Pairs:
    """Pair each query with the image `among` which differs least: mean squared difference at 64 × 64 pixels at most."""
    wanted = _small(queries)  # (Q, F)
    least = np.full(len(queries), np.inf)
    nearest = np.zeros(len(queries), np.int64)
    with console.progress(description, len(among)) as bar:
        for start in range(0, len(among), SEARCH_BATCH_IMAGES):
            block = _small(among[start : start + SEARCH_BATCH_IMAGES])  # (B, F)
            distance = (block**2).sum(axis=1) - 2 * wanted @ block.T  # (Q, B): |q − t|² without |q|², equal for all t
            best = distance.min(axis=1)
            nearest = np.where(best < least, start + distance.argmin(axis=1), nearest)
            least = np.minimum(best, least)
            bar.advance(len(block))
    return np.stack([np.arange(len(queries)), nearest], axis=1)


def _small(images: Images) -> NDArray[np.float32]:
    """float32 (N, F) in 0…1: images averaged down to 64 × 64 pixels at most."""
    height, width = (min(side, SEARCH_PIXELS) for side in images.shape[2:])
    pixels = torch.from_numpy(np.array(images, np.float32) / 255)
    pooled: NDArray[np.float32] = torch.nn.functional.adaptive_avg_pool2d(pixels, (height, width)).flatten(1).numpy()
    return pooled
