"""Clipped coverage and clipped density: variety and realism as shares of good images, which no few outliers sway.

Salvy, Talbot, Thirion 2025 (arXiv:2507.01761), from their formulas; a test compares the values with another
implementation. Around each real image lies a ball whose radius is the distance to its k-th nearest other real image. No
image can contribute more than 1, and the mean is mapped so that 0.8 is what a generator would get of whose images 80 %
are as real ones, and 20 % lie elsewhere.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from xrgan.evaluation.intervals import Interval
from xrgan.evaluation.metrics import REPLICATES, Array, distances

NEIGHBOURS = 5  # k
ROWS_AT_ONCE = 256  # of distances that are ranked: bounds the memory
RANKED = 40  # nearest images that the bootstrap ranks: of so many it never draws fewer than k

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """A share of good images, 0 … 1, and its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class _Balls:
    """Around each of N real images: the nearest other images, the nearest first."""

    real: Indices  # (N, ≤ RANKED): which other real images
    synthetic: Indices  # (N, ≤ RANKED): which synthetic images
    within: Indices  # (N, ≤ RANKED): how many of these are as near as the real image of each rank


def clipped_coverage(real: Array, synthetic: Array, seed: int) -> Share:
    """Measure how much of the real images' variety the synthetic ones have: features (N, D) and (M, D), 2 or more.

    A real image counts as far as k synthetic images lie in its ball. The interval is a bootstrap over the images of
    both sets: its replicates have other balls, too. A replicate holds images twice, which by itself lowers the mean;
    so replicates are shifted to where they belong.
    """
    n, m, k = len(real), len(synthetic), _k(real)
    balls = _balls(real, synthetic)
    mean = _filled(balls, k, np.ones(n), np.ones(m)).mean()
    rng = np.random.default_rng([seed, 4])
    replicates = np.empty(REPLICATES)
    for replicate in range(REPLICATES):
        of_real, of_synthetic = (rng.multinomial(size, np.full(size, 1 / size)) for size in (n, m))
        replicates[replicate] = np.average(_filled(balls, k, of_real, of_synthetic), weights=of_real)
    shifted = replicates - replicates.mean() + mean
    value, *shares = _as_shares(np.array([mean, *shifted]), n, m, k)
    return _share(float(value), np.array(shares))


def clipped_coverage_alone(real: Array, synthetic: Array) -> float:
    """Measure clipped coverage without its interval: features (N, D) and (M, D), 2 or more."""
    k = _k(real)
    filled = _filled(_balls(real, synthetic), k, np.ones(len(real)), np.ones(len(synthetic)))
    return float(_as_shares(filled.mean(keepdims=True), len(real), len(synthetic), k)[0])


def clipped_density(real: Array, synthetic: Array, seed: int) -> Share:
    """Measure how many synthetic images lie among real ones: features (N, D) and (M, D), 2 or more.

    An image counts as far as it lies in k balls, none of which is larger than the median one. 1 is what the real
    images get among themselves. The interval is a bootstrap over the images of both sets.
    """
    k = _k(real)
    within = distances(real, real)
    np.fill_diagonal(within, np.inf)
    radii = np.partition(within, k - 1, axis=1)[:, k - 1]
    radii = np.minimum(radii, np.median(radii))
    of_synthetic = np.minimum((distances(synthetic, real) <= radii).sum(axis=1) / k, 1)
    of_real = np.minimum((within <= radii).sum(axis=1) / k, 1)
    rng = np.random.default_rng([seed, 5])
    replicates = _resampled_means(of_synthetic, rng) / np.maximum(_resampled_means(of_real, rng), 1e-12)
    ratio = of_synthetic.mean() / max(of_real.mean(), 1e-12)
    return _share(min(1.0, float(ratio)), np.minimum(1, replicates))


def _k(real: Array) -> int:
    return min(NEIGHBOURS, len(real) - 1)


def _balls(real: Array, synthetic: Array) -> _Balls:
    among_real, to_synthetic = distances(real, real), distances(real, synthetic)
    np.fill_diagonal(among_real, np.inf)
    others, nearest = _nearest(among_real, min(RANKED, len(real) - 1)), _nearest(to_synthetic, RANKED)
    radii = np.take_along_axis(among_real, others, axis=1)
    reached = np.take_along_axis(to_synthetic, nearest, axis=1)
    within = np.array([np.searchsorted(row, limits, side="right") for row, limits in zip(reached, radii, strict=True)])
    return _Balls(others, nearest, within)


def _nearest(to_images: NDArray[np.float32], count: int) -> Indices:
    """The columns of the least distances of each row, the least first: (N, ≤ count)."""
    last = min(count, to_images.shape[1])
    blocks = np.array_split(to_images, -(-len(to_images) // ROWS_AT_ONCE))
    least = np.concatenate([np.argpartition(block, last - 1, axis=1)[:, :last] for block in blocks])
    order = np.argsort(np.take_along_axis(to_images, least, axis=1), axis=1)
    return np.take_along_axis(least, order, axis=1)


def _filled(balls: _Balls, k: int, of_real: NDArray[np.generic], of_synthetic: NDArray[np.generic]) -> Floats:
    """How far each ball is filled, (N,) in 0 … 1, where sets hold each image so many times: (N,), (M,)."""
    counted = np.cumsum(of_real[balls.real], axis=1)
    rank = np.where(counted[:, -1] >= k, (counted >= k).argmax(axis=1), counted.shape[1] - 1)
    inside = np.take_along_axis(balls.within, rank[:, None], axis=1)[:, 0]
    held = np.pad(np.cumsum(of_synthetic[balls.synthetic], axis=1), ((0, 0), (1, 0)))
    filled: Floats = np.minimum(np.take_along_axis(held, inside[:, None], axis=1)[:, 0] / k, 1)
    return filled


def _as_shares(means: Floats, n: int, m: int, k: int) -> Floats:
    """Map means of filled balls, (R,), to the shares of good images of which they are expected."""
    return np.asarray(np.interp(means, _expected(n, m, k), np.arange(m + 1) / m))


@lru_cache(maxsize=64)
def _expected(n: int, m: int, k: int) -> Floats:
    """The expected mean where 0, 1, … m of the synthetic images are as real ones, the others elsewhere: (m + 1,).

    A ball that reaches to the k-th of n − 1 others holds a share of the distribution that is Beta(k, n − k), whatever
    the distribution; so the number of good images in it is beta-binomial.
    """
    good, inside = np.arange(m + 1)[:, None], np.arange(k)
    missing = (stats.betabinom.pmf(inside, good, k, n - k) * (k - inside)).sum(axis=1)
    expected: Floats = 1 - missing / k
    return expected


def _resampled_means(values: Floats, rng: np.random.Generator) -> Floats:
    """(REPLICATES,)."""
    means: Floats = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), REPLICATES) @ values
    return means / len(values)


def _share(value: float, replicates: Floats) -> Share:
    low, high = np.quantile(replicates, [0.025, 0.975])
    return Share(value, Interval(float(low), float(high), float(replicates.std(ddof=1))))
