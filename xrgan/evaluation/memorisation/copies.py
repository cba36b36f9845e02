"""Find copies of training images: images that are nearer to one than held-out real ones ever are.

Each image is compared with all training images by its pixels, as a whole and in halves, and by its features. How near
is too near, held-out real images tell: they are no copies, and so the tests are set to take about one in two hundred of
them for one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import extract
from xrgan.evaluation.image_sets import Images
from xrgan.evaluation.memorisation.neighbours import (
    FeatureBank,
    Neighbours,
    feature_bank,
    nearest_in_features,
)
from xrgan.evaluation.memorisation.pixels import PixelBank, nearest_in_halves, nearest_in_pixels, pixel_bank

FALSE_ALARMS = 0.005  # of genuine images, in all spaces together
LEAKED = 0.25  # relative distance in pixels: so near to a training image, a held-out one is a copy itself
PIXELS, HALVES, FEATURES = "pixels", "halves", "features"  # the spaces

Features = NDArray[np.floating]


@dataclass(frozen=True)
class Judged:
    """Q images: in each space their neighbours among the training images, and how near is suspicious."""

    neighbours: Mapping[str, Neighbours]
    thresholds: Mapping[str, float]

    @property
    def nearness(self) -> dict[str, NDArray[np.float64]]:
        """Relative distance ÷ threshold in each space, (Q,): 1 or less is suspicious."""
        return {name: of.relative_distance / self.thresholds[name] for name, of in self.neighbours.items()}

    @property
    def suspects(self) -> NDArray[np.bool_]:
        """(Q,): suspicious in one space or more."""
        return np.asarray(np.stack(list(self.nearness.values())).min(axis=0) <= 1)


@dataclass(frozen=True)
class CopyDetector:
    """What is known of the training images, and from held-out ones: how near genuine images come to them."""

    pixels: PixelBank
    features: FeatureBank | None
    thresholds: Mapping[str, float]
    """space → relative distance"""
    held_out: Judged
    leaked: NDArray[np.bool_]
    """(held-out images,): they are copies of training images, and say nothing about genuine ones"""
    false_alarms: float | None
    """share of the held-out images that are suspects by the thresholds of their other half; None: there are too few"""


def fit(
    training: Images,
    held_out: Images,
    training_features: Features | None = None,
    held_out_features: Features | None = None,
) -> CopyDetector:
    """Learn how near held-out real images come to training images.

    Args:
        training, held_out: uint8 (N, C, H, W), C = 1 or 3; each one or more.
        training_features, held_out_features: (N, D) of the same images; without them, only pixels are compared.
    """
    pixels = pixel_bank(training)
    with console.progress("Nearest to held-out images", len(held_out)) as bar:
        neighbours = {PIXELS: nearest_in_pixels(held_out, pixels, bar), HALVES: nearest_in_halves(held_out, pixels)}
    features = None
    if training_features is not None and held_out_features is not None:
        features = feature_bank(training_features)
        neighbours[FEATURES] = nearest_in_features(held_out_features, features)
    leaked = neighbours[PIXELS].relative_distance < LEAKED
    relative = {name: of.relative_distance[~leaked] for name, of in neighbours.items()}
    limits = thresholds(relative)
    return CopyDetector(pixels, features, limits, Judged(neighbours, limits), leaked, _false_alarms(relative))


def judge(
    detector: CopyDetector, images: Images, features: Features | None = None, bar: console.Bar | None = None
) -> Judged:
    """Compare uint8 (Q, C, H, W), Q ≥ 1, with the training images.

    Args:
        features: (Q, D), where the detector was fitted with features.
        bar: advances by each image.
    """
    neighbours = {
        PIXELS: nearest_in_pixels(images, detector.pixels, bar),
        HALVES: nearest_in_halves(images, detector.pixels),
    }
    if detector.features is not None:
        if features is None:
            raise ValueError("the detector compares features, too")
        neighbours[FEATURES] = nearest_in_features(features, detector.features)
    return Judged(neighbours, detector.thresholds)


def copy_filter(
    training: Images, held_out: Images, extractor: Extractor | None
) -> Callable[[Images], NDArray[np.bool_]]:
    """Make a function that says of uint8 (B, C, H, W) whether each is no suspect, (B,); it is silent.

    Args:
        extractor: None = only pixels are compared.
    """
    if extractor is None:
        alone = fit(training, held_out)
        return lambda images: ~judge(alone, images).suspects
    detector = fit(
        training,
        held_out,
        extract(training, extractor, "Features of training images")[extractor.last],
        extract(held_out, extractor, "Features of held-out images")[extractor.last],
    )
    network, layer = extractor.load(), extractor.layers.index(extractor.last)

    def is_genuine(images: Images) -> NDArray[np.bool_]:
        with torch.inference_mode():
            features = network(torch.from_numpy(images).to(extractor.device))[layer].float().cpu().numpy()
        return ~judge(detector, images, features).suspects

    return is_genuine


def thresholds(relative: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Set the relative distance at or below which an image is a suspect, in each space, by N genuine images (N,).

    Where k of N genuine images are, a further one is with a probability of k / (N + 1): FALSE_ALARMS at most, which the
    spaces share. Of too few images even the nearest one would let more through: there, the threshold is the end
    of a normal distribution's prediction interval, mean − t s √(1 + 1/N), where that is lower; but not below LEAKED.
    """
    limits = {}
    for name, values in relative.items():
        n, share = len(values), FALSE_ALARMS / len(relative)
        rank = int(share * (n + 1))
        limit = float(np.sort(values)[max(rank, 1) - 1]) if n else LEAKED
        if rank < 1 and n > 2:
            beyond = scipy.stats.t.ppf(share, n - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / n)
            limit = min(limit, max(LEAKED, float(values.mean() + beyond)))
        # Above 0, so that a nearness can be given even where genuine images are exact copies of training images.
        limits[name] = max(1e-6, limit)
    return limits


def _false_alarms(relative: Mapping[str, NDArray[np.float64]]) -> float | None:
    """Judge each half of the held-out images by the thresholds of the other: the share of suspects, None of too few."""
    n = len(next(iter(relative.values())))
    if n < 2:
        return None
    halves = np.random.default_rng(0).permutation(n) % 2
    alarms = 0
    for half in (0, 1):
        limits = thresholds({name: values[halves != half] for name, values in relative.items()})
        suspects = [values[halves == half] <= limits[name] for name, values in relative.items()]
        alarms += int(np.any(suspects, axis=0).sum())
    return alarms / n
