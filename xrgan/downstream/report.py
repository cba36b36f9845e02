"""What a study leaves in its folder: scores.csv, summary.yaml, report.md and its pictures; its table for a terminal."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from xrgan import console
from xrgan.downstream import plots
from xrgan.downstream.comparison import figures_on_fold, figures_on_test
from xrgan.downstream.summary import ArmResult, Comparison, Summary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.wording import between, number, p_value, share, signed
from xrgan.files import write_text, write_yaml

INTERVAL = "95 %"
"""Title of the column of an arm's interval in `columns`: the one to leave out where there is no room."""

PICTURES = ("curves.png", "folds.png", "roc.png", "confusion.png", "gain.png", "overlays.png")
"""In the report's order."""

SMALL_GROUPS = "Groups are small and many: a difference between two of them is a question, not an answer."
NO_VERDICT = "No verdict rests on it, and its intervals are not corrected for the number of arms."

FOOTNOTE = (
    "Verdict: the mean difference on the test split, with the variance over its patients (bootstrap) and that over"
    " trainings (seeds; or folds, corrected as by Nadeau & Bengio 2003), each with its own quantile of t (Banerjee"
    " 1961), Holm-corrected over the comparisons of this study; intervals of differences alike. Found in 80 %: the"
    " true difference that such a study finds four times out of five. Intervals of arms: 95 %, bootstrap over patients."
    " ±: standard deviation over trainings."
)


def write(task: Task, results: Results, summary: Summary) -> None:
    """Write scores.csv, report.md with its pictures, and last summary.yaml: where it is, the rest is whole."""
    console.waiting("Drawing the pictures of the report")
    folder, table = results.folder, scores(task, results)
    pictures = save_pictures(task, results, table, summary)
    write_text(folder / "scores.csv", table.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "report.md", as_markdown(task, summary, pictures))
    write_yaml(folder / "summary.yaml", dict(summary))


def scores(task: Task, results: Results) -> pd.DataFrame:
    """One row per training: which it is, what it learned from, its figures on test and in its fold.

    A segmenter's `test_dice` is the mean over structures and images, `test_dice_lungs` that of one structure. Columns
    that begin with `fold_` hold the figures of the left-out part; there are none in the dataset's own split.
    """
    rows = []
    for trial in results.trials:
        of_fold = figures_on_fold(task, results, trial) if trial.key.fold else {}
        rows.append(
            trial.row()
            | {f"validation_{name}": value for name, value in trial.history.kept.validation.items()}
            | {f"{task.test_prefix}{name}": value for name, value in figures_on_test(task, results, trial).items()}
            | {f"fold_{name}": value for name, value in of_fold.items()}
            | {"seconds": trial.seconds}
        )
    return pd.DataFrame(rows)


def save_pictures(task: Task, results: Results, table: pd.DataFrame, summary: Summary) -> dict[str, str]:
    """Save every picture that the study has something for: file name → what it shows, as a sentence.

    Args:
        table: `scores`.
    """
    folder, words = results.folder, task.wording
    of_most = table[table["fraction"] == table["fraction"].max()]
    drawn = task.drawn(results.pool.names)
    metrics = {f"{task.test_prefix}{name}": label for name, label in drawn.items()}
    intervals = {
        (one["arm"], f"{task.test_prefix}{name}"): one["test"][name]["interval"]
        for one in summary["results"]
        if one["fraction"] == of_most["fraction"].max()
        for name in drawn
    }
    plots.save_curves(folder / "curves.png", results.of_most, words.loss, task.validation)
    plots.save_trainings(folder / "folds.png", of_most, metrics, intervals)
    saved = {
        "curves.png": f"Training loss and validation {words.leading} over epochs"
        f" (thin: a training; thick: their mean; from {plots.LEAST_FOR_A_BAND} trainings on, shaded: its 95 %"
        " interval over trainings).",
        "folds.png": words.trained,
    }
    if plots.save_gain(folder / "gain.png", summary, task.leading, words.leading):
        saved["gain.png"] = (
            f"{words.leading} on the test split against the share of real training images, with 95 % intervals."
        )
    saved |= task.save_pictures(results, summary["baseline"])
    return {name: saved[name] for name in PICTURES if name in saved}


def as_markdown(task: Task, summary: Summary, pictures: Mapping[str, str]) -> str:
    """report.md: the conclusion, the arms' figures, the comparisons, what to keep in mind, the pictures.

    Args:
        pictures: file name → what it shows.
    """
    metrics = task.shown(summary["dataset"][task.names])
    title = f"# {task.wording.title} {summary['dataset']['name']}"
    lines = [_prose(title), "", _prose(summary["conclusion"]), "", _prose(task.setting(summary)), ""]
    for fraction in dict.fromkeys(one["fraction"] for one in summary["results"]):
        results = [one for one in summary["results"] if one["fraction"] == fraction]
        lines += [f"## Test split, {share(fraction)} of the real training images", ""]
        lines += [*_arms_table(results, metrics), ""]
    lines += ["## Comparisons", ""]
    lines += [f"- {_prose(one['sentence'])}" for one in summary["comparisons"]] or ["None."]
    lines += ["", *_tests_table(task, summary["comparisons"], summary["baseline"])]
    lines += [*_subgroups(task, summary), *_external(task, summary), "## What to keep in mind", ""]
    lines += [f"- {_prose(caveat)}" for caveat in summary["caveats"]]
    lines += ["", "## Pictures", ""]
    for file, what in pictures.items():
        lines += [what, "", f"![{what}]({file})", ""]
    lines += [
        f"{FOOTNOTE} {task.wording.footnote}",
        "",
        "Nothing here is a medical device, nor a reason to use one.",
        "",
    ]
    return "\n".join(lines)


def _subgroups(task: Task, summary: Summary) -> list[str]:
    """The leading metric by sex and age, one table per fraction; nothing where nobody is known."""
    groups = summary.get("subgroups", [])
    if not groups:
        return []
    lines = [
        "## By sex and age",
        "",
        f"{task.wording.leading} on the test split, 95 % over patients. {SMALL_GROUPS}",
        "",
    ]
    for fraction in dict.fromkeys(one["fraction"] for one in groups[0]["results"]):
        arms = [one["arm"] for one in groups[0]["results"] if one["fraction"] == fraction]
        lines += _top([f"{share(fraction)} of the real images", "images / patients", *arms])
        for group in groups:
            figures = [one["figure"] for one in group["results"] if one["fraction"] == fraction]
            cells = [f"{number(one['mean'])} ({between(one['interval'])})" for one in figures]
            few = ", too few to tell" if group.get("few") else ""
            lines.append(_row([f"{group['group']}{few}", f"{group['images']:,} / {group['patients']:,}", *cells]))
        lines.append("")
    return lines


def _external(task: Task, summary: Summary) -> list[str]:
    """The arms on another dataset; nothing where none was asked for."""
    if "external" not in summary:
        return []
    other, label = summary["external"], task.wording.leading
    left = (
        f"; {other['left_out']:,} are left out: of no class of this study, or learned from" if other["left_out"] else ""
    )
    size = f"{other['images']:,} images of {other['patients']:,} patients, who chose nothing{left}"
    lines = [f"## Another dataset: {_prose(other['dataset'])}", "", f"{size}. {NO_VERDICT}", ""]
    lines += _top(["real data", "arm", label, "95 %", f"Δ {label}", "95 % over patients and trainings"])
    gains = {(one["arm"], one["fraction"]): one for one in other["differences"]}
    for one in other["results"]:
        figure, gain = one["test"][task.leading], gains.get((one["arm"], one["fraction"]))
        cells = [share(one["fraction"]), one["arm"], number(figure["mean"]), between(figure["interval"])]
        beside = f" (against {gain['against']})" if gain and gain["against"] != summary["baseline"] else ""
        cells += [f"{signed(gain['mean'])}{beside}", between(gain["interval"], signed)] if gain else ["", ""]
        lines.append(_row(cells))
    return [*lines, ""]


def columns(task: Task, summary: Summary) -> list[str]:
    """Of `rows`."""
    with_fraction, leading = ["real data"] if _several_fractions(summary) else [], task.wording.leading
    return [*with_fraction, "arm", leading, INTERVAL, f"Δ {leading}", f"{INTERVAL} of Δ", "verdict"]


def rows(task: Task, summary: Summary) -> list[list[str]]:
    """The table of a summary for a terminal: one row per arm and fraction."""
    verdicts = {(one["arm"], one["fraction"]): one for one in summary["comparisons"]}
    table = []
    for one in summary["results"]:
        figure = one["test"][task.leading]
        cells = [share(one["fraction"])] if _several_fractions(summary) else []
        cells += [one["arm"], number(figure["mean"]), between(figure["interval"])]
        against = verdicts.get((one["arm"], one["fraction"]))
        if against:
            effect = against["effect"]
            cells += [
                signed(effect["mean"]),
                between(effect["interval"], signed),
                _verdict(against, summary["baseline"]),
            ]
        else:
            cells += ["", "", ""]
        table.append(cells)
    return table


def _several_fractions(summary: Summary) -> bool:
    return len({one["fraction"] for one in summary["results"]}) > 1


def _verdict(one: Comparison, baseline: str) -> str:
    """The verdict on an arm, with what it is held against where that isn't the baseline."""
    return one["verdict"] if one["against"] == baseline else f"{one['verdict']} (against {one['against']})"


def _tests_table(task: Task, comparisons: Sequence[Comparison], baseline: str) -> list[str]:
    """One row per comparison."""
    if not comparisons:
        return []
    label, words = task.wording.leading, task.paired
    with_folds = comparisons[0]["folds"] is not None
    head = ["real data", "arm", f"Δ {label} (test)", "95 %", "p", "Holm", "verdict", "found in 80 %"]
    head += [f"Δ {label} (folds)", "p", "Holm"] if with_folds else []
    lines = _top([*head, words.head, f"p ({words.test})", "Holm"])
    for one in comparisons:
        effect, folds, test = one["effect"], one["folds"], one[words.key]
        cells = [share(one["fraction"]), one["arm"], signed(effect["mean"]), between(effect["interval"], signed)]
        cells += [
            p_value(effect["p"]),
            p_value(effect["p_holm"]),
            _verdict(one, baseline),
            number(effect["detectable"]),
        ]
        if folds:
            cells += [signed(folds["mean"]), p_value(folds["p"]), p_value(folds["p_holm"])]
        cells += [f"{test[words.wins]} : {test[words.losses]}", p_value(test["p"]), p_value(test["p_holm"])]
        lines.append(_row(cells))
    return [*lines, ""]


def _arms_table(results: Sequence[ArmResult], metrics: Mapping[str, str]) -> list[str]:
    lines = _top(["", *(one["arm"] for one in results)])
    lines.append(_row(["real / synthetic images", *(f"{one['n_real']:,} / {one['n_synthetic']:,}" for one in results)]))
    lines.append(_row(["real images behind it, its generator's included", *map(_behind, results)]))
    for name, label in metrics.items():
        cells = []
        for one in results:
            figure = one["test"][name]
            deviation = f" ± {number(figure['std'])}" if figure["std"] is not None else ""
            cells.append(f"{number(figure['mean'])}{deviation} ({between(figure['interval'])})")
        lines.append(_row([label, *cells]))
    return lines


def _behind(one: ArmResult) -> str:
    count = one.get("n_behind")
    return "unknown" if count is None else f"{count:,}"


def _top(head: Sequence[str]) -> list[str]:
    return [_row(head), _row(["---"] * len(head))]


def _row(cells: Sequence[str]) -> str:
    """A line of a table."""
    plain = (_prose(cell).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(plain)} |"


def _prose(text: str) -> str:
    """A text that makes no link and no HTML: names of classes and structures are the user's, and may hold anything."""
    return re.sub(r"[\\\[\]]|<(?=[A-Za-z/!?])|&(?=#|[A-Za-z]+;)", r"\\\g<0>", " ".join(text.split()))
