"""What a study leaves in its folder: scores.csv, summary.yaml, report.md, and the pictures that it shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xrgan.downstream import figures, verdict
from xrgan.downstream.comparison import test_labels
from xrgan.downstream.folds import Fold
from xrgan.downstream.outcome import Outcome
from xrgan.downstream.pool import Pool
from xrgan.downstream.scores import METRICS, score
from xrgan.downstream.verdict import between, number, p_value, share, signed
from xrgan.files import write_text, write_yaml

SUMMARY = "summary.yaml"


def write(
    folder: Path, pool: Pool, folds: Sequence[Fold], outcomes: Sequence[Outcome], summary: Mapping[str, Any]
) -> None:
    table = scores(pool, folds, outcomes)
    write_text(folder / "scores.csv", table.to_csv(index=False, lineterminator="\n"))
    pictures = figures.save_all(folder, pool, table, outcomes, summary)
    write_text(folder / "report.md", as_markdown(summary, pictures))
    write_yaml(folder / SUMMARY, dict(summary))  # last: where it is, the rest is whole


def scores(pool: Pool, folds: Sequence[Fold], outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """A row a training: where it stands in the study, what it learned from, its figures on test and in its fold.

    Columns that begin with `fold_` hold those of the left-out part; there are none in the dataset's own split.
    """
    labels, left_out = test_labels(pool), verdict.labels_left_out(pool, folds)
    rows = []
    for outcome in outcomes:
        of_fold = score(left_out[outcome.place.fold], outcome.on_fold) if left_out else {}
        history = outcome.history
        rows.append(
            outcome.place._asdict()
            | {
                "n_real": outcome.n_real,
                "n_synthetic": outcome.n_synthetic,
                "steps": history.steps,
                "best_epoch": history.best + 1,
                "validation_auroc": history.kept.auroc,
                "validation_balanced_accuracy": history.kept.balanced_accuracy,
            }
            | score(labels, outcome.on_test)
            | {f"fold_{name}": value for name, value in of_fold.items()}
            | {"seconds": outcome.seconds}
        )
    return pd.DataFrame(rows)


def as_markdown(summary: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """report.md. Args: pictures: file name → what it shows."""
    options, images, dataset = summary["options"], summary["images"], summary["dataset"]
    folds = f"{options['k_folds']} folds by patient" if options["k_folds"] else "the dataset's own split"
    lines = [
        f"# Do the synthetic X-rays help? {dataset['name']}",
        "",
        summary["conclusion"],
        "",
        f"{_network(options)}; {folds}, {options['seeds']} training{'s' if options['seeds'] > 1 else ''} each;"
        f" {_of(images['training'])} training and {_of(images['validation'])} validation images; judged by"
        f" {_of(images['test'])} untouched test images of {images['test_patients']:,} patients.",
        "",
    ]
    for fraction in dict.fromkeys(result["fraction"] for result in summary["results"]):
        results = [result for result in summary["results"] if result["fraction"] == fraction]
        lines += [f"## Test split, {share(fraction)} of the real training images", "", *_table(results), ""]
    lines += ["## Comparisons", ""]
    lines += [f"- {one['sentence']}" for one in summary["comparisons"]] or ["None."]
    lines += ["", *_tests(summary["comparisons"]), "## What to keep in mind", ""]
    lines += [f"- {caveat}" for caveat in summary["caveats"]]
    lines += ["", "## Pictures", ""]
    for file, what in pictures.items():
        lines += [f"{what}", "", f"![{what}]({file})", ""]
    lines += [
        "Intervals: 95 %, bootstrap over the test split's patients. ±: standard deviation over trainings. Tests:"
        " corrected resampled t-test over folds (Nadeau & Bengio 2003) of the AUROC; exact McNemar test of the test"
        " images; both Holm-corrected over the comparisons of this study.",
        "",
        "Nothing here is a medical device, nor a reason to use one.",
        "",
    ]
    return "\n".join(lines)


def _network(options: Mapping[str, Any]) -> str:
    learned = "all layers" if options["unfreeze"] or options["weights"] == "none" else "the head alone"
    weights = "from scratch" if options["weights"] == "none" else f"from {options['weights']} weights"
    return f"{options['arch']}, {weights}, {learned} trained"


def _of(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values()):,} ({', '.join(f'{count:,} {name}' for name, count in counts.items())})"


def _table(results: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ["", *(result["arm"] for result in results)]
    lines = [_row(head), _row(["---"] * len(head))]
    lines.append(_row(["real / synthetic images", *(f"{one['n_real']:,} / {one['n_synthetic']:,}" for one in results)]))
    for name, label in METRICS.items():
        cells = []
        for one in results:
            figure = one["test"][name]
            deviation = f" ± {number(figure['std'])}" if figure["std"] is not None else ""
            cells.append(f"{number(figure['mean'])}{deviation} ({between(figure['interval'])})")
        lines.append(_row([label, *cells]))
    return lines


def _tests(comparisons: Sequence[Mapping[str, Any]]) -> list[str]:
    if not comparisons:
        return []
    with_folds = comparisons[0]["folds"] is not None
    head = ["real data", "arm", "Δ AUROC (test)", "95 %"]
    head += ["Δ AUROC (folds)", "p", "Holm"] if with_folds else []
    head += ["right alone : other alone", "p (McNemar)", "Holm", "verdict"]
    lines = [_row(head), _row(["---"] * len(head))]
    for one in comparisons:
        difference, folds, images = one["difference"]["auroc"], one["folds"], one["images"]
        cells = [
            share(one["fraction"]),
            one["arm"],
            signed(difference["mean"]),
            between(difference["interval"], signed),
        ]
        if with_folds:
            cells += [signed(folds["mean"]), p_value(folds["p"]), p_value(folds["p_holm"])]
        cells += [f"{images['only_this_arm_right']} : {images['only_the_other_right']}"]
        lines.append(_row([*cells, p_value(images["p"]), p_value(images["p_holm"]), one["verdict"]]))
    return [*lines, ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
