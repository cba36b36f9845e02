"""The arms of any study beside one another: the figures of each, and what holds of their differences."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xrgan.downstream.statistics import TTest, corrected_t_test, holm, interval
from xrgan.downstream.trial import Trial

Floats = NDArray[np.float64]
Key = tuple[str, float]
"""An arm and a fraction."""

Epoch = TypeVar("Epoch")


@dataclass(frozen=True)
class ArmComparison:
    """An arm beside the baseline, at one fraction. Differences are arm − baseline."""

    arm: str
    baseline: str
    fraction: float
    difference: dict[str, float]  # on the test split, of each metric
    interval: dict[str, tuple[float, float]]  # 95 %, over the patients of the test split
    by_seed: tuple[float, ...]  # the leading metric's difference on the test split, a seed each
    folds: TTest | None  # of the leading metric in the left-out folds; None without folds
    folds_holm: float  # p with all comparisons of the study in mind


def by_key(trials: Sequence[Trial[Epoch]]) -> dict[Key, list[Trial[Epoch]]]:
    """The trainings of each arm and fraction, in their order."""
    found: dict[Key, list[Trial[Epoch]]] = {}
    for trial in trials:
        found.setdefault((trial.place.arm, trial.place.fraction), []).append(trial)
    return found


def contrast(
    trials: Mapping[Key, Sequence[Trial[Epoch]]],
    samples: Mapping[Key, Floats],
    baseline: str,
    leading: str,
    on_test: Callable[[Trial[Epoch]], Mapping[str, float]],
    on_fold: Callable[[Trial[Epoch]], float] | None,
    test_to_training: float,
) -> list[ArmComparison]:
    """Each arm beside the baseline, at each fraction.

    Args:
        samples: bootstrap samples (R, figures) of each arm's mean figures, over the same patients.
        on_test: a training's figures on the test split.
        on_fold: a training's leading figure in its fold's left-out part; None without folds.
        test_to_training: images left out for each that was learned from, in a fold.
    """
    made = []
    for arm, fraction in [key for key in trials if key[0] != baseline]:
        ours, theirs = trials[arm, fraction], trials[baseline, fraction]
        differences = [_minus(on_test(one), on_test(other)) for one, other in zip(ours, theirs, strict=True)]
        sampled = samples[arm, fraction] - samples[baseline, fraction]
        names = list(differences[0])
        seeds = np.array([one.place.seed for one in ours])
        of_leading = np.array([one[leading] for one in differences])
        folds = None
        if on_fold:
            folds = corrected_t_test(_fold_by_fold(ours, on_fold) - _fold_by_fold(theirs, on_fold), test_to_training)
        made.append(
            ArmComparison(
                arm,
                baseline,
                fraction,
                {name: float(np.mean([one[name] for one in differences])) for name in names},
                {name: interval(sampled[:, k]) for k, name in enumerate(names)},
                tuple(float(of_leading[seeds == seed].mean()) for seed in np.unique(seeds)),
                folds,
                np.nan,
            )
        )
    corrected = holm([one.folds.p for one in made if one.folds]) or [np.nan] * len(made)
    return [replace(one, folds_holm=p) for one, p in zip(made, corrected, strict=True)]


def _minus(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    return {name: value - theirs[name] for name, value in ours.items()}


def _fold_by_fold(trials: Sequence[Trial[Epoch]], on_fold: Callable[[Trial[Epoch]], float]) -> Floats:
    """The leading metric in each fold's left-out part, mean over seeds: (folds,).

    Seeds of a fold share all of its images: as trials of their own they would make the test sure of too much.
    """
    folds = list(dict.fromkeys(one.place.fold for one in trials))
    return np.array([np.mean([on_fold(one) for one in trials if one.place.fold == fold]) for fold in folds])
