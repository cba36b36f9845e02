"""A run's report: all that its files say, gathered for the template."""

import contextlib
import datetime
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xrgan
from xrgan.cards.facts import OPEN, Facts
from xrgan.cards.model_card import limits
from xrgan.errors import XrganError
from xrgan.evaluation import scores_table
from xrgan.evaluation.scores_file import ScoreKey
from xrgan.files import read_yaml
from xrgan.plots import SHOWS_PATIENTS
from xrgan.report import answers, curves, pictures, recipe
from xrgan.report.flow import flow
from xrgan.report.meanings import meanings
from xrgan.report.options import options_of
from xrgan.report.pictures import Picture, embedded
from xrgan.report.readers import readers_context
from xrgan.report.render import render
from xrgan.report.studies import studies

FILE, PUBLIC_FILE = "report.html", "report-public.html"
ENVIRONMENT = (  # keys of environment.yaml
    *("xrgan", "git_commit", "python", "torch", "torchvision", "numpy", "pandas"),
    *("platform", "device", "threads", "seed", "run_id"),
)


@dataclass(frozen=True)
class Sources:
    """Where a report takes what it shows from.

    Attributes:
        synthetic: the folder of synthetic images; of a public report, one into which they were drawn for it.
        public: without real patients: no picture and no pair of theirs, no name of a reader.
    """

    facts: Facts
    synthetic: Path
    public: bool = False

    @functools.cached_property
    def readers(self) -> dict[str, Any]:
        """What readers made of real and synthetic images; empty where nobody read. In public they have no names."""
        file = self.facts.run.readers / "summary.yaml"
        if not file.is_file():
            return {}
        summary = read_yaml(file)
        if self.public:
            each = [{**one, "reader": f"reader {k}"} for k, one in enumerate(summary["readers"], 1)]
            summary = {**summary, "readers": each}
        return summary


@dataclass(frozen=True)
class ScoreTable:
    title: str
    rows: Sequence[Sequence[str]]


def run_page(sources: Sources) -> str:
    """Write a run's report as HTML.

    Raises:
        XrganError: a file that it is written from is damaged.
    """
    with damage_told(str(sources.facts.run.path)):
        return render("run.html", **_context(sources))


@contextlib.contextmanager
def damage_told(whose: str) -> Iterator[None]:
    """Raise XrganError where a file of a run doesn't hold what a page is made of."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise XrganError(
            f"A file of {whose} is not as xrgan writes it, so there is no report: {reason}.",
            "`xrgan evaluate` and the studies write theirs anew.",
        ) from error


def _context(sources: Sources) -> dict[str, Any]:
    facts, public, evaluation = sources.facts, sources.public, sources.facts.run.evaluation
    changed, automatic, left = options_of(facts.config)
    shown = pictures.samples(sources.synthetic)
    drawn = pictures.count_drawn(facts.run.synthetic) if public else sum(one.count for one in shown)
    return {
        "name": facts.run.name,
        "public": public,
        "about": about(facts),
        "shows_patients": SHOWS_PATIENTS,
        "of_phantoms": facts.trained_on.get("source") == "phantom",
        "answers": answers.answers(facts, sources.readers),
        "rule": answers.RULE,
        "flow": flow(facts, drawn),
        "changed": changed,
        "automatic": automatic,
        "left": left,
        "environment": [(key, facts.environment[key]) for key in ENVIRONMENT if facts.environment.get(key) is not None],
        "curves": curves.training_curves(facts),
        "over_time": curves.scores_over_time(evaluation),
        "scatter": curves.realism_and_variety(facts),
        "grids": pictures.grids(facts.run.samples, facts.run.name, only_marked=public),
        "samples": shown,
        "score_tables": score_tables(facts),
        "score_columns": scores_table.COLUMNS,
        "score_notes": facts.scores.get("notes", []),
        "meanings": meanings([ScoreKey.parse(key).name for key in facts.metrics]),
        "pairs": None if public else _pairs(facts),
        "overview": None if public else _overview(evaluation),
        "studies": studies(facts.studies, facts.run.path, public),
        **readers_context(sources.readers),
        "limits": [limit.replace(OPEN, "(open)") for limit in limits(facts)],
        "no_proof": answers.NO_PROOF,
        "citations": recipe.citations(facts),
        "commands": recipe.commands(facts),
        **written(),
    }


def written() -> dict[str, str]:
    """By what a page was written, and when."""
    now = datetime.datetime.now().astimezone()
    return {"version": xrgan.__version__, "date": f"{now:%Y-%m-%d %H:%M}"}


def about(facts: Facts) -> list[str]:
    """What a run is, in three sentences."""
    known = facts.trained_on
    size, channels = known.get("size", "?"), {1: "gray", 3: "RGB"}.get(known.get("channels", 0), "of unknown depth")
    classes = " and ".join(map(str, known.get("classes", [])))
    by_class = f", by class ({classes})" if facts.config.model.conditional is True and classes else ""
    masks = ", with masks" if facts.config.model.masks is True else ""
    source = facts.dataset["source"] if facts.dataset else {"name": known.get("source", "")}
    of_source = source.get("title") or source.get("name")
    took = f" in {facts.minutes:,.0f} minutes" if facts.minutes is not None else ""
    device = f" on {facts.environment['device']}" if facts.environment.get("device") else ""
    images = f"{known['training_images']:,} X-rays" if "training_images" in known else "X-rays"
    return [
        f"{facts.run.name} draws synthetic chest X-rays of {size} × {size} pixels, {channels}{by_class}{masks}.",
        f"It learned from {images} of {known.get('name') or facts.config.dataset}"
        f"{f' ({of_source})' if of_source else ''}{took}{device}.",
        "Synthetic images show no patient; nothing here is a medical device, or fit for diagnosis.",
    ]


def score_tables(facts: Facts) -> list[ScoreTable]:
    """The scores as `xrgan evaluate` shows them, a table for each extractor."""
    if not facts.metrics:
        return []
    tables = []
    scores: Any = {**facts.scores, "metrics": facts.metrics}
    for extractor, called in scores_table.extractors(scores).items():
        rows, metric = [], ""
        for title, *cells in scores_table.rows(scores, extractor):
            of_class = title.startswith("– ")
            metric = metric if of_class else title
            rows.append([f"{metric} {title}" if of_class else title, *cells])
        tables.append(ScoreTable(called or "Inception features", rows))
    return tables


def _overview(evaluation: Path) -> Picture | None:
    file = evaluation / "overview.png"
    said = "Real held-out X-rays on the left, synthetic ones on the right, class by class; what the scores know, below"
    return embedded(file, said, said) if file.is_file() else None


def _pairs(facts: Facts) -> Mapping[str, Any] | None:
    """The closest pairs: their picture, and a line for each."""
    score, file = answers.best_score(facts, "memorisation"), facts.run.evaluation / "memorisation.png"
    if score is None or not score.get("closest"):
        return None
    rows = [
        [
            str(k),
            one["space"],
            f"{one['relative']:.2f}",
            f"{one['nearness']:.2f}",
            "suspect" if one["nearness"] <= 1 else "no",
        ]
        for k, one in enumerate(score["closest"], 1)
    ]
    said = "The closest pairs: each synthetic image above its nearest training image"
    picture = embedded(file, said, said) if file.is_file() else None
    return {"rows": rows, "picture": picture, "note": score.get("note", "")}
