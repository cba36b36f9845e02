"""Precision, recall, density and coverage: how much of one set lies where the other one lies, in feature space.

A set's manifold is the union of balls around its images; a ball's radius is the distance to the k-th nearest neighbour
in the set. Precision and recall: Kynkäänniemi et al. 2019 (arXiv:1904.06991), k = 3. Density and coverage: Naeem et
al. 2020 (arXiv:2002.09797), k = 5.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from xrgan.evaluation.intervals import Interval
from xrgan.evaluation.metrics import REPLICATES, Array, distances

PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5


@dataclass(frozen=True)
class Prdc:
    """One value per image, whose mean is the score."""

    precision: NDArray[np.float64]  # (synthetic,) 1 = lies in the real manifold
    recall: NDArray[np.float64]  # (real,) 1 = lies in the synthetic manifold
    density: NDArray[np.float64]  # (synthetic,) how many real balls it lies in, ÷ k; > 1 is possible
    coverage: NDArray[np.float64]  # (real,) 1 = its ball holds a synthetic image


def prdc(real: Array, synthetic: Array) -> Prdc:
    """Compare two sets of features (N, D), N ≥ 2 each; k shrinks where a set has no k + 1 images."""
    between = distances(synthetic, real)  # (S, R)
    within_real, within_synthetic = _sorted_within(real), _sorted_within(synthetic)
    radius = {k: _radius(within_real, k) for k in (PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS)}  # (R,)
    of_synthetic = _radius(within_synthetic, PRECISION_NEIGHBOURS)  # (S,)
    k = min(DENSITY_NEIGHBOURS, len(real) - 1)
    return Prdc(
        precision=np.asarray((between <= radius[PRECISION_NEIGHBOURS]).any(axis=1), np.float64),
        recall=np.asarray((between <= of_synthetic[:, None]).any(axis=0), np.float64),
        density=(between <= radius[DENSITY_NEIGHBOURS]).sum(axis=1) / k,
        coverage=(between.min(axis=0) <= radius[DENSITY_NEIGHBOURS]).astype(np.float64),
    )


def interval_of_mean(values: NDArray[np.float64], seed: int) -> Interval:
    """95 % interval and standard error of a mean over images, by the percentile bootstrap. N ≥ 2.

    The other set stays as it is: this is the uncertainty of one value per image, averaged.
    """
    result = stats.bootstrap(
        (values,), np.mean, n_resamples=REPLICATES, batch=100, method="percentile", rng=np.random.default_rng(seed)
    )
    low, high = result.confidence_interval
    return Interval(float(low), float(high), float(result.standard_error))


def _sorted_within(features: Array) -> NDArray[np.float32]:
    """Each image's distances to its nearest neighbours in its own set, itself first: (N, ≤ k + 1)."""
    within = distances(features, features)
    np.fill_diagonal(within, 0)  # round-off would make it a distance
    most = min(DENSITY_NEIGHBOURS, len(features) - 1)
    return np.sort(np.partition(within, most, axis=1)[:, : most + 1], axis=1)


def _radius(nearest: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    radius: NDArray[np.float32] = nearest[:, min(k, nearest.shape[1] - 1)]
    return radius
