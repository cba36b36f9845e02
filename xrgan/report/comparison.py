"""Several runs side by side: a table that sorts, their answers, and their grids in one view."""

from collections.abc import Mapping, Sequence
from typing import Any

from xrgan.cards.facts import Facts
from xrgan.report import answers, curves, pictures
from xrgan.report.answers import best_score
from xrgan.report.charts import DrawnChart, draw, short
from xrgan.report.page import Sources, about, damage_told, written
from xrgan.report.pictures import Picture
from xrgan.report.render import render

FIGURES = {  # score → title and digits
    "fid": ("FID", 1),
    "kid": ("KID", 4),
    "clipped_coverage": ("coverage", 3),
    "clipped_density": ("density", 3),
}
COLUMNS = ("run", "dataset", "size", "model", "images seen", "minutes", "N")
COLUMNS_BEHIND = ("copies", "studies", "readers")


def comparison_page(sources: Sequence[Sources]) -> str:
    """Write the page of several runs as HTML.

    Raises:
        XrganError: a file that it is written from is damaged.
    """
    with damage_told("one of the runs"):
        context: dict[str, Any] = {
            "columns": columns(),
            "rows": [row(one) for one in sources],
            "runs": [_run(one) for one in sources],
            "scatter": _scatter([one.facts for one in sources]),
            "same": same_comparison([one.facts for one in sources]),
            "rule": answers.RULE,
            **written(),
        }
        return render("runs.html", **context)


def columns() -> list[str]:
    """The heads of the table."""
    scores = [column for title, _ in FIGURES.values() for column in (title, f"{title}, real")]
    return [*COLUMNS, *scores, *COLUMNS_BEHIND]


def row(source: Sources) -> list[str]:
    """A run as a line of the table."""
    facts, trained_on = source.facts, source.facts.trained_on
    cells = [facts.run.name, str(trained_on.get("name") or facts.config.dataset), short(trained_on.get("size"))]
    cells += [facts.config.model.name, short(facts.images_seen), _rounded(facts.minutes, 1)]
    cells.append(short(facts.scores.get("images", {}).get("n")))
    for name, (_, digits) in FIGURES.items():
        score: Mapping[str, Any] = best_score(facts, name) or {}
        cells += [_rounded(score.get("value"), digits), _rounded(score.get("floor"), digits)]
    copies = best_score(facts, "memorisation")
    studied = answers.does_it_help(facts)
    cells.append("–" if copies is None else f"{100 * copies['value']:.1f} %")
    cells.append("–" if studied.state == "open" and studied.next_step else studied.words)
    return [*cells, f"{100 * source.readers['accuracy']['value']:.0f} % right" if source.readers else "–"]


def _rounded(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def same_comparison(every: Sequence[Facts]) -> bool:
    """Whether all scored runs were scored with as many images of one dataset: only then FIDs compare."""
    scored = [facts for facts in every if facts.metrics]
    settings = {(facts.scores.get("images", {}).get("n"), facts.run.trained_on()) for facts in scored}
    return len(settings) <= 1


def _run(source: Sources) -> dict[str, Any]:
    facts = source.facts
    return {
        "name": facts.run.name,
        "about": about(facts)[1],
        "answers": answers.answers(facts, source.readers),
        "picture": _picture(source),
    }


def _picture(source: Sources) -> Picture | None:
    """The contact sheet of what was drawn, else the training's last grid."""
    name, sheet = source.facts.run.name, source.synthetic / "sheet.png"
    if sheet.is_file():
        return pictures.embedded(sheet, f"Contact sheet of synthetic X-rays of {name}", f"{name}: contact sheet")
    grids = pictures.grids(source.facts.run.samples, name, only_marked=source.public)
    return grids[-1] if grids else None


def _scatter(every: Sequence[Facts]) -> DrawnChart | None:
    points = []
    for facts in every:
        density, coverage = (best_score(facts, name) for name in curves.CLIPPED)
        if density and coverage:
            points.append((facts.run.name, float(density["value"]), float(coverage["value"])))
    return draw(curves.scatter(points, *curves.CLIPPED_LABELS, "Up and to the right is better.")) if points else None
