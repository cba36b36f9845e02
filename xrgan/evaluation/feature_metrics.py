"""Metrics of features: each with its N, its floor and whatever it can't be read without; for each class, too.

The floor is the same score of real images against other real ones, as many where there are enough. The ratio is
value / floor: 1 = as far from the real images as other real ones are. It is None where the floor is no more than noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.clipped import clipped_coverage, clipped_density
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import Features, extract
from xrgan.evaluation.image_sets import Comparison, ImageSet
from xrgan.evaluation.inception import LOGITS
from xrgan.evaluation.intervals import Interval, Units
from xrgan.evaluation.metric_table import Metric
from xrgan.evaluation.metrics import diversity, fid, inception_score, kid
from xrgan.evaluation.prdc import interval_of_mean, prdc
from xrgan.evaluation.scores_file import Score, ScoreDetails

Layer = NDArray[np.float32]  # (N, D)
LEAST_FOR_INTERVAL = 20  # images


@dataclass(frozen=True)
class FeatureSets:
    """Features of one layer, (N, D) each: what a score is computed from."""

    real: Layer
    synthetic: Layer
    floor: tuple[Layer, Layer]
    """two sets of real images"""
    patients: Units | None = None
    """(N,): of the real images; None = each is of its own"""
    floor_patients: tuple[Units | None, Units | None] = (None, None)

    @property
    def has_floor(self) -> bool:
        return min(map(len, self.floor)) >= 2


def layer_of(metric: Metric, extractor: Extractor, fid_layer: int) -> int | None:
    """Find the layer that a metric is computed from, as its number of features; None for a metric of images."""
    if metric.layer is None:
        return None
    if metric.layer == "fid" and extractor.is_inception:
        return fid_layer
    return LOGITS if metric.layer == "logits" else extractor.last


def feature_scores(
    metrics: Sequence[Metric], comparison: Comparison, extractor: Extractor, fid_layer: int, seed: int
) -> dict[str, Score]:
    """Compute those of the metrics that have a `layer`: for all images, and per class where all sets have labels.

    Returns:
        Name of a score → the score.
    """
    scores: dict[str, Score] = {}
    layers = [(metric, layer) for metric in metrics if (layer := layer_of(metric, extractor, fid_layer)) is not None]
    if not layers:
        return scores
    features = _extract_all(comparison, extractor)
    about: ScoreDetails = {
        "n": comparison.n,
        "floor_n": comparison.floor_n,
        "resize": f"{comparison.size} → {extractor.resize}",
        "extractor": extractor.name,
        "weights": extractor.weights,
    }
    if extractor.trained_against:
        about["trained_against"] = True
    for metric, layer in console.track(layers, "Figures", unit="metrics"):
        real, synthetic, *floor = (of_set[layer] for of_set in features)
        patients = comparison.floor[0].patients, comparison.floor[1].patients
        sets = FeatureSets(real, synthetic, (floor[0], floor[1]), comparison.real.patients, patients)
        for name, score in metric.function()(sets, seed).items():
            scores[name] = {**score, **about, "layer": layer}
            if metric.few_images and comparison.n < layer:
                scores[name]["warning"] = metric.few_images.format(n=comparison.n, layer=layer)
        for class_name, part in per_class(comparison, sets):
            for name, score in metric.function()(part, seed).items():
                sizes: ScoreDetails = {"n": len(part.synthetic), "floor_n": min(map(len, part.floor))}
                scores[name].setdefault("per_class", {})[class_name] = {**score, **sizes}
    return scores


def per_class(comparison: Comparison, sets: FeatureSets) -> Iterator[tuple[str, FeatureSets]]:
    """Give each class with its part of the features, where both sets have two images of it or more."""
    for index, name in enumerate(comparison.classes):

        def part(features: Layer, of_set: ImageSet, index: int = index) -> Layer:
            return features[of_set.places_of_class(index)]

        first, second = comparison.floor
        ours = FeatureSets(
            part(sets.real, comparison.real),
            part(sets.synthetic, comparison.synthetic),
            (part(sets.floor[0], first), part(sets.floor[1], second)),
            comparison.real.of_class(index).patients,
            (first.of_class(index).patients, second.of_class(index).patients),
        )
        if min(len(ours.real), len(ours.synthetic)) >= 2:
            yield name, ours


def fid_scores(sets: FeatureSets, _seed: int) -> dict[str, Score]:
    """Score by FID, without an interval: a bootstrapped set holds images twice, which by itself raises FID."""
    value = fid(sets.real, sets.synthetic)
    floor = fid(*sets.floor) if sets.has_floor else None
    # A floor of other N can't be divided by: FID's bias depends on it.
    same_n = floor is not None and len(sets.floor[1]) >= min(len(sets.real), len(sets.synthetic))
    return {"fid": {"value": value, "floor": floor, "ratio": value / floor if floor and same_n else None}}


def kid_scores(sets: FeatureSets, seed: int) -> dict[str, Score]:
    """Score by KID, with an interval that minds the patients of the real images."""
    ours = kid(sets.real, sets.synthetic, seed, sets.patients)
    spread = _spread(ours.interval, len(sets.synthetic))
    score: Score = {"value": ours.value, "std": ours.std, **spread, "subset_images": ours.subset_images}
    if not sets.has_floor:
        return {"kid": {**score, "floor": None, "ratio": None}}
    floor = kid(*sets.floor, seed, *sets.floor_patients)
    error = floor.interval.standard_error
    # It is unbiased: a floor ≤ 0 is possible, and one within two errors of 0 is noise.
    ratio = ours.value / floor.value if floor.value > 2 * error else None
    return {"kid": {**score, "floor": floor.value, "floor_std": floor.std, "floor_error": error, "ratio": ratio}}


def clipped_scores(sets: FeatureSets, seed: int) -> dict[str, Score]:
    """Score by clipped coverage and clipped density, with intervals by bootstrap."""
    scores: dict[str, Score] = {}
    for name, measure in {"clipped_coverage": clipped_coverage, "clipped_density": clipped_density}.items():
        ours = measure(sets.real, sets.synthetic, seed)
        floor = measure(*sets.floor, seed).value if sets.has_floor else None
        spread, ratio = _spread(ours.interval, len(sets.synthetic)), ours.value / floor if floor else None
        scores[name] = {"value": ours.value, **spread, "floor": floor, "ratio": ratio}
    return scores


def diversity_scores(sets: FeatureSets, seed: int) -> dict[str, Score]:
    """Score by the mean distance of two images beside that of two real ones, with an interval by bootstrap."""
    ours = diversity(sets.synthetic, sets.real, seed)
    floor = diversity(sets.floor[1], sets.floor[0], seed).value if sets.has_floor else None
    spread, ratio = _spread(ours.interval, len(sets.synthetic)), ours.value / floor if floor else None
    return {"diversity": {"value": ours.value, **spread, "floor": floor, "ratio": ratio}}


def prdc_scores(sets: FeatureSets, seed: int) -> dict[str, Score]:
    """Score by precision, recall, density and coverage, with intervals by bootstrap."""
    ours = prdc(sets.real, sets.synthetic)
    theirs = prdc(*sets.floor) if sets.has_floor else None
    scores: dict[str, Score] = {}
    for name, values in vars(ours).items():
        value, floor = float(values.mean()), None if theirs is None else float(getattr(theirs, name).mean())
        spread, ratio = _spread(interval_of_mean(values, seed), len(values)), value / floor if floor else None
        scores[name] = {"value": value, **spread, "floor": floor, "ratio": ratio}
    return scores


def inception_scores(sets: FeatureSets, seed: int) -> dict[str, Score]:
    """Score by the Inception Score of logits, beside that of the real images."""
    value, floor = inception_score(sets.synthetic, seed), inception_score(sets.real, seed)
    score: Score = {"value": value.mean, "floor": floor.mean, "ratio": value.mean / floor.mean}
    return {"is": {**score, "std": value.std, "floor_std": floor.std, "splits": value.splits}}


def _extract_all(comparison: Comparison, extractor: Extractor) -> tuple[Features, Features, Features, Features]:
    real = extract(comparison.real.images, extractor, "Features of real images")
    synthetic = extract(comparison.synthetic.images, extractor, "Features of synthetic images")
    floor = [
        real if one is comparison.real else extract(one.images, extractor, "Features of other real images")
        for one in comparison.floor
    ]
    return real, synthetic, floor[0], floor[1]


def _spread(interval: Interval, n: int) -> ScoreDetails:
    """The interval as a score holds it; empty for few images: a bootstrap of a handful knows nothing of the others."""
    if n < LEAST_FOR_INTERVAL:
        return {}
    return {"interval": [interval.low, interval.high], "standard_error": interval.standard_error}
