"""Classifiers of a study beside one another: figures with intervals, and what tests say of their differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.downstream.classification.classifier import Epoch
from xrgan.downstream.classification.metrics import METRICS, score, score_or_nan
from xrgan.downstream.classification.pool import Pool
from xrgan.downstream.comparison import ArmComparison, Floats, Key, contrast
from xrgan.downstream.statistics import McNemar, bootstrap, holm, mcnemar, mean_and_std
from xrgan.downstream.trial import Trial

Outcome = Trial[Epoch]
"""What one training gave: the answers are probabilities (n, K), not yet scored."""

LEADING = "auroc"  # it needs no threshold, so the verdict rests on it


@dataclass(frozen=True)
class Compared(ArmComparison):
    images: McNemar  # of the test split's images; a = the arm
    images_holm: float


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

    def on_test(outcome: Outcome) -> dict[str, float]:
        return score(labels, outcome.on_test)

    def on_fold(outcome: Outcome) -> float:
        return fold_scores(outcome, of_folds[outcome.place.fold])[LEADING]

    in_folds = on_fold if of_folds else None
    made = contrast(outcomes, samples, baseline, LEADING, on_test, in_folds, test_to_training)
    right = {key: _is_right(labels, ones) for key, ones in outcomes.items()}
    of_images = [mcnemar(right[one.arm, one.fraction], right[baseline, one.fraction]) for one in made]
    images_holm = holm([test.p for test in of_images])
    return [
        Compared(**vars(one), images=test, images_holm=p)
        for one, test, p in zip(made, of_images, images_holm, strict=True)
    ]


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


def _is_right(labels: NDArray[np.int64], outcomes: Sequence[Outcome]) -> NDArray[np.bool_]:
    """Which test images the arm's trainings get right together."""
    right: NDArray[np.bool_] = together(outcomes).argmax(axis=1) == labels
    return right
