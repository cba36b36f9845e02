"""What cards are written from: a run's own files and its dataset's, read; nothing is measured or guessed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from xrgan.config import Config
from xrgan.data.preparing.dataset_card import NAME, DatasetCard, read_card
from xrgan.evaluation.metric_table import displays
from xrgan.evaluation.scores_file import ScoreKey
from xrgan.files import read_yaml
from xrgan.rundir import RunDir

STUDIES = ("classify", "segment")
OPEN = "*open*"  # what xrgan doesn't know stays to be filled in


@dataclass(frozen=True)
class Traces:
    """How much of single patients there is in the averages that a generator computed from its training images."""

    images: int
    components: int
    largest_share: float
    """of one image in what made any one component; 1 = that image alone"""
    explained: float
    """share of a training image's difference from the mean that the components can draw, median"""
    explained_held_out: float | None
    """the same of images that they were not computed from; None = there are none"""


@dataclass(frozen=True)
class Facts:
    """All that is known of a run. Empty, or None: not known, not measured, or not here."""

    run: RunDir
    config: Config
    environment: Mapping[str, Any]
    losses: Sequence[Mapping[str, float]]
    scores: Mapping[str, Any]
    studies: Mapping[str, Mapping[str, Any]]
    dataset: DatasetCard | None
    traces: Traces | None = None
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def minutes(self) -> float | None:
        return self.losses[-1]["seconds"] / 60 if self.losses and "seconds" in self.losses[-1] else None

    @property
    def images_seen(self) -> int | None:
        return int(self.losses[-1]["images_seen"]) if self.losses and "images_seen" in self.losses[-1] else None

    @property
    def trained_on(self) -> Mapping[str, Any]:
        """What environment.yaml says of the dataset."""
        known: Mapping[str, Any] = self.environment.get("dataset", {})
        return known

    @property
    def metrics(self) -> dict[str, dict[str, Any]]:
        return dict(self.scores.get("metrics", {}))

    def score(self, *names: str) -> tuple[str, dict[str, Any]] | None:
        """Find the first of these scores that was measured, by whatever extractor: its title and what is said of it."""
        for name in names:
            for key, score in self.metrics.items():
                parsed = ScoreKey.parse(key)
                if parsed.name == name:
                    title = displays()[name].title
                    return f"{title} ({parsed.extractor})" if parsed.extractor else title, score
        return None


def gather(run: RunDir, dataset: Path | None = None, traces: Traces | None = None) -> Facts:
    """Read what there is.

    Args:
        dataset: the prepared dataset that the run was trained on, where it is here.

    Raises:
        XrganError: a file of the run is damaged.
    """
    studies = {name: read_yaml(file) for name in STUDIES if (file := run.path / name / "summary.yaml").is_file()}
    return Facts(
        run=run,
        config=run.read_config(),
        environment=run.read_environment(),
        losses=run.read_losses(),
        scores=run.read_scores(),
        studies=studies,
        dataset=_card_of(dataset) if dataset else None,
        traces=traces,
    )


def _card_of(dataset: Path) -> DatasetCard | None:
    """The dataset's own description; None where an earlier version wrote less of it."""
    whole = read_yaml(dataset / NAME).keys() >= DatasetCard.__required_keys__
    return read_card(dataset) if whole else None


def in_words(title: str, score: Mapping[str, Any]) -> str:
    """A score as a sentence's part, with what it can't be read without: its floor, its interval, its N."""
    percent = title.startswith("Suspected copies")
    said = [f"{title} {_figure(score['value'], percent)}"]
    if interval := score.get("interval"):
        said.append(f"95 % interval {_figure(interval[0], percent)} to {_figure(interval[1], percent)}")
    if (floor := score.get("floor")) is not None:
        said.append(f"real images {_figure(floor, percent)}")
    if "n" in score:
        said.append(f"N = {score['n']:,}")
    return f"{said[0]} ({', '.join(said[1:])})" if len(said) > 1 else said[0]


def lowest_class(score: Mapping[str, Any]) -> tuple[str, float] | None:
    """The class in which a score is lowest, and its value there; None where it is known of fewer than two."""
    per_class = {name: float(one["value"]) for name, one in score.get("per_class", {}).items()}
    return min(per_class.items(), key=lambda item: item[1]) if len(per_class) > 1 else None


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def as_yaml(content: Mapping[str, Any]) -> str:
    """Plain values as a block of YAML."""
    return f"```yaml\n{yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True)}```"


def _cell(cell: object) -> str:
    return " ".join(str(cell).split()).replace("|", "\\|")


def _figure(value: float, percent: bool = False) -> str:
    return f"{100 * value:.1f} %" if percent else f"{value:.4g}"
