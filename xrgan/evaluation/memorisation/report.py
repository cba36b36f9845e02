"""Report memorisation: how many synthetic images are suspected copies of training images, and which."""

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.features import extract
from xrgan.evaluation.memorisation.copies import FALSE_ALARMS, FEATURES, CopyDetector, Judged, fit, judge
from xrgan.evaluation.memorisation.neighbours import FeatureBank, Neighbours, nearest_in_features
from xrgan.evaluation.memorisation.picture import draw_pairs
from xrgan.evaluation.metric_table import MetricInputs
from xrgan.evaluation.scores_file import ClosestPair, Score

CLOSEST = 10  # pairs that are shown


def memorisation(detector: CopyDetector, judged: Judged) -> Score:
    """Score judged synthetic images by the share of suspected copies, beside that of held-out real ones.

    `value` is the share of suspects, `floor` that of held-out images by thresholds from others, `closest` the pairs to
    look at. `distance_ratio`: the median distance to the nearest training image ÷ that of held-out images; much below
    1 = copies. `authenticity` (Alaa et al. 2022, arXiv:2102.08921): the share of images farther from their nearest
    training image than the next training image is from that; much below the floor = copies.
    """
    n, genuine = len(judged.suspects), ~detector.leaked
    found = int(judged.suspects.sum())
    floor = detector.false_alarms
    score: Score = {
        "value": found / n,
        "interval": _interval(found, n),
        "floor": floor,
        "ratio": found / n / floor if floor else None,
        "n": n,
        "floor_n": int(genuine.sum()),
        "among": len(detector.pixels),
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
        score["authenticity"] = {
            "value": _authenticity(detector.features, judged.neighbours[FEATURES]).mean().item(),
            "floor": _authenticity(detector.features, detector.held_out.neighbours[FEATURES])[genuine].mean().item()
            if genuine.any()
            else None,
        }
    if detector.leaked.any():
        score["warning"] = (
            f"{int(detector.leaked.sum())} of {len(detector.leaked)} held-out images are copies of training images "
            "themselves: they were left out of the search for copies, and flatter every other score."
        )
    return score


def memorisation_scores(inputs: MetricInputs) -> dict[str, Score]:
    """Score the compared images by `memorisation`; write the closest pairs as memorisation.png.

    The inputs need an extractor, and a comparison whose training images are known.
    """
    comparison, extractor = inputs.comparison, inputs.extractor
    assert comparison.training is not None and extractor is not None
    sets = {"training": comparison.training, "held-out": comparison.held_out, "synthetic": comparison.synthetic}
    training, held_out, synthetic = (
        extract(of.images, extractor, f"Features of {name} images")[extractor.last] for name, of in sets.items()
    )
    detector = fit(comparison.training.images, comparison.held_out.images, training, held_out)
    with console.progress("Nearest to synthetic images", comparison.n) as bar:
        judged = judge(detector, comparison.synthetic.images, synthetic, bar)
    score: Score = {**memorisation(detector, judged), "extractor": extractor.name, "layer": extractor.last}
    draw_pairs(inputs.folder / "memorisation.png", comparison.synthetic.images, comparison.training.images, score)
    return {"memorisation": score}


def closest(judged: Judged, count: int = CLOSEST) -> list[ClosestPair]:
    """Find the pairs that are nearest for what their space's threshold is, the nearest first."""
    spaces = list(judged.nearness)
    nearness = np.stack([judged.nearness[name] for name in spaces])  # (spaces, Q)
    pairs = []
    for k in np.argsort(nearness.min(axis=0), kind="stable")[:count]:
        space = spaces[int(nearness[:, k].argmin())]
        pair: ClosestPair = {
            "synthetic": int(k),
            "training": int(judged.neighbours[space].index[k]),
            "space": space,
            "relative": float(judged.neighbours[space].relative_distance[k]),
            "nearness": float(nearness[:, k].min()),
        }
        pairs.append(pair)
    return pairs


def _ratio_of_medians(judged: Judged, held_out: Judged, name: str, genuine: NDArray[np.bool_]) -> float | None:
    if not genuine.any():
        return None
    floor = float(np.median(held_out.neighbours[name].distance[genuine]))
    return float(np.median(judged.neighbours[name].distance)) / floor if floor > 0 else None


def _authenticity(bank: FeatureBank, neighbours: Neighbours) -> NDArray[np.bool_]:
    """(Q,): farther from the nearest training image than the next training image is from that."""
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
    note = f"among {len(detector.pixels):,} training images; thresholds from {n:,} held-out ones"
    if not n:
        return f"among {len(detector.pixels):,} training images; no held-out one tells what is too near"
    enough = round(len(detector.thresholds) / FALSE_ALARMS)
    return note if n >= enough - 1 else f"{note}: coarse, {enough:,} would do"
