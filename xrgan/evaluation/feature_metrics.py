"""Features of the compared images → figures, each with its N, its floor and whatever it can't be read without.

The floor is the same figure of real images against other real ones, as many where there are enough. The ratio is
value / floor: 1 = as far from the real images as other real ones are. It is None where the floor is no more than noise.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import Features, extract
from xrgan.evaluation.image_sets import Comparison, ImageSet
from xrgan.evaluation.inception import LOGITS
from xrgan.evaluation.metrics import Interval, fid, inception_score, kid
from xrgan.evaluation.prdc import interval_of_mean, prdc
from xrgan.evaluation.scores_file import FIGURES, Figure

Layer = NDArray[np.float32]  # (N, D)
LEAST_FOR_INTERVAL = 20  # images


@dataclass(frozen=True)
class Sets:
    """Features of one layer, (N, D) each: what a figure is computed from."""

    real: Layer
    synthetic: Layer
    floor: tuple[Layer, Layer]

    @property
    def has_floor(self) -> bool:
        return min(map(len, self.floor)) >= 2


def feature_figures(
    comparison: Comparison, metrics: Sequence[str], extractor: Extractor, fid_layer: int, seed: int
) -> dict[str, Figure]:
    """`fid`, `kid`, `precision`, `recall`, `density`, `coverage` and `is`, as far as `metrics` asks for them.

    Per class, too, where all sets have labels.
    """
    about = {
        "n": comparison.n,
        "floor_n": comparison.floor_n,
        "resize": f"{comparison.size} → {extractor.resize}",
        "extractor": extractor.name,
        "weights": extractor.weights,
    }
    of_fid = fid_layer if extractor.is_inception else extractor.last
    ways: dict[str, tuple[int, Callable[[Sets], dict[str, Figure]]]] = {
        "fid": (of_fid, lambda sets: {"fid": _fid(sets)}),
        "kid": (extractor.last, lambda sets: {"kid": _kid(sets, seed)}),
        "prdc": (extractor.last, lambda sets: _manifold(sets, seed)),
        "is": (LOGITS, lambda sets: {"is": _inception_score(sets, seed)}),
    }
    wanted = [name for name in ways if name in metrics]
    figures: dict[str, Figure] = {}
    if not wanted:
        return figures
    features = _extract_all(comparison, extractor)
    for name in console.track(wanted, "Figures", unit="metrics"):
        layer, compute = ways[name]
        real, synthetic, *floor = (of_set[layer] for of_set in features)
        sets = Sets(real, synthetic, (floor[0], floor[1]))
        for key, figure in compute(sets).items():
            figures[key] = figure | about | {"layer": layer}
        for class_name, part in _of_classes(comparison, sets):
            for key, figure in compute(part).items():
                figure |= {"n": len(part.synthetic), "floor_n": min(map(len, part.floor))}
                figures[key].setdefault("per_class", {})[class_name] = figure
    if "fid" in figures and comparison.n < figures["fid"]["layer"]:
        figures["fid"]["warning"] = (
            f"FID is biased upwards at N = {comparison.n}, less than the layer's {figures['fid']['layer']} features: "
            "compare it with its floor, and read KID first."
        )
    return figures


def _extract_all(comparison: Comparison, extractor: Extractor) -> tuple[Features, Features, Features, Features]:
    real = extract(comparison.real.images, extractor, "Features of real images")
    synthetic = extract(comparison.synthetic.images, extractor, "Features of synthetic images")
    floor = [
        real if one is comparison.real else extract(one.images, extractor, "Features of other real images")
        for one in comparison.floor
    ]
    return real, synthetic, floor[0], floor[1]


def _of_classes(comparison: Comparison, sets: Sets) -> Iterator[tuple[str, Sets]]:
    """Each class with its part of the features, where every set has two images of it or more."""
    for index, name in enumerate(comparison.classes):

        def part(features: Layer, of_set: ImageSet, index: int = index) -> Layer:
            return features[of_set.places_of_class(index)]

        floor = part(sets.floor[0], comparison.floor[0]), part(sets.floor[1], comparison.floor[1])
        ours = Sets(part(sets.real, comparison.real), part(sets.synthetic, comparison.synthetic), floor)
        if min(len(ours.real), len(ours.synthetic)) >= 2:
            yield name, ours


def _fid(sets: Sets) -> Figure:
    """Without an interval: a bootstrapped set holds images twice, which by itself raises FID above any honest value."""
    value = fid(sets.real, sets.synthetic)
    floor = fid(*sets.floor) if sets.has_floor else None
    # A floor of other N can't be divided by: FID's bias depends on it.
    same_n = floor is not None and len(sets.floor[1]) >= min(len(sets.real), len(sets.synthetic))
    return {"value": value, "floor": floor, "ratio": value / floor if floor and same_n else None}


def _kid(sets: Sets, seed: int) -> Figure:
    ours = kid(sets.real, sets.synthetic, seed)
    figure = {
        "value": ours.value,
        "std": ours.std,
        **_spread(ours.interval, len(sets.synthetic)),
        "subset_images": ours.subset_images,
    }
    if not sets.has_floor:
        return figure | {"floor": None, "ratio": None}
    floor = kid(*sets.floor, seed)
    error = floor.interval.standard_error
    # It is unbiased: a floor ≤ 0 is possible, and one within two errors of 0 is noise.
    ratio = ours.value / floor.value if floor.value > 2 * error else None
    return figure | {"floor": floor.value, "floor_std": floor.std, "floor_error": error, "ratio": ratio}


def _manifold(sets: Sets, seed: int) -> dict[str, Figure]:
    ours = prdc(sets.real, sets.synthetic)
    theirs = prdc(*sets.floor) if sets.has_floor else None
    figures = {}
    for name in FIGURES["prdc"]:
        values = getattr(ours, name)
        value, floor = float(values.mean()), None if theirs is None else float(getattr(theirs, name).mean())
        ratio = value / floor if floor else None
        figures[name] = {
            "value": value,
            **_spread(interval_of_mean(values, seed), len(values)),
            "floor": floor,
            "ratio": ratio,
        }
    return figures


def _inception_score(sets: Sets, seed: int) -> Figure:
    value, floor = inception_score(sets.synthetic, seed), inception_score(sets.real, seed)
    spread = {"std": value.std, "floor_std": floor.std, "splits": value.splits}
    return {"value": value.mean, "floor": floor.mean, "ratio": value.mean / floor.mean, **spread}


def _spread(interval: Interval, n: int) -> dict[str, Any]:
    """A bootstrap of a handful of images knows nothing of the others."""
    if n < LEAST_FOR_INTERVAL:
        return {}
    return {"interval": [interval.low, interval.high], "standard_error": interval.standard_error}
