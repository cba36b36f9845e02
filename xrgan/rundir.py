"""A run directory: its paths, its config.yaml, its losses.csv. Moved, zipped or mailed, it stays whole."""

import csv
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from xrgan.config import AUTO, Config
from xrgan.config_resolve import read_config, write_config
from xrgan.errors import XrganError
from xrgan.files import as_number, read_yaml, write_text, write_yaml

COUNTS = ("epoch", "step")  # columns of losses.csv


class _TrainedOn(BaseModel):
    name: str = ""
    content_hash: str = ""


class _InitialisedFrom(BaseModel):
    run: str
    step: int
    dataset: str
    before: list[str] = []


class _Environment(BaseModel):
    """What is read back of environment.yaml."""

    dataset: _TrainedOn = _TrainedOn()
    initialised_from: _InitialisedFrom | None = None
    threads: int | None = None
    run_id: str = ""


class _Figure(BaseModel):
    value: float


class _Scores(BaseModel):
    """What is read back of evaluation/scores.yaml."""

    metrics: dict[str, _Figure] = {}
    earlier: list["_Scores"] = []


@dataclass(frozen=True)
class RunDir:
    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def config_file(self) -> Path:
        return self.path / "config.yaml"

    @property
    def environment_file(self) -> Path:
        return self.path / "environment.yaml"

    @property
    def losses_file(self) -> Path:
        return self.path / "losses.csv"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def synthetic(self) -> Path:
        return self.path / "synthetic"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation"

    @property
    def classify(self) -> Path:
        return self.path / "classify"

    @property
    def segment(self) -> Path:
        return self.path / "segment"

    @property
    def readers(self) -> Path:
        return self.path / "readers"

    @property
    def tensorboard(self) -> Path:
        return self.path / "tensorboard"

    def exists(self) -> bool:
        return self.config_file.is_file()

    def read_config(self) -> Config:
        """Read the configuration that the run was trained with.

        Raises:
            XrganError: this is no run directory, or its config.yaml was damaged.
        """
        if not self.exists():
            raise XrganError(f"{self.path} is no run: it has no config.yaml.", "`xrgan runs` lists the runs.")
        # Runs of before name the device that they were trained on: another machine may have none such.
        return read_config(self.config_file).model_copy(update={"device": AUTO})

    def write_config(self, config: Config) -> None:
        # Where the images come from and how they were prepared stands in the dataset's own dataset.yaml, and what a run
        # was trained on in environment.yaml.
        write_config(self.config_file, config, leave_out=["phantom", "prepare", "device"])

    def read_environment(self) -> dict[str, Any]:
        if not self.environment_file.is_file():
            return {}
        return read_yaml(self.environment_file, _Environment, "Take it from a copy of the run.")

    def trained_on(self) -> str:
        """Read the content hash of the dataset that the run was trained on; empty where the run doesn't say."""
        return str(self.read_environment().get("dataset", {}).get("content_hash", ""))

    def run_id(self) -> str:
        """What tells this run's checkpoints from others'; empty where an older version made it."""
        return str(self.read_environment().get("run_id", ""))

    def write_environment(self, environment: dict[str, Any]) -> None:
        write_yaml(self.environment_file, environment)

    def read_losses(self, needed: Collection[str] = ("epoch",)) -> list[dict[str, float]]:
        """Read losses.csv: one row per epoch, oldest first, without what was not measured then.

        Empty where no epoch was finished.

        Args:
            needed: the columns that every row must have.

        Raises:
            XrganError: losses.csv was damaged.
        """
        if not self.losses_file.is_file():
            return []
        try:
            with self.losses_file.open(newline="", encoding="utf-8") as file:
                rows = [
                    {key: as_number(cell, f"line {line}'s {key}", float) for key, cell in row.items() if cell != ""}
                    for line, row in enumerate(csv.DictReader(file), 2)
                ]
            for number, row in enumerate(rows, 2):
                if missing := [column for column in needed if column not in row]:
                    raise ValueError(f"line {number} has no {missing[0]}")
                if not all(math.isfinite(row.get(column, 0)) for column in COUNTS):
                    raise ValueError(f"line {number} has no number of an epoch or step")
            return rows
        except (ValueError, TypeError, csv.Error) as error:
            raise XrganError(f"{self.losses_file} is damaged: {error}.", "Move it away to go on without it.") from error

    def write_losses(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Replace losses.csv as a whole; a run of thousands of epochs still fits in a few hundred kB."""
        text = io.StringIO()
        if rows:
            columns = dict.fromkeys(column for row in rows for column in row)
            writer = csv.DictWriter(text, fieldnames=list(columns), lineterminator="\n")
            writer.writeheader()
            writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
        write_text(self.losses_file, text.getvalue())

    def read_scores(self) -> dict[str, Any]:
        file = self.evaluation / "scores.yaml"
        return read_yaml(file, _Scores, "`xrgan evaluate` writes it anew.") if file.is_file() else {}


def _plain(value: float) -> int | float:
    return int(value) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else value
