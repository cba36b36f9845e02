"""What a study leaves in its folder: scores.csv, summary.yaml, report.md, and the pictures that it shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xrgan.downstream import markdown, written
from xrgan.downstream.classification import pictures, verdict
from xrgan.downstream.classification.comparison import LEADING, Outcome, test_labels
from xrgan.downstream.classification.metrics import METRICS, score
from xrgan.downstream.classification.pool import Pool
from xrgan.downstream.folds import Fold
from xrgan.downstream.wording import p_value


def write(
    folder: Path, pool: Pool, folds: Sequence[Fold], outcomes: Sequence[Outcome], summary: Mapping[str, Any]
) -> None:
    table = scores(pool, folds, outcomes)
    made = pictures.save_all(folder, pool, table, outcomes, summary)
    written.write(folder, table, as_markdown(summary, made), summary)


def scores(pool: Pool, folds: Sequence[Fold], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row a training: where it stands in the study, what it learned from, its figures on test and in its fold.

    Columns that begin with `fold_` hold those of the left-out part; there are none in the dataset's own split.
    """
    labels, left_out = test_labels(pool), verdict.labels_left_out(pool, folds)
    rows = []
    for outcome in outcomes:
        of_fold = score(left_out[outcome.place.fold], outcome.on_fold) if left_out else {}
        best = outcome.history.kept
        rows.append(
            outcome.row()
            | {"validation_auroc": best.auroc, "validation_balanced_accuracy": best.balanced_accuracy}
            | score(labels, outcome.on_test)
            | {f"fold_{name}": value for name, value in of_fold.items()}
            | {"seconds": outcome.seconds}
        )
    return pd.DataFrame(rows)


def as_markdown(summary: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """report.md. Args: pictures: file name → what it shows."""
    options, images = summary["options"], summary["images"]
    setting = (
        f"{_network(options)}; {markdown.setting_of(options)}; {_of(images['training'])} training and"
        f" {_of(images['validation'])} validation images; judged by {_of(images['test'])} untouched test images of"
        f" {images['test_patients']:,} patients."
    )
    head = ["right alone : other alone", "p (McNemar)", "Holm"]
    tests = markdown.tests_table(summary["comparisons"], LEADING, METRICS[LEADING], head, _mcnemar)
    footnote = (
        "Intervals: 95 %, bootstrap over the test split's patients. ±: standard deviation over trainings. Tests:"
        " corrected resampled t-test over folds (Nadeau & Bengio 2003) of the AUROC; exact McNemar test of the test"
        " images; both Holm-corrected over the comparisons of this study."
    )
    title = "Do the synthetic X-rays help?"
    return markdown.page(summary, pictures, title, setting, METRICS, tests, footnote)


def _network(options: Mapping[str, Any]) -> str:
    learned = "all layers" if options["unfreeze"] or options["weights"] == "none" else "the head alone"
    weights = "from scratch" if options["weights"] == "none" else f"from {options['weights']} weights"
    return f"{options['arch']}, {weights}, {learned} trained"


def _of(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values()):,} ({', '.join(f'{count:,} {name}' for name, count in counts.items())})"


def _mcnemar(one: Mapping[str, Any]) -> list[str]:
    images = one["images"]
    counts = f"{images['only_this_arm_right']} : {images['only_the_other_right']}"
    return [counts, p_value(images["p"]), p_value(images["p_holm"])]
