"""The arms of a study beside one another: figures with their intervals, and what tests say of their differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.downstream.outcome import Outcome
from xrgan.downstream.pool import Pool
from xrgan.downstream.scores import METRICS, mean_and_std, score, score_or_nan
from xrgan.downstream.statistics import McNemar, TTest, bootstrap, corrected_t_test, holm, interval, mcnemar

LEADING = "auroc"  # it needs no threshold, so the verdict rests on it

Floats = NDArray[np.float64]
Key = tuple[str, float]
"""An arm and a fraction."""


@dataclass(frozen=True)
class Compared:
    """An arm beside the baseline, at one fraction. Differences are arm − baseline."""

    arm: str
    baseline: str
    fraction: float
    difference: dict[str, float]  # on the test split, of each metric
    interval: dict[str, tuple[float, float]]  # 95 %, over the patients of the test split
    by_seed: tuple[float, ...]  # the leading metric's difference on the test split, a seed each
    folds: TTest | None  # of the leading metric in the left-out folds; None without folds
    folds_holm: float  # p with all comparisons of the study in mind
    images: McNemar  # of the test split's images; a = the arm
    images_holm: float


def by_key(outcomes: Sequence[Outcome]) -> dict[Key, list[Outcome]]:
    """The trainings of each arm and fraction, in their order."""
    found: dict[Key, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.place.arm, outcome.place.fraction), []).append(outcome)
    return found


def test_labels(pool: Pool) -> NDArray[np.int64]:
    labels: NDArray[np.int64] = pool.labels[pool.test].numpy()
    return labels


def resample(pool: Pool, outcomes: Mapping[Key, Sequence[Outcome]], resamples: int, seed: int) -> dict[Key, Floats]:
    """The mean of each arm's figures over its trainings, had the test split held other patients: (resamples, metrics).

    All arms are scored on the same patients, so that differences may be taken resample by resample.
    """
    labels, keys = test_labels(pool), list(outcomes)
    with console.progress("Bootstrap over patients", resamples, unit="resamples") as bar:

        def statistic(images: NDArray[np.int64]) -> Floats:
            bar.advance()
            means = [
                np.mean([score_or_nan(labels[images], one.on_test[images]) for one in outcomes[key]], axis=0)
                for key in keys
            ]
            return np.concatenate(means)

        samples = bootstrap(pool.groups[pool.test], statistic, resamples, seed)
    return {key: samples[:, k * len(METRICS) : (k + 1) * len(METRICS)] for k, key in enumerate(keys)}


def compare(
    pool: Pool,
    outcomes: Mapping[Key, Sequence[Outcome]],
    samples: Mapping[Key, Floats],
    baseline: str,
    test_to_training: float,
    of_folds: Mapping[int, NDArray[np.int64]],
) -> list[Compared]:
    """Each arm beside the baseline, at each fraction.

    Args:
        test_to_training: images left out for each that was learned from, in a fold.
        of_folds: the labels of each fold's left-out part; none without folds.
    """
    labels = test_labels(pool)
    pairs = [(arm, fraction) for arm, fraction in outcomes if arm != baseline]
    made = []
    for arm, fraction in pairs:
        ours, theirs = outcomes[arm, fraction], outcomes[baseline, fraction]
        differences = np.array([_of_test(labels, one) for one in ours]) - [_of_test(labels, one) for one in theirs]
        sampled = samples[arm, fraction] - samples[baseline, fraction]
        leading = differences[:, list(METRICS).index(LEADING)]
        seeds = np.array([one.place.seed for one in ours])
        folds = None
        if of_folds:
            folds = corrected_t_test(_fold_by_fold(ours, of_folds) - _fold_by_fold(theirs, of_folds), test_to_training)
        made.append(
            Compared(
                arm,
                baseline,
                fraction,
                dict(zip(METRICS, differences.mean(axis=0).tolist(), strict=True)),
                {name: interval(sampled[:, k]) for k, name in enumerate(METRICS)},
                tuple(float(leading[seeds == seed].mean()) for seed in np.unique(seeds)),
                folds,
                np.nan,
                mcnemar(_is_right(labels, ours), _is_right(labels, theirs)),
                np.nan,
            )
        )
    return _adjusted(made)


def fold_scores(outcome: Outcome, labels: NDArray[np.int64]) -> dict[str, float]:
    """A training's figures in its fold's left-out part."""
    return score(labels, outcome.on_fold)


def spread(labels: NDArray[np.int64], outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of each figure on the test split, over trainings."""
    scores = [score(labels, outcome.on_test) for outcome in outcomes]
    return {name: mean_and_std([one[name] for one in scores]) for name in METRICS}


def together(outcomes: Sequence[Outcome]) -> Floats:
    """The mean of an arm's trainings' probabilities on the test split: (n, K)."""
    return np.asarray(np.mean([outcome.on_test for outcome in outcomes], axis=0))


def _of_test(labels: NDArray[np.int64], outcome: Outcome) -> list[float]:
    return list(score(labels, outcome.on_test).values())


def _fold_by_fold(outcomes: Sequence[Outcome], of_folds: Mapping[int, NDArray[np.int64]]) -> Floats:
    """The leading metric in each fold's left-out part, mean over seeds: (folds,).

    Seeds of a fold share all of its images: as trials of their own they would make the test sure of too much.
    """
    return np.array(
        [
            np.mean([fold_scores(one, labels)[LEADING] for one in outcomes if one.place.fold == fold])
            for fold, labels in of_folds.items()
        ]
    )


def _is_right(labels: NDArray[np.int64], outcomes: Sequence[Outcome]) -> NDArray[np.bool_]:
    """Which test images the arm's trainings get right together."""
    right: NDArray[np.bool_] = together(outcomes).argmax(axis=1) == labels
    return right


def _adjusted(made: Sequence[Compared]) -> list[Compared]:
    """With every comparison of the study in mind (Holm), each of the two tests by itself."""
    folds = holm([one.folds.p for one in made if one.folds])
    images = holm([one.images.p for one in made])
    folds = folds or [np.nan] * len(made)
    return [
        replace(one, folds_holm=of_folds, images_holm=of_images)
        for one, of_folds, of_images in zip(made, folds, images, strict=True)
    ]
