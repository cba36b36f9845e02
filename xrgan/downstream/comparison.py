"""The arms of a study beside one another: the figures of each, and what holds of their differences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xrgan import console
from xrgan.downstream.arms import held_against
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.statistics import EffectTest, TTest, bootstrap, corrected_t_test, effect_test, holm, interval
from xrgan.downstream.task import PairedTest, Results, Task
from xrgan.downstream.trial import ArmKey, Floats, Trial, by_arm


@dataclass(frozen=True)
class ArmComparison:
    """An arm beside the baseline, at one fraction. Differences are arm − baseline; `holm` minds all comparisons."""

    arm: str
    baseline: str
    fraction: float
    difference: dict[str, float]  # on the test split, of each metric
    interval: dict[str, tuple[float, float]]  # 95 %, over the patients of the test split
    by_seed: tuple[float, ...]  # the leading metric's difference on the test split, of each seed
    effect: EffectTest  # of the leading metric on the test split, over patients and trainings: the verdict rests on it
    effect_holm: float
    folds: TTest | None  # of the leading metric in the left-out folds; None without folds
    folds_holm: float
    paired: PairedTest  # on the test split
    paired_holm: float


def resample(task: Task, results: Results) -> dict[ArmKey, Floats]:
    """The mean of each arm's figures over its trainings, had the test split held other patients: (resamples, metrics).

    All arms are scored on the same patients, so that differences may be taken resample by resample.
    """
    config, pool, grouped = task.config, results.pool, by_arm(results.trials)
    metrics = len(task.metrics(pool.names))
    with console.progress("Bootstrap over patients", config.resamples, unit="resamples") as bar:

        def statistic(images: Indices) -> Floats:
            bar.advance()
            means = [
                np.mean([task.figures(one.on_test[images], pool, pool.test[images]) for one in trials], axis=0)
                for trials in grouped.values()
            ]
            return np.concatenate(means)

        samples = bootstrap(pool.test_groups, statistic, config.resamples, config.seed)
    return {key: samples[:, k * metrics : (k + 1) * metrics] for k, key in enumerate(grouped)}


def compare(task: Task, results: Results, samples: Mapping[ArmKey, Floats], baseline: str) -> list[ArmComparison]:
    """Each arm beside the baseline, or what it is held against (`held_against`), at each fraction.

    Args:
        samples: of `resample`.
    """
    grouped = by_arm(results.trials)
    against = others_of(grouped, baseline)
    pairs = {key: (grouped[key], grouped[other]) for key, other in against.items()}
    of_folds = [_folds_test(task, results, *pair) for pair in pairs.values()]
    paired = [_paired_test(task, results, *pair) for pair in pairs.values()]
    effects = [
        effect_of(task, results, *pair, samples[key] - samples[against[key]], len(pairs)) for key, pair in pairs.items()
    ]
    effects_holm = holm([test.p for test in effects])
    folds_holm = holm([test.p for test in of_folds if test]) or [np.nan] * len(pairs)
    paired_holm = holm([test.p for test in paired])
    made = []
    for k, ((arm, fraction), pair) in enumerate(pairs.items()):
        differences = _differences(task, results, *pair, samples[arm, fraction] - samples[against[arm, fraction]])
        made.append(
            ArmComparison(
                arm,
                against[arm, fraction][0],
                fraction,
                *differences,
                effect=effects[k],
                effect_holm=effects_holm[k],
                folds=of_folds[k],
                folds_holm=folds_holm[k],
                paired=paired[k],
                paired_holm=paired_holm[k],
            )
        )
    return made


def others_of(keys: Collection[ArmKey], baseline: str) -> dict[ArmKey, ArmKey]:
    """What each arm is held against at its fraction (`held_against`); the baseline itself is against nothing."""
    arms = {arm for arm, _ in keys}
    return {(arm, share): (held_against(arm, arms, baseline), share) for arm, share in keys if arm != baseline}


def figures_on_test(task: Task, results: Results, trial: Trial) -> dict[str, float]:
    """A training's figures on the test split."""
    pool = results.pool
    return _named(task, results, task.figures(trial.on_test, pool, pool.test))


def figures_on_fold(task: Task, results: Results, trial: Trial) -> dict[str, float]:
    """A training's figures in its fold's left-out part."""
    (fold,) = (fold for fold in results.folds if fold.number == trial.key.fold)
    return _named(task, results, task.figures(trial.on_fold, results.pool, fold.test))


def left_out_ratio(folds: Sequence[Fold]) -> float:
    """Images left out per image learned from, mean over folds; those that picked the epoch don't count."""
    return float(np.mean([len(fold.test) / len(fold.training) for fold in folds]))


def _named(task: Task, results: Results, figures: Floats) -> dict[str, float]:
    return dict(zip(task.metrics(results.pool.names), figures.tolist(), strict=True))


def _differences(
    task: Task, results: Results, ours: Sequence[Trial], theirs: Sequence[Trial], sampled: Floats
) -> tuple[dict[str, float], dict[str, tuple[float, float]], tuple[float, ...]]:
    """`ArmComparison`'s difference, interval and by_seed. Args: sampled: (resamples, metrics)."""
    figures = [[list(figures_on_test(task, results, one).values()) for one in trials] for trials in (ours, theirs)]
    differences = np.array(figures[0]) - np.array(figures[1])  # (trainings, metrics)
    names = list(task.metrics(results.pool.names))
    seeds = np.array([one.key.seed for one in ours])
    leading = differences[:, names.index(task.leading)]
    return (
        dict(zip(names, differences.mean(axis=0).tolist(), strict=True)),
        {name: interval(sampled[:, k]) for k, name in enumerate(names)},
        tuple(float(leading[seeds == seed].mean()) for seed in np.unique(seeds)),
    )


def effect_of(
    task: Task, results: Results, ours: Sequence[Trial], theirs: Sequence[Trial], sampled: Floats, tests: int
) -> EffectTest:
    """Test the difference of two arms in the leading metric on the test split, over patients and trainings.

    Args:
        sampled: the means of all metrics' differences on other patients, (resamples, metrics).
        tests: in the study.
    """
    scores = [[figures_on_test(task, results, one)[task.leading] for one in trials] for trials in (ours, theirs)]
    differences = np.array(scores[0]) - np.array(scores[1])
    with_folds = results.folds[0].number > 0
    units = np.array([one.key.fold if with_folds else one.key.seed for one in ours])
    by_unit = np.array([differences[units == unit].mean() for unit in np.unique(units)])
    patients = len(np.unique(results.pool.test_groups))
    leading = sampled[:, list(task.metrics(results.pool.names)).index(task.leading)]
    return effect_test(by_unit, leading, patients, left_out_ratio(results.folds) if with_folds else 0.0, tests)


def _folds_test(task: Task, results: Results, ours: Sequence[Trial], theirs: Sequence[Trial]) -> TTest | None:
    if not results.folds[0].number:
        return None
    differences = _fold_by_fold(task, results, ours) - _fold_by_fold(task, results, theirs)
    return corrected_t_test(differences, left_out_ratio(results.folds))


def _fold_by_fold(task: Task, results: Results, trials: Sequence[Trial]) -> Floats:
    """The leading metric in each fold's left-out part, mean over seeds: (folds,).

    Seeds of a fold share all of its images: as trials of their own they would make the test sure of too much.
    """
    folds = list(dict.fromkeys(one.key.fold for one in trials))
    scores = {one.key: figures_on_fold(task, results, one)[task.leading] for one in trials}
    return np.array([np.mean([score for key, score in scores.items() if key.fold == fold]) for fold in folds])


def _paired_test(task: Task, results: Results, ours: Sequence[Trial], theirs: Sequence[Trial]) -> PairedTest:
    return task.paired_test([one.on_test for one in ours], [one.on_test for one in theirs], results.pool)
