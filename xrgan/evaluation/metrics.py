"""Distances between two sets of Inception features, by torch-fidelity's own functions.

Features are float (N, D); both sets share D, and N may differ.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, KEY_METRIC_KID_STD, kid_features_to_metric

KID_SUBSETS = 100
KID_SUBSET_IMAGES = 1000
KID_LAYER = 2048  # Bińkowski et al. 2018 define KID on the last features


@dataclass(frozen=True)
class Kid:
    mean: float
    std: float
    """over the subsets: the spread of one draw of so many images, not the error of the mean"""
    subset_images: int


def fid(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Fréchet distance of two Gaussians fitted to the features (Heusel et al. 2017); 0 = equal, no upper end.

    Its bias grows as N shrinks: only values at one N compare. N ≥ 2.
    """
    first, second = (fid_features_to_statistics(_tensor(features)) for features in (a, b))
    # Round-off in the square root of a singular product can end a hair below 0.
    return max(0.0, float(fid_statistics_to_metric(first, second, False)[KEY_METRIC_FID]))


def kid(a: NDArray[np.floating], b: NDArray[np.floating], seed: int) -> Kid:
    """Squared maximum mean discrepancy with a cubic kernel (Bińkowski et al. 2018), over random subsets.

    Unbiased at every N, so it can come out slightly below 0 for equal distributions. N ≥ 2.

    Args:
        seed: of the subsets.
    """
    # Half of the images: where a subset held them all, every subset would be the same and the spread 0.
    subset = min(KID_SUBSET_IMAGES, max(2, min(len(a), len(b)) // 2))
    result = kid_features_to_metric(
        _tensor(a), _tensor(b), kid_subsets=KID_SUBSETS, kid_subset_size=subset, rng_seed=seed, verbose=False
    )
    return Kid(float(result[KEY_METRIC_KID_MEAN]), float(result[KEY_METRIC_KID_STD]), subset)


def _tensor(features: NDArray[np.floating]) -> torch.Tensor:
    return torch.from_numpy(np.asarray(features, np.float64))
