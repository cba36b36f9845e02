"""From what a study's trainings answered to its summary: figures, and what may and may not be concluded from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import verdict
from xrgan.downstream.arms import baseline_of
from xrgan.downstream.classification.comparison import (
    LEADING,
    Compared,
    Outcome,
    compare,
    resample,
    spread,
    test_labels,
)
from xrgan.downstream.classification.metrics import METRICS
from xrgan.downstream.classification.pool import Pool
from xrgan.downstream.comparison import Key, by_key
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.statistics import interval
from xrgan.downstream.wording import known, numbers, pair, with_holm


def summarise(
    dataset: PackedDataset, pool: Pool, folds: Sequence[Fold], config: ClassifyConfig, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    grouped = by_key(outcomes)
    samples = resample(pool, grouped, config.resamples, config.seed)
    baseline, left_out = baseline_of(config.arms), labels_left_out(pool, folds)
    compared = compare(pool, grouped, samples, baseline, verdict.left_out_a_training_image(folds), left_out)
    comparisons = [_comparison(one, len(left_out)) for one in compared]
    return {
        "dataset": {"name": dataset.name, "content_hash": dataset.content_hash, "classes": list(pool.classes)},
        "options": config.model_dump(mode="json"),
        "images": {
            "training": _counts(pool, pool.training),
            "validation": _counts(pool, pool.validation),
            "test": _counts(pool, pool.test),
            "test_patients": len(np.unique(pool.groups[pool.test])),
        },
        "baseline": baseline,
        "results": [_result(pool, key, ones, samples[key]) for key, ones in grouped.items()],
        "comparisons": comparisons,
        "conclusion": verdict.conclusion(comparisons, baseline),
        "caveats": verdict.caveats(
            config,
            folds,
            grouped,
            "classifiers",
            "a class had no more to keep the real class mix",
            f"The test split is {len(pool.test):,} images of {len(np.unique(pool.groups[pool.test])):,} patients; the"
            " intervals say how much other patients would change the figures. McNemar's test takes images for"
            " independent.",
        ),
    }


def labels_left_out(pool: Pool, folds: Sequence[Fold]) -> dict[int, NDArray[np.int64]]:
    """The labels of each fold's left-out part, by the fold's number; none in the dataset's own split."""
    return {fold.number: pool.labels[fold.test].numpy() for fold in folds if fold.number}


def columns(summary: Mapping[str, Any]) -> list[str]:
    """Of `rows`."""
    return verdict.columns(summary, METRICS[LEADING])


def rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """The table of a summary for a terminal: a row an arm and fraction."""
    return verdict.rows(summary, LEADING)


def _result(pool: Pool, key: Key, outcomes: Sequence[Outcome], samples: Any) -> dict[str, Any]:
    figures = spread(test_labels(pool), outcomes)
    test = {
        name: numbers(figures[name]) | {"interval": pair(interval(samples[:, k]))} for k, name in enumerate(METRICS)
    }
    return verdict.result(key, outcomes, test)


def _comparison(one: Compared, folds: int) -> dict[str, Any]:
    test = one.images
    said = verdict.judge(one, LEADING, test.only_a > test.only_b, one.images_holm)
    paired = (
        f"of the test images, {test.only_a} are right with it alone and {test.only_b} without it alone (McNemar"
        f" {with_holm(test.p, one.images_holm)})"
    )
    of_images = {
        "only_this_arm_right": test.only_a,
        "only_the_other_right": test.only_b,
        "p": test.p,
        "p_holm": known(one.images_holm),
    }
    sentence = verdict.sentence(one, LEADING, METRICS[LEADING], folds, paired, said)
    return verdict.comparison(one, folds) | {"images": of_images, "verdict": said, "sentence": sentence}


def _counts(pool: Pool, indices: Indices) -> dict[str, int]:
    return {name: int(count) for name, count in zip(pool.classes, pool.counts(indices), strict=True)}
