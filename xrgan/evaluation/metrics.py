"""Distances between two sets of features, as float (N, D); both sets share D, and N may differ.

FID, KID and the Inception Score are torch-fidelity's own functions, but where that takes seconds for what a shorter way
gives to the last digits shown.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import KEY_METRIC_ISC_MEAN, KEY_METRIC_ISC_STD, isc_features_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_STD, kid_features_to_metric

from xrgan.evaluation.intervals import Interval, Units, kid_interval

KID_SUBSETS = 100
KID_SUBSET_IMAGES = 1000
REPLICATES = 1000  # of a bootstrap
REPLICATES_AT_ONCE = 100
IS_SPLITS = 10
LEAST_DISTANCE = 1e-6  # of real images that are all the same

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Kid:
    value: float
    std: float
    """over random subsets: the spread of one draw of so many images, which papers quote; not the error of the value"""
    subset_images: int
    interval: Interval


@dataclass(frozen=True)
class InceptionScore:
    mean: float
    std: float
    """over the splits"""
    splits: int


@dataclass(frozen=True)
class Diversity:
    value: float
    interval: Interval


def fid(a: Array, b: Array) -> float:
    """Compute the Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017): 0 = equal.

    Its bias grows as N shrinks: only values at one N compare. N ≥ 2.
    """
    if min(len(a), len(b)) <= a.shape[1]:
        return _fid_of_few(a.astype(np.float64), b.astype(np.float64))
    first, second = (fid_features_to_statistics(_tensor(features)) for features in (a, b))
    # Round-off in the square root of a singular product can end a hair below 0.
    return max(0.0, float(fid_statistics_to_metric(first, second, False)[KEY_METRIC_FID]))


def _fid_of_few(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The same, where a set has no more images than features: an N × N problem in place of D × D.

    With centred rows A, B over √(N − 1), the covariances are AᵀA and BᵀB, and the trace of the square root of their
    product is the sum of the singular values of A Bᵀ.
    """
    mean = ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum()
    a, b = ((of_one - of_one.mean(axis=0)) / math.sqrt(len(of_one) - 1) for of_one in (a, b))
    cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
    return max(0.0, float(mean + (a**2).sum() + (b**2).sum() - 2 * cross))


def kid(a: Array, b: Array, seed: int, of_a: Units | None = None, of_b: Units | None = None) -> Kid:
    """Compute the squared maximum mean discrepancy with a cubic kernel (Bińkowski et al. 2018) of all images. N ≥ 2.

    Unbiased at every N, so it can come out slightly below 0 for equal distributions.

    Args:
        seed: of the subsets.
        of_a: (N_a,) the patient of each image, whom the interval minds; None = each is of its own. `of_b`: b's.
    """
    within_a, within_b, between = _cubic(a, a), _cubic(b, b), _cubic(a, b)
    within = [_mean_within(kernel, np.ones((1, len(kernel)))) for kernel in (within_a, within_b)]
    value = float(within[0][0] + within[1][0] - 2 * between.mean())
    # Half of the images: where a subset held them all, every subset would be the same and the spread 0.
    subset = min(KID_SUBSET_IMAGES, max(2, min(len(a), len(b)) // 2))
    subsets = kid_features_to_metric(
        _tensor(a), _tensor(b), kid_subsets=KID_SUBSETS, kid_subset_size=subset, rng_seed=seed, verbose=False
    )
    interval = kid_interval(within_a, within_b, between, of_a, of_b)
    return Kid(value, float(subsets[KEY_METRIC_KID_STD]), subset, interval)


def inception_score(logits: Array, seed: int) -> InceptionScore:
    """Compute exp of the mean divergence of each image's ImageNet classes from those of all (Salimans et al. 2016).

    It is 1 or more. It knows of no real image, and ImageNet has no chest X-ray: higher isn't better here. Printed for
    those who ask.

    Args:
        logits: (N, 1008), without the last layer's bias.
    """
    splits = min(IS_SPLITS, len(logits))
    result = isc_features_to_metric(_tensor(logits), splits=splits, shuffle=True, rng_seed=seed)
    return InceptionScore(float(result[KEY_METRIC_ISC_MEAN]), float(result[KEY_METRIC_ISC_STD]), splits)


def diversity(synthetic: Array, real: Array, seed: int) -> Diversity:
    """Divide the mean distance of two images of a set by that of two real images: 1 = as varied, 0 = all the same.

    It knows neither radii nor neighbours, and not whether the images are any good: noise is varied. N ≥ 2.

    Args:
        seed: of the bootstrap over the images of both sets.
    """
    within = distances(synthetic, synthetic), distances(real, real)
    value, floor = (float(_mean_within(of_one, np.ones((1, len(of_one))))[0]) for of_one in within)
    rng = np.random.default_rng([seed, 6])
    ratios = []
    for first in range(0, REPLICATES, REPLICATES_AT_ONCE):
        count = min(REPLICATES_AT_ONCE, REPLICATES - first)
        means = [_mean_within(of_one, _times_drawn(len(of_one), count, rng)) for of_one in within]
        ratios.append(means[0] / np.maximum(means[1], LEAST_DISTANCE))
    values = np.concatenate(ratios)
    low, high = np.quantile(values, [0.025, 0.975])
    return Diversity(value / max(floor, LEAST_DISTANCE), Interval(float(low), float(high), float(values.std(ddof=1))))


def distances(a: Array, b: Array) -> NDArray[np.float32]:
    """Compute Euclidean distances (N_a, N_b); by products in float64: the difference of large squares loses digits."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    distances: NDArray[np.float32] = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
    return distances


def _cubic(a: Array, b: Array) -> NDArray[np.float64]:
    """KID's kernel (x · y / D + 1)³: float64 (N_a, N_b)."""
    kernel: NDArray[np.float64] = (np.asarray(a, np.float64) @ np.asarray(b, np.float64).T / a.shape[1] + 1) ** 3
    return kernel


def _mean_within(kernel: Array, times: Array) -> NDArray[np.float64]:
    """Mean of the kernel over the pairs of two different images: (R,)."""
    squares = times.astype(np.float64) ** 2
    pairs = times.astype(np.float64).sum(axis=1) ** 2 - squares.sum(axis=1)
    all_pairs = ((times.astype(kernel.dtype) @ kernel) * times).sum(axis=1, dtype=np.float64)
    mean: NDArray[np.float64] = (all_pairs - squares @ kernel.diagonal()) / pairs
    return mean


def _times_drawn(n: int, replicates: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """How often each of n images is in each replicate: (replicates, n), rows add up to n; two images at least."""
    times = rng.multinomial(n, np.full(n, 1 / n), replicates)
    alone = (times > 0).sum(axis=1) < 2  # no pair of two images: so rare that it matters for N = 2 and 3 alone
    times[alone] = 1
    return times.astype(np.float32)


def _tensor(features: Array) -> torch.Tensor:
    return torch.from_numpy(np.asarray(features, np.float64))
