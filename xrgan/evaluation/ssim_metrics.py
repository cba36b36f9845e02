"""Structural similarity of pairs of the compared images, as scores; as a set, unpaired images have none."""

from dataclasses import dataclass

import numpy as np

from xrgan import console
from xrgan.evaluation.image_sets import Comparison, Images, ImageSet
from xrgan.evaluation.metric_table import MetricInputs
from xrgan.evaluation.scores_file import Score
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
class Sampling:
    """How pairs are sampled: at most `count` of each kind."""

    count: int
    rng: np.random.Generator


def ssim_scores(inputs: MetricInputs) -> dict[str, Score]:
    """Score by SSIM, three times, for three questions.

    `ssim_diversity`: pairs of synthetic images beside pairs of real ones, per class too: much higher = less diverse.
    `ssim_nearest`: synthetic images and their nearest training images beside held-out real images and theirs: much
    higher = copies. `ssim_random`: random real–synthetic pairs, the plain figure that papers quote; it says little.
    """
    comparison, pairs = inputs.comparison, inputs.config.pairs
    sampling = Sampling(pairs, np.random.default_rng([inputs.config.seed, 1]))
    scores = {"ssim_diversity": _diversity("SSIM", comparison, sampling, ssim)}
    if comparison.training is not None:
        scores["ssim_nearest"] = _nearest(comparison, comparison.training, sampling)
    real, synthetic, (first, second) = comparison.real.images, comparison.synthetic.images, comparison.floor
    between = pairs_between(len(real), len(synthetic), pairs, sampling.rng)
    of_floor = pairs_between(len(first), len(second), pairs, sampling.rng)
    scores["ssim_random"] = _score(
        "SSIM of random pairs", (real, synthetic, between), (first.images, second.images, of_floor)
    )
    return {name: {**score, "n": comparison.n} for name, score in scores.items()}


def ms_ssim_scores(inputs: MetricInputs) -> dict[str, Score]:
    """Score diversity by MS-SSIM: pairs of synthetic images beside pairs of real ones, per class too.

    After Odena et al. 2017 (arXiv:1610.09585).
    """
    comparison = inputs.comparison
    sampling = Sampling(inputs.config.pairs, np.random.default_rng([inputs.config.seed, 3]))
    return {"ms_ssim": {**_diversity("MS-SSIM", comparison, sampling, ms_ssim), "n": comparison.n}}


def _diversity(name: str, comparison: Comparison, sampling: Sampling, of_two: Similarity) -> Score:
    score = _within(f"{name} within a set", comparison.synthetic, comparison.real, sampling, of_two)
    parts = {
        class_name: (synthetic, real)
        for index, class_name in enumerate(comparison.classes)
        if min(len(synthetic := comparison.synthetic.of_class(index)), len(real := comparison.real.of_class(index)))
        >= 2
    }
    score["per_class"] = {
        class_name: {**_within(f"{name} within {class_name}", *both, sampling, of_two), "n": len(both[0])}
        for class_name, both in parts.items()
    }
    return score


def _within(name: str, synthetic: ImageSet, real: ImageSet, sampling: Sampling, of_two: Similarity) -> Score:
    ours, theirs = (
        (images.images, images.images, pairs_within(len(images), sampling.count, sampling.rng))
        for images in (synthetic, real)
    )
    return _score(name, ours, theirs, of_two)


def _nearest(comparison: Comparison, training: ImageSet, sampling: Sampling) -> Score:
    def queries(of_set: ImageSet) -> Paired:
        images = of_set.images[: sampling.count]
        return images, training.images, pairs_nearest(images, training.images, "Nearest training images")

    score = _score("SSIM to the nearest", queries(comparison.synthetic), queries(comparison.held_out))
    return {**score, "among": len(training)}


def _score(
    name: str,
    synthetic: Paired,
    real: Paired,
    of_two: Similarity = ssim,
) -> Score:
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
