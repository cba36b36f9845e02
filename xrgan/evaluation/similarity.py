"""Structural similarity of pairs of the compared images → figures; as a set, unpaired images have none."""

from dataclasses import dataclass

import numpy as np

from xrgan import console
from xrgan.evaluation.image_sets import Comparison, Images, ImageSet
from xrgan.evaluation.scores_file import Figure
from xrgan.evaluation.ssim import (
    Pairs,
    Similarity,
    ms_ssim,
    pairs_between,
    pairs_nearest,
    pairs_within,
    ssim,
    ssim_pairs,
)

Paired = tuple[Images, Images, Pairs]


@dataclass(frozen=True)
class Drawn:
    """How pairs are drawn: at most `count` of each kind."""

    count: int
    rng: np.random.Generator


def ssim_figures(comparison: Comparison, pairs: int, seed: int) -> dict[str, Figure]:
    """Three figures of different questions.

    `ssim_diversity`: pairs of synthetic images beside pairs of real ones, per class too: much higher = less diverse.
    `ssim_nearest`: synthetic images and their nearest training images beside held-out real images and theirs: much
    higher = copies. `ssim_random`: random real–synthetic pairs, the plain figure that papers quote; it says little.
    """
    drawn = Drawn(pairs, np.random.default_rng([seed, 1]))
    figures = {"ssim_diversity": _diversity("SSIM", comparison, drawn, ssim)}
    if comparison.training is not None:
        figures["ssim_nearest"] = _nearest(comparison, comparison.training, drawn)
    real, synthetic, (first, second) = comparison.real.images, comparison.synthetic.images, comparison.floor
    between = pairs_between(len(real), len(synthetic), pairs, drawn.rng)
    of_floor = pairs_between(len(first), len(second), pairs, drawn.rng)
    figures["ssim_random"] = _figure(
        "SSIM of random pairs", (real, synthetic, between), (first.images, second.images, of_floor)
    )
    return {name: figure | {"n": comparison.n} for name, figure in figures.items()}


def ms_ssim_figures(comparison: Comparison, pairs: int, seed: int) -> dict[str, Figure]:
    """`ms_ssim`: pairs of synthetic images beside pairs of real ones, per class too (Odena et al. 2017): diversity."""
    drawn = Drawn(pairs, np.random.default_rng([seed, 3]))
    return {"ms_ssim": _diversity("MS-SSIM", comparison, drawn, ms_ssim) | {"n": comparison.n}}


def _diversity(name: str, comparison: Comparison, drawn: Drawn, of_two: Similarity) -> Figure:
    figure = _within(f"{name} within a set", comparison.synthetic, comparison.real, drawn, of_two)
    parts = {
        class_name: (synthetic, real)
        for index, class_name in enumerate(comparison.classes)
        if min(len(synthetic := comparison.synthetic.of_class(index)), len(real := comparison.real.of_class(index)))
        >= 2
    }
    figure["per_class"] = {
        class_name: _within(f"{name} within {class_name}", *both, drawn, of_two) | {"n": len(both[0])}
        for class_name, both in parts.items()
    }
    return figure


def _within(name: str, synthetic: ImageSet, real: ImageSet, drawn: Drawn, of_two: Similarity) -> Figure:
    ours, theirs = (
        (images.images, images.images, pairs_within(len(images), drawn.count, drawn.rng))
        for images in (synthetic, real)
    )
    return _figure(name, ours, theirs, of_two)


def _nearest(comparison: Comparison, training: ImageSet, drawn: Drawn) -> Figure:
    def queries(of_set: ImageSet) -> Paired:
        images = of_set.images[: drawn.count]
        return images, training.images, pairs_nearest(images, training.images, "Nearest training images")

    figure = _figure("SSIM to the nearest", queries(comparison.synthetic), queries(comparison.held_out))
    return figure | {"among": len(training)}


def _figure(
    name: str,
    synthetic: Paired,
    real: Paired,
    of_two: Similarity = ssim,
) -> Figure:
    with console.progress(name, len(synthetic[2]) + len(real[2]), "pairs") as bar:
        value, floor = ssim_pairs(*synthetic, bar, of_two), ssim_pairs(*real, bar, of_two)
    return {
        "value": value.mean,
        "std": value.std,
        "floor": floor.mean,
        "floor_std": floor.std,
        "ratio": value.mean / floor.mean if floor.mean > 0 else None,
        "pairs": value.pairs,
    }
