"""From what a study's segmenters scored to its summary: figures, and what may and may not be concluded from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xrgan.config import SegmentConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import verdict
from xrgan.downstream.arms import baseline_of, needs_synthetic
from xrgan.downstream.comparison import ArmComparison, Floats, Key, by_key, contrast
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.segmentation.metrics import METRICS
from xrgan.downstream.segmentation.pool import Pool
from xrgan.downstream.segmentation.segmenter import Epoch
from xrgan.downstream.statistics import Wilcoxon, bootstrap, holm, interval, mean_and_std, wilcoxon
from xrgan.downstream.trial import Trial
from xrgan.downstream.wording import known, numbers, pair, share, with_holm

LEADING = "dice"  # mean over structures
COVERED = 0.01  # share of a structure that the file of its mask may hide without a word

Outcome = Trial[Epoch]
"""A segmenter's: the answers are figures (n, M, metrics), of each image, structure and one of `overlap.METRICS`."""


@dataclass(frozen=True)
class Compared(ArmComparison):
    patients: Wilcoxon  # of the test split, by the leading figure; positive = the arm is better
    patients_holm: float


def metrics_of(structures: Sequence[str]) -> dict[str, str]:
    """Name → label of every figure, in the order of tables: of each metric the mean over structures, then each one."""
    labels: dict[str, str] = {}
    for name, label in METRICS.items():
        labels |= {name: f"{label}, mean" if len(structures) > 1 else label}
        labels |= {_name(name, structure): f"{label}, {structure}" for structure in structures}
    return labels


def figures(scores: Floats) -> Floats:
    """Scores (n, M, metrics) of images and structures → a column a figure of `metrics_of`: (n, metrics · (1 + M))."""
    with_mean = np.concatenate([scores.mean(axis=1, keepdims=True), scores], axis=1)
    return np.asarray(with_mean.swapaxes(1, 2).reshape(len(scores), -1))


def means(scores: Floats, structures: Sequence[str]) -> dict[str, float]:
    """Every figure of `metrics_of`, mean over images."""
    return dict(zip(metrics_of(structures), figures(scores).mean(axis=0).tolist(), strict=True))


def summarise(
    dataset: PackedDataset,
    pool: Pool,
    folds: Sequence[Fold],
    config: SegmentConfig,
    outcomes: Sequence[Outcome],
) -> dict[str, Any]:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    grouped = by_key(outcomes)
    samples = resample(pool, grouped, config.resamples, config.seed)
    baseline, with_folds = baseline_of(config.arms), bool(folds[0].number)
    compared = compare(pool, grouped, samples, baseline, verdict.left_out_a_training_image(folds), with_folds)
    comparisons = [_comparison(one, len(folds) if with_folds else 0) for one in compared]
    patients = len(np.unique(pool.groups[pool.test]))
    return {
        "dataset": {
            "name": dataset.name,
            "content_hash": dataset.content_hash,
            "structures": list(pool.structures),
        },
        "options": config.model_dump(mode="json"),
        "images": {
            "training": len(pool.training),
            "validation": len(pool.validation),
            "test": len(pool.test),
            "test_patients": patients,
            "left_out": len(dataset.labels) - len(pool.rows),
        },
        "baseline": baseline,
        "results": [_result(pool, key, ones, samples[key]) for key, ones in grouped.items()],
        "comparisons": comparisons,
        "conclusion": verdict.conclusion(comparisons, baseline),
        "caveats": [
            *_of_coded_masks(pool, config),
            *verdict.caveats(
                config,
                folds,
                grouped,
                "segmenters",
                "there were no more",
                f"The test split is {len(pool.test):,} images of {patients:,} patients; the intervals say how much"
                " other patients would change the figures.",
            ),
        ],
    }


def columns(summary: Mapping[str, Any]) -> list[str]:
    """Of `rows`."""
    return verdict.columns(summary, METRICS[LEADING])


def rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """The table of a summary for a terminal: a row an arm and fraction."""
    return verdict.rows(summary, LEADING)


def resample(pool: Pool, outcomes: Mapping[Key, Sequence[Outcome]], resamples: int, seed: int) -> dict[Key, Floats]:
    """The mean of each arm's figures over its trainings, had the test split held other patients: (resamples, figures).

    All arms are scored on the same patients, so that differences may be taken resample by resample.
    """
    of_images = np.concatenate([_of_images(ones) for ones in outcomes.values()], axis=1)

    def statistic(images: Indices) -> Floats:
        return np.asarray(of_images[images].mean(axis=0))

    samples = bootstrap(pool.groups[pool.test], statistic, resamples, seed)
    return dict(zip(outcomes, np.split(samples, len(outcomes), axis=1), strict=True))


def compare(
    pool: Pool,
    outcomes: Mapping[Key, Sequence[Outcome]],
    samples: Mapping[Key, Floats],
    baseline: str,
    test_to_training: float,
    with_folds: bool,
) -> list[Compared]:
    """Each arm beside the baseline, at each fraction.

    Args:
        test_to_training: images left out for each that was learned from, in a fold.
    """

    def on_test(outcome: Outcome) -> dict[str, float]:
        return means(outcome.on_test, pool.structures)

    def on_fold(outcome: Outcome) -> float:
        return means(outcome.on_fold, pool.structures)[LEADING]

    made = contrast(outcomes, samples, baseline, LEADING, on_test, on_fold if with_folds else None, test_to_training)
    leading = {key: _of_patients(pool, ones) for key, ones in outcomes.items()}
    tests = [wilcoxon(leading[one.arm, one.fraction] - leading[baseline, one.fraction]) for one in made]
    patients_holm = holm([test.p for test in tests])
    return [
        Compared(**vars(one), patients=test, patients_holm=p)
        for one, test, p in zip(made, tests, patients_holm, strict=True)
    ]


def _of_images(outcomes: Sequence[Outcome]) -> Floats:
    """Each test image's figures, mean over an arm's trainings: (n, figures)."""
    return np.asarray(np.mean([figures(one.on_test) for one in outcomes], axis=0))


def _of_patients(pool: Pool, outcomes: Sequence[Outcome]) -> Floats:
    """The leading figure of each patient of the test split, mean over an arm's trainings and the patient's images."""
    _, of_image = np.unique(pool.groups[pool.test], return_inverse=True)
    leading = _of_images(outcomes)[:, list(metrics_of(pool.structures)).index(LEADING)]
    return np.asarray(np.bincount(of_image, leading) / np.bincount(of_image))


def _result(pool: Pool, key: Key, outcomes: Sequence[Outcome], samples: Floats) -> dict[str, Any]:
    scored = [means(one.on_test, pool.structures) for one in outcomes]
    test = {
        name: numbers(mean_and_std([one[name] for one in scored])) | {"interval": pair(interval(samples[:, k]))}
        for k, name in enumerate(metrics_of(pool.structures))
    }
    return verdict.result(key, outcomes, test)


def _comparison(one: Compared, folds: int) -> dict[str, Any]:
    test = one.patients
    said = verdict.judge(one, LEADING, test.lean > 0, one.patients_holm)
    paired = (
        f"{test.better} test patients are better segmented with it and {test.worse} without it (Wilcoxon"
        f" {with_holm(test.p, one.patients_holm)})"
    )
    of_patients = {
        "better": test.better,
        "worse": test.worse,
        "rank_correlation": test.lean,
        "p": test.p,
        "p_holm": known(one.patients_holm),
    }
    sentence = verdict.sentence(one, LEADING, METRICS[LEADING], folds, paired, said)
    return verdict.comparison(one, folds) | {"patients": of_patients, "verdict": said, "sentence": sentence}


def _of_coded_masks(pool: Pool, config: SegmentConfig) -> list[str]:
    """A caveat where the dataset's masks show what the file of a synthetic mask can't."""
    covered = {name: part for name, part in pool.covered().items() if part > COVERED}
    if not covered or not needs_synthetic(config.arms):
        return []
    which = ", ".join(f"{share(round(part, 3))} of {name}" for name, part in covered.items())
    return [
        f"Structures overlap in the real masks ({which}), but not in the synthetic ones, whose files show one a pixel:"
        " part of what the arms differ by is that."
    ]


def _name(metric: str, structure: str) -> str:
    return f"{metric}_{structure.replace(' ', '_')}"
