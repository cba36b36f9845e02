"""Scores of a run's checkpoints: FID, KID and clipped coverage of each, kept in over_time.csv; which one is best.

Only rows of one setting compare: FID depends on how many images it saw.
"""

import csv
import dataclasses
import io
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xrgan.errors import XrganError
from xrgan.files import as_number, write_text

if TYPE_CHECKING:
    from xrgan.evaluation.extractors import Extractor

TABLE = "over_time.csv"
VARIETY_KEPT = 0.05  # clipped coverage that the best checkpoint may lack of the highest: about two standard errors
KINDS: dict[Any, type[int] | type[float]] = {int: int, float: float}
UNKNOWN = {"clipped_coverage": "nan", "clipped_coverage_floor": "nan"}  # columns that older tables lack
CHOOSES = "val"  # the split that may choose a checkpoint: chosen on test, a test score would be too good


class Setting(NamedTuple):
    """What a score depends on, beside the checkpoint."""

    split: str
    n: int
    seed: int
    extractor: str
    layer: int
    """of FID, as its number of features"""


@dataclass(frozen=True)
class Quality:
    """FID, KID and clipped coverage of one set of images."""

    fid: float
    kid: float
    kid_std: float
    """over KID's subsets"""
    clipped_coverage: float


@dataclass(frozen=True)
class Row:
    """One checkpoint under one setting; the floors are those of as many training images."""

    checkpoint: str
    epoch: float
    step: int
    images_seen: int
    split: str
    n: int
    seed: int
    extractor: str
    layer: int
    fid: float
    fid_floor: float
    kid: float
    kid_std: float
    kid_floor: float
    clipped_coverage: float
    """NaN in rows of earlier versions"""
    clipped_coverage_floor: float
    seconds: float
    """of training, up to this checkpoint"""

    @property
    def setting(self) -> Setting:
        return Setting(self.split, self.n, self.seed, self.extractor, self.layer)


def score(
    real: NDArray[np.uint8], images: NDArray[np.uint8], layer: int, seed: int, extractor: "Extractor", description: str
) -> Quality:
    """Compute the scores of images, or of other real ones, against real ones: uint8 (N, C, H, W), C = 1 or 3.

    Args:
        layer: of FID.
        seed: of KID's subsets.
        description: what the progress bar calls `images`.
    """
    from xrgan.evaluation.clipped import clipped_coverage_alone  # the table alone is read without torch
    from xrgan.evaluation.features import extract
    from xrgan.evaluation.metrics import fid, kid

    of_real = extract(real, extractor, "Features of real images")
    of_images = extract(images, extractor, description)
    last = of_real[extractor.last], of_images[extractor.last]
    distance = kid(*last, seed)
    return Quality(fid(of_real[layer], of_images[layer]), distance.value, distance.std, clipped_coverage_alone(*last))


def read(folder: Path) -> list[Row]:
    """Read the rows of over_time.csv, the first step first; none where there is no such file.

    Raises:
        XrganError: the file was damaged.
    """
    file = folder / TABLE
    if not file.is_file():
        return []
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        return [_row(cells, f"line {line}") for line, cells in enumerate(rows, 2)]
    except (ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise XrganError(f"{file} is damaged: {reason}.", "Move it away to begin a new one.") from error


def _row(cells: Mapping[str, str | None], line: str) -> Row:
    """One line of over_time.csv; ValueError where it lacks a figure."""
    made: dict[str, Any] = {}
    for field in dataclasses.fields(Row):
        cell = cells.get(field.name, UNKNOWN.get(field.name))
        if cell is None:
            raise ValueError(f"{line} has no {field.name}")
        made[field.name] = cell if field.type is str else as_number(cell, f"{line}'s {field.name}", KINDS[field.type])
    return Row(**made)


def write(folder: Path, rows: Sequence[Row]) -> None:
    """Replace over_time.csv; of two rows of one step and setting, the later one counts."""
    latest = {(row.step, row.setting): row for row in rows}
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in dataclasses.fields(Row)], lineterminator="\n")
    writer.writeheader()
    for key in sorted(latest):
        fields = dataclasses.asdict(latest[key])
        writer.writerow({name: f"{value:.7g}" if isinstance(value, float) else value for name, value in fields.items()})
    write_text(folder / TABLE, text.getvalue())


def forget_after(folder: Path, step: int) -> None:
    """Drop the rows of later checkpoints: a run that resumes from here makes them anew."""
    rows = read(folder)
    kept = [row for row in rows if row.step <= step]
    if kept != rows:
        write(folder, kept)


def best(rows: Sequence[Row], on_disk: Collection[int]) -> Row | None:
    """Choose the best row among the checkpoints on disk, by step; None where no row is of the val split.

    KID chooses, for it has no bias; but only among checkpoints that have the variety: whose clipped coverage is within
    VARIETY_KEPT of the highest, so that one which lost it late is not the best. Equal ones, to the first. Where a row
    of an earlier version says nothing of coverage, KID chooses alone.
    """
    fit = [row for row in rows if row.split == CHOOSES and row.step in on_disk and math.isfinite(row.kid)]
    most = max((row.clipped_coverage for row in fit), default=0.0)
    if all(math.isfinite(row.clipped_coverage) for row in fit):
        fit = [row for row in fit if row.clipped_coverage >= most - VARIETY_KEPT]
    return min(fit, key=lambda row: (row.kid, row.step), default=None)
