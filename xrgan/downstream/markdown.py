"""report.md of any study: the conclusion, the arms' figures, the comparisons, what to keep in mind, the pictures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xrgan.downstream.wording import between, number, p_value, share, signed

Said = Mapping[str, Any]


def page(
    summary: Said,
    pictures: Mapping[str, str],
    title: str,
    setting: str,
    metrics: Mapping[str, str],
    tests: Sequence[str],
    footnote: str,
) -> str:
    """The whole report.

    Args:
        pictures: file name → what it shows.
        setting: what was trained, on how many images, and judged by how many.
        metrics: name → label, in the order of the tables.
        tests: lines of `tests_table`.
        footnote: which intervals and tests these are.
    """
    lines = [f"# {title} {summary['dataset']['name']}", "", summary["conclusion"], "", setting, ""]
    for fraction in dict.fromkeys(one["fraction"] for one in summary["results"]):
        results = [one for one in summary["results"] if one["fraction"] == fraction]
        lines += [f"## Test split, {share(fraction)} of the real training images", ""]
        lines += [*_arms_table(results, metrics), ""]
    lines += ["## Comparisons", ""]
    lines += [f"- {one['sentence']}" for one in summary["comparisons"]] or ["None."]
    lines += ["", *tests, "## What to keep in mind", ""]
    lines += [f"- {caveat}" for caveat in summary["caveats"]]
    lines += ["", "## Pictures", ""]
    for file, what in pictures.items():
        lines += [what, "", f"![{what}]({file})", ""]
    return "\n".join([*lines, footnote, "", "Nothing here is a medical device, nor a reason to use one.", ""])


def tests_table(
    comparisons: Sequence[Said], leading: str, label: str, head: Sequence[str], cells: Callable[[Said], Sequence[str]]
) -> list[str]:
    """A row a comparison.

    Args:
        label: of the leading figure.
        head: of the paired test's columns.
        cells: of the paired test.
    """
    if not comparisons:
        return []
    with_folds = comparisons[0]["folds"] is not None
    of_folds = [f"Δ {label} (folds)", "p", "Holm"] if with_folds else []
    lines = _top(["real data", "arm", f"Δ {label} (test)", "95 %", *of_folds, *head, "verdict"])
    for one in comparisons:
        difference, folds = one["difference"][leading], one["folds"]
        said = [share(one["fraction"]), one["arm"]]
        said += [signed(difference["mean"]), between(difference["interval"], signed)]
        if with_folds:
            said += [signed(folds["mean"]), p_value(folds["p"]), p_value(folds["p_holm"])]
        lines.append(_row([*said, *cells(one), one["verdict"]]))
    return [*lines, ""]


def setting_of(options: Said) -> str:
    """Folds and trainings of a study, in words."""
    folds = f"{options['k_folds']} folds by patient" if options["k_folds"] else "the dataset's own split"
    return f"{folds}, {options['seeds']} training{'s' if options['seeds'] > 1 else ''} each"


def _arms_table(results: Sequence[Said], metrics: Mapping[str, str]) -> list[str]:
    lines = _top(["", *(one["arm"] for one in results)])
    lines.append(_row(["real / synthetic images", *(f"{one['n_real']:,} / {one['n_synthetic']:,}" for one in results)]))
    for name, label in metrics.items():
        cells = []
        for one in results:
            figure = one["test"][name]
            deviation = f" ± {number(figure['std'])}" if figure["std"] is not None else ""
            cells.append(f"{number(figure['mean'])}{deviation} ({between(figure['interval'])})")
        lines.append(_row([label, *cells]))
    return lines


def _top(head: Sequence[str]) -> list[str]:
    return [_row(head), _row(["---"] * len(head))]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
