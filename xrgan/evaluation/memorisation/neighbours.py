"""The training images nearest to an image by its features, and what is known of nearest ones in any space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 16  # nearest ones that are looked at
SCALE_RANKS = slice(8, NEIGHBOURS)  # whose mean distance is the local scale: an image may be there several times
FAR = 1e9  # distance in features of what has none
BLOCK_NUMBERS = 2**24  # bounds the memory of a search: 64 MB of float32

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Neighbours:
    """For each of Q images its nearest training image, and how far the next ones are: the local scale."""

    index: NDArray[np.int64]  # (Q,)
    distance: NDArray[np.float64]  # (Q,)
    local_scale: NDArray[np.float64]  # (Q,): mean distance of the 9th to 16th nearest

    @property
    def relative_distance(self) -> NDArray[np.float64]:
        """Distance ÷ local scale, (Q,): 0 = a copy, about 1 = no nearer to one than to many.

        Carlini et al. 2023 (arXiv:2301.13188) find copies by such a ratio: images of few details are near to
        everything, and unusual ones far from everything.
        """
        known = self.local_scale > 0
        return np.where(known, self.distance / np.where(known, self.local_scale, 1), 1)


@dataclass(frozen=True)
class FeatureBank:
    """The features of N training images, without their mean: distances of large numbers would lose their digits."""

    vectors: Vectors  # (≤ N, D): of those without NaN
    index: NDArray[np.int64]  # (≤ N,): which ones they are
    mean: Vectors  # (D,)


def feature_bank(training: NDArray[np.floating]) -> FeatureBank:
    """Take the features (N, D) of training images; rows that hold NaN are left out."""
    index = np.flatnonzero(np.isfinite(training).all(axis=1))
    mean = training[index].mean(axis=0) if len(index) else np.zeros(training.shape[1])
    return FeatureBank((training[index] - mean).astype(np.float32), index, mean.astype(np.float32))


def nearest_in_features(
    features: NDArray[np.floating], bank: FeatureBank, leave_out: NDArray[np.int64] | None = None
) -> Neighbours:
    """Find the nearest training images of features (Q, D), Q ≥ 1, by Euclidean distance.

    Features that hold NaN are equally far from all.

    Args:
        leave_out: (Q,), a training image that each is not compared with: itself.
    """
    if not len(bank.index):
        far = np.full(len(features), FAR)
        return Neighbours(np.zeros(len(features), np.int64), far, far)
    known = np.isfinite(features).all(axis=1, keepdims=True)
    vectors = np.where(known, features - bank.mean, 0).astype(np.float32)
    lengths = (bank.vectors**2).sum(axis=1)
    block = max(1, BLOCK_NUMBERS // len(lengths))
    index, distance = [], []
    for start in range(0, len(vectors), block):
        here = vectors[start : start + block]
        squares = (here**2).sum(axis=1, keepdims=True) - 2 * here @ bank.vectors.T + lengths  # (B, N)
        squares[~known[start : start + block, 0]] = FAR**2
        if leave_out is not None:
            squares[bank.index == leave_out[start : start + block, None]] = FAR**2
        among = _largest(-squares)
        index.append(bank.index[among])
        distance.append(np.sqrt(np.maximum(0, np.take_along_axis(squares, among, axis=1))))
    return rank(np.concatenate(index), np.concatenate(distance))


def rank(index: NDArray[np.int64], distance: NDArray[np.floating]) -> Neighbours:
    """Rank candidates (Q, K) by their distances: the nearest one, and the local scale."""
    order = np.argsort(distance, axis=1)
    ranked = np.maximum(0, np.take_along_axis(distance, order, axis=1).astype(np.float64))
    first = np.take_along_axis(index, order[:, :1], axis=1)[:, 0]
    beyond = ranked[:, SCALE_RANKS] if ranked.shape[1] > SCALE_RANKS.start else ranked[:, -1:]
    return Neighbours(first, ranked[:, 0], beyond.mean(axis=1) if ranked.shape[1] > 1 else np.ones(len(ranked)))


def _largest(similarity: Vectors) -> NDArray[np.int64]:
    """The columns of the NEIGHBOURS largest values of each row, in no order: (Q, N) → (Q, ≤ NEIGHBOURS)."""
    count = min(NEIGHBOURS, similarity.shape[1])
    return np.argpartition(similarity, -count, axis=1)[:, -count:]
