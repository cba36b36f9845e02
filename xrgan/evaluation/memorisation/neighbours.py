"""The training images nearest to an image: by its details, wherever they were shifted to, and by its features.

Chests are alike in their coarse shapes, and one radiograph is known by its details. So pixels are compared by the
correlation of band-passed images at 64 × 64, at the best of all small shifts: neither brightness nor contrast matters.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from xrgan import console
from xrgan.evaluation.image_sets import Images

# What these find of real X-rays, tests/benchmarks/planted_copies.py shows.
PIXELS = 64  # height and width at which images are compared
FINEST, COARSEST = 0.8, 2.0  # σ of the two Gaussians, in these pixels: below is noise, above are the common shapes
SHIFT = 4  # pixels, in each direction
MARGIN = 6  # pixels left out at each border: a shifted image has other ones there
LEAST_CONTRAST = 0.5  # gray levels: less is no detail, but round-off
NEIGHBOURS = 16  # nearest ones that are looked at
SCALE_RANKS = slice(8, NEIGHBOURS)  # whose mean distance is the local scale: an image may be there several times
LEAST_LOCAL_SCALE = 0.1  # distance in pixels: where even the 16th is nearer, an image is there more than 16 times
FAR = 1e9  # distance in features of what has none
BATCH_IMAGES = 256
BLOCK_NUMBERS = 2**24  # bounds the memory of a search: 64 MB of float32

Details = NDArray[np.float32]
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
class PixelBank:
    """The details of N training images: unit vectors of the inner pixels, at 64 × 64 and at half of it."""

    fine: NDArray[np.float16]  # (N, 52 · 52)
    coarse: Vectors  # (N, 26 · 26)


@dataclass(frozen=True)
class FeatureBank:
    """The features of N training images, without their mean: distances of large numbers would lose their digits."""

    vectors: Vectors  # (≤ N, D): of those without NaN
    index: NDArray[np.int64]  # (≤ N,): which ones they are
    mean: Vectors  # (D,)


def pixel_bank(training: Images) -> PixelBank:
    """Take the details of training images, uint8 (N, C, H, W), C = 1 or 3; a memory map is read piece by piece."""
    fine, coarse = [], []
    for start in range(0, len(training), BATCH_IMAGES):
        details = _details(training[start : start + BATCH_IMAGES])
        fine.append(_unit(_windows(details, shift=0)).astype(np.float16)[:, 0])
        coarse.append(_unit(_windows(_halved(details), shift=0))[:, 0])
    return PixelBank(np.concatenate(fine), np.concatenate(coarse))


def nearest_in_pixels(images: Images, bank: PixelBank, bar: console.Bar | None = None) -> Neighbours:
    """Find the nearest training images of uint8 (Q, C, H, W), Q ≥ 1, by their pixels.

    The distance is 1 − the highest correlation over all shifts: 0 … 2.

    At half the resolution and every other shift candidates are chosen from all training images; they are compared at
    the full one and every shift.

    Args:
        bar: advances by each image.
    """
    block = max(1, BLOCK_NUMBERS // ((2 * SHIFT + 1) ** 2 // 2 * len(bank.coarse)))
    index, distance = [], []
    for start in range(0, len(images), block):
        details = _details(images[start : start + block])
        wanted = _unit(_halved_windows(details))  # (B, 41, 26²)
        alike = (wanted.reshape(-1, wanted.shape[-1]) @ bank.coarse.T).reshape(*wanted.shape[:2], -1)
        candidates = _largest(alike.max(axis=1))  # (B, K)
        for detail, among in zip(details, candidates, strict=True):
            shifted = _unit(_windows(detail[None], SHIFT))[0]  # (81, 52²)
            distance.append(1 - (shifted @ bank.fine[among].astype(np.float32).T).max(axis=0))
            index.append(among)
            if bar is not None:
                bar.advance()
    found = _neighbours(np.array(index), np.array(distance))
    return Neighbours(found.index, found.distance, np.maximum(found.local_scale, LEAST_LOCAL_SCALE))


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
    return _neighbours(np.concatenate(index), np.concatenate(distance))


def _neighbours(index: NDArray[np.int64], distance: NDArray[np.floating]) -> Neighbours:
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


def _details(images: Images) -> Details:
    """uint8 (B, C, H, W) → float32 (B, 64, 64) in gray levels: what is neither noise nor a shape of all chests."""
    gray = torch.from_numpy(np.array(images, np.float32).mean(axis=1, keepdims=True))
    small = torch.nn.functional.interpolate(gray, (PIXELS, PIXELS), mode="bilinear", antialias=True)[:, 0].numpy()
    fine, coarse = (gaussian_filter(small, (0, sigma, sigma), mode="nearest") for sigma in (FINEST, COARSEST))
    details: Details = fine - coarse
    return details


def _halved(details: Details) -> Details:
    n, height, width = details.shape
    halved: Details = details.reshape(n, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
    return halved


def _windows(details: Details, shift: int) -> Vectors:
    """The inner part of (B, S, S) at every shift of up to so many pixels: (B, shifts, pixels)."""
    size = details.shape[1]
    margin = MARGIN * size // PIXELS
    inner = slice(margin - shift, size - margin + shift)
    return _sliding(details[:, inner, inner], size - 2 * margin)


def _halved_windows(details: Details) -> Vectors:
    """The inner part of (B, 64, 64) at half the resolution, (B, 41, 26²): at shifts of which both are even, or odd.

    With the even ones alone, those between would lie half a pixel off in both directions: too much for fine details.
    """
    side = (PIXELS - 2 * MARGIN) // 2
    odd = _halved(details[:, 1:-1, 1:-1])
    edge = (odd.shape[1] - side - SHIFT + 1) // 2
    return np.concatenate([_windows(_halved(details), SHIFT // 2), _sliding(odd[:, edge:-edge, edge:-edge], side)], 1)


def _sliding(details: Details, side: int) -> Vectors:
    """Every part of so many pixels a side: (B, S, S) → (B, parts, side²)."""
    parts = sliding_window_view(details, (side, side), axis=(1, 2))
    return parts.reshape(len(details), -1, side * side)


def _unit(vectors: Vectors) -> Vectors:
    """Vectors (…, F) without their mean, of length 1; shorter where there is next to no detail."""
    centred = vectors - vectors.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    unit: Vectors = centred / np.maximum(length, LEAST_CONTRAST * np.sqrt(vectors.shape[-1]))
    return unit
