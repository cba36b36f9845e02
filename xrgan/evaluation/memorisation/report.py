"""Has the generator memorised? How many synthetic images are suspected copies of training images, and which."""

from pathlib import Path

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import extract
from xrgan.evaluation.image_sets import Comparison
from xrgan.evaluation.memorisation.copies import FALSE_ALARMS, FEATURES, CopyDetector, Judged, fit, judge
from xrgan.evaluation.memorisation.neighbours import FeatureBank, Neighbours, nearest_in_features
from xrgan.evaluation.memorisation.picture import draw_pairs
from xrgan.evaluation.scores_file import Figure

CLOSEST = 10  # pairs that are shown


def memorisation(detector: CopyDetector, judged: Judged) -> Figure:
    """Figures of judged synthetic images, each beside that of held-out real ones.

    `value` is the share of suspects, `floor` that of held-out images by thresholds from others, `closest` the pairs to
    look at. `distance_ratio`: the median distance to the nearest training image ÷ that of held-out images; much below
    1 = copies. `authenticity` (Alaa et al. 2022, arXiv:2102.08921): the share of images farther from their nearest
    training image than the next training image is from that; much below the floor = copies.
    """
    n, genuine = len(judged.suspects), ~detector.leaked
    found = int(judged.suspects.sum())
    floor = detector.false_alarms
    figure: Figure = {
        "value": found / n,
        "interval": _interval(found, n),
        "floor": floor,
        "ratio": found / n / floor if floor else None,
        "n": n,
        "floor_n": int(genuine.sum()),
        "among": len(detector.pixels.coarse),
        "suspects": found,
        "spaces": {
            name: {
                "suspects": int((nearness <= 1).sum()),
                "threshold": detector.thresholds[name],
                "distance_ratio": _ratio_of_medians(judged, detector.held_out, name, genuine),
            }
            for name, nearness in judged.nearness.items()
        },
        "closest": closest(judged),
        "note": _note(detector),
    }
    if detector.features is not None:
        figure["authenticity"] = {
            "value": _authenticity(detector.features, judged.neighbours[FEATURES]).mean().item(),
            "floor": _authenticity(detector.features, detector.held_out.neighbours[FEATURES])[genuine].mean().item()
            if genuine.any()
            else None,
        }
    if detector.leaked.any():
        figure["warning"] = (
            f"{int(detector.leaked.sum())} of {len(detector.leaked)} held-out images are copies of training images "
            "themselves: they were left out of the search for copies, and flatter every other score."
        )
    return figure


def memorisation_figures(comparison: Comparison, extractor: Extractor, folder: Path) -> dict[str, Figure]:
    """`memorisation` of the compared images; writes `folder/memorisation.png`."""
    assert comparison.training is not None
    sets = {"training": comparison.training, "held-out": comparison.held_out, "synthetic": comparison.synthetic}
    training, held_out, synthetic = (
        extract(of.images, extractor, f"Features of {name} images")[extractor.last] for name, of in sets.items()
    )
    detector = fit(comparison.training.images, comparison.held_out.images, training, held_out)
    with console.progress("Nearest to synthetic images", comparison.n) as bar:
        judged = judge(detector, comparison.synthetic.images, synthetic, bar)
    figure = memorisation(detector, judged) | {"extractor": extractor.name, "layer": extractor.last}
    draw_pairs(folder / "memorisation.png", comparison.synthetic.images, comparison.training.images, figure)
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
        relative = judged.neighbours[space].relative_distance[k]
        pairs.append(pair | {"relative": float(relative), "nearness": float(nearness[:, k].min())})
    return pairs


def _ratio_of_medians(judged: Judged, held_out: Judged, name: str, genuine: NDArray[np.bool_]) -> float | None:
    if not genuine.any():
        return None
    floor = float(np.median(held_out.neighbours[name].distance[genuine]))
    return float(np.median(judged.neighbours[name].distance)) / floor if floor > 0 else None


def _authenticity(bank: FeatureBank, neighbours: Neighbours) -> NDArray[np.bool_]:
    if not len(bank.index):
        return np.zeros(len(neighbours.index), np.bool_)
    known, where = np.unique(neighbours.index, return_inverse=True)
    features = bank.vectors[np.isin(bank.index, known)] + bank.mean
    of_training = nearest_in_features(features, bank, leave_out=known)
    return np.asarray(neighbours.distance > of_training.distance[where])


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
