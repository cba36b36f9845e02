"""Has the generator memorised? Synthetic images that are nearer to a training image than held-out real ones ever are.

Each image is compared with all training images by its pixels and by its features. How near is too near, held-out real
images tell: they are no copies, and so the tests are set to take about one in a hundred of them for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from xrgan.evaluation import nearest
from xrgan.evaluation.compared import Compared, Images
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import extract
from xrgan.evaluation.memorisation_picture import draw_pairs
from xrgan.evaluation.nearest import FeatureBank, Neighbours, PixelBank

FALSE_ALARMS = 0.01  # of honest images, in all spaces together
LEAKED = 0.25  # relative distance in pixels: so near to a training image, a held-out one is a copy itself
CLOSEST = 10  # pairs that are shown
PIXELS, FEATURES = "pixels", "features"  # the spaces

Features = NDArray[np.floating]
Figure = dict[str, Any]


@dataclass(frozen=True)
class Judged:
    """Q images: in each space their neighbours among the training images, and how near is suspicious."""

    neighbours: Mapping[str, Neighbours]
    thresholds: Mapping[str, float]

    @property
    def nearness(self) -> dict[str, NDArray[np.float64]]:
        """Relative distance ÷ threshold in each space, (Q,): 1 or less is suspicious."""
        return {name: of.relative / self.thresholds[name] for name, of in self.neighbours.items()}

    @property
    def suspects(self) -> NDArray[np.bool_]:
        """(Q,): suspicious in one space or more."""
        return np.stack(list(self.nearness.values())).min(axis=0) <= 1


@dataclass(frozen=True)
class CopyDetector:
    """What is known of the training images, and from held-out ones: how near honest images come to them."""

    pixels: PixelBank
    features: FeatureBank | None
    thresholds: Mapping[str, float]
    """space → relative distance"""
    held_out: Judged
    leaked: NDArray[np.bool_]
    """(held-out images,): they are copies of training images, and say nothing about honest ones"""
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
    pixels = nearest.pixel_bank(training)
    neighbours = {PIXELS: nearest.nearest_in_pixels(held_out, pixels, "Nearest to held-out images")}
    features = None
    if training_features is not None and held_out_features is not None:
        features = nearest.feature_bank(training_features)
        neighbours[FEATURES] = nearest.nearest_in_features(nearest.whiten(held_out_features, features), features)
    leaked = neighbours[PIXELS].relative < LEAKED
    relative = {name: of.relative[~leaked] for name, of in neighbours.items()}
    limits = thresholds(relative)
    return CopyDetector(pixels, features, limits, Judged(neighbours, limits), leaked, _false_alarms(relative))


def judge(detector: CopyDetector, images: Images, features: Features | None = None) -> Judged:
    """Compare uint8 (Q, C, H, W) with the training images.

    Args:
        features: (Q, D), where the detector was fitted with features.
    """
    neighbours = {PIXELS: nearest.nearest_in_pixels(images, detector.pixels, "Nearest to synthetic images")}
    if detector.features is not None:
        if features is None:
            raise ValueError("the detector compares features, too")
        vectors = nearest.whiten(features, detector.features)
        neighbours[FEATURES] = nearest.nearest_in_features(vectors, detector.features)
    return Judged(neighbours, detector.thresholds)


def memorisation(detector: CopyDetector, judged: Judged) -> Figure:
    """Figures of judged synthetic images, each beside that of held-out real ones.

    `value` is the share of suspects, `floor` that of held-out images by thresholds from others, `closest` the pairs to
    look at. `distance_ratio`: the median distance to the nearest training image ÷ that of held-out images; much below
    1 = copies. `authenticity` (Alaa et al. 2022, arXiv:2102.08921): the share of images farther from their nearest
    training image than the next training image is from that; much below the floor = copies.
    """
    n, honest = len(judged.suspects), ~detector.leaked
    found = int(judged.suspects.sum())
    floor = detector.false_alarms
    figure: Figure = {
        "value": found / n,
        "interval": _interval(found, n),
        "floor": floor,
        "ratio": found / n / floor if floor else None,
        "n": n,
        "floor_n": int(honest.sum()),
        "among": len(detector.pixels.coarse),
        "suspects": found,
        "spaces": {
            name: {
                "suspects": int((nearness <= 1).sum()),
                "threshold": detector.thresholds[name],
                "distance_ratio": _ratio_of_medians(judged, detector.held_out, name, honest),
            }
            for name, nearness in judged.nearness.items()
        },
        "closest": closest(judged),
        "note": _note(detector),
    }
    if detector.features is not None:
        figure["authenticity"] = {
            "value": _authenticity(detector.features, judged.neighbours[FEATURES]).mean().item(),
            "floor": _authenticity(detector.features, detector.held_out.neighbours[FEATURES])[honest].mean().item()
            if honest.any()
            else None,
        }
    if detector.leaked.any():
        figure["warning"] = (
            f"{int(detector.leaked.sum())} of {len(detector.leaked)} held-out images are copies of training images "
            "themselves: they were left out of the search for copies, and flatter every other score."
        )
    return figure


def memorisation_figures(compared: Compared, extractor: Extractor, folder: Path) -> dict[str, Figure]:
    """`memorisation` of the compared images; writes `folder/memorisation.png`."""
    assert compared.training is not None
    sets = {"training": compared.training, "held-out": compared.held_out, "synthetic": compared.synthetic}
    training, held_out, synthetic = (
        extract(of.images, extractor, f"Features of {name} images")[extractor.last] for name, of in sets.items()
    )
    detector = fit(compared.training.images, compared.held_out.images, training, held_out)
    judged = judge(detector, compared.synthetic.images, synthetic)
    figure = memorisation(detector, judged) | {"extractor": extractor.name, "layer": extractor.last}
    draw_pairs(folder / "memorisation.png", compared.synthetic.images, compared.training.images, figure)
    return {"memorisation": figure}


def closest(judged: Judged, count: int = CLOSEST) -> list[Figure]:
    """The pairs that are nearest for what their space's threshold is, the nearest first.

    `relative` is the relative distance, `nearness` that ÷ threshold: 1 or less = a suspect.
    """
    spaces = list(judged.nearness)
    nearness = np.stack([judged.nearness[name] for name in spaces])  # (spaces, Q)
    pairs = []
    for k in np.argsort(nearness.min(axis=0), kind="stable")[:count]:
        space = spaces[int(nearness[:, k].argmin())]
        pair = {"synthetic": int(k), "training": int(judged.neighbours[space].index[k]), "space": space}
        relative = judged.neighbours[space].relative[k]
        pairs.append(pair | {"relative": float(relative), "nearness": float(nearness[:, k].min())})
    return pairs


def thresholds(relative: Mapping[str, NDArray[np.float64]]) -> dict[str, float]:
    """Space → relative distances of N honest images (N,), to the one at or below which an image is a suspect.

    Where k of N honest images are, a further one is with a probability of k / (N + 1): FALSE_ALARMS at most, which the
    spaces share. With too few images k is 1, and the probability higher.
    """
    limits = {}
    for name, values in relative.items():
        rank = max(1, int(FALSE_ALARMS / len(relative) * (len(values) + 1)))
        # Above 0, so that a nearness can be given even where honest images are exact copies of training images.
        limits[name] = max(1e-6, float(np.sort(values)[rank - 1])) if len(values) else LEAKED
    return limits


def _false_alarms(relative: Mapping[str, NDArray[np.float64]]) -> float | None:
    """Each half of the held-out images is judged by the thresholds of the other."""
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


def _ratio_of_medians(judged: Judged, held_out: Judged, name: str, honest: NDArray[np.bool_]) -> float | None:
    if not honest.any():
        return None
    floor = float(np.median(held_out.neighbours[name].distance[honest]))
    return float(np.median(judged.neighbours[name].distance)) / floor if floor > 0 else None


def _authenticity(bank: FeatureBank, neighbours: Neighbours) -> NDArray[np.bool_]:
    known, where = np.unique(neighbours.index, return_inverse=True)
    of_training = nearest.nearest_in_features(bank.vectors[known], bank, leave_out=known)
    return neighbours.distance > of_training.distance[where]


def _interval(found: int, n: int) -> list[float]:
    """95 % of a share (Wilson 1927)."""
    ends = scipy.stats.binomtest(found, n).proportion_ci(method="wilson")
    return [float(ends.low), float(ends.high)]


def _note(detector: CopyDetector) -> str:
    n = int((~detector.leaked).sum())
    note = f"among {len(detector.pixels.coarse):,} training images; thresholds from {n:,} held-out ones"
    if not n:
        return f"among {len(detector.pixels.coarse):,} training images; no held-out one tells what is too near"
    enough = round(len(detector.thresholds) / FALSE_ALARMS)
    return note if n >= enough - 1 else f"{note}: coarse, {enough:,} would do"
