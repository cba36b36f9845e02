"""A run's checkpoints, scored one by one: how FID and KID fall with the steps, and which checkpoint is best.

Rows in, a table and a picture out. Only rows of one setting compare: FID depends on how many images it saw.
"""

import csv
import dataclasses
import functools
import io
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from xrgan.errors import XrganError
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.features import extract
from xrgan.evaluation.metrics import fid, kid
from xrgan.files import replacing, write_text

TABLE, PICTURE = "over_time.csv", "over_time.png"
CHOOSES = "val"  # the split that may choose a checkpoint: chosen on test, a test score would be too good
COLUMNS = ("checkpoint", "epoch", "step", "images seen", "FID", "KID", "")
SYNTHETIC, REAL = "#ee6677", "#4477aa"  # told apart by the colour-blind (Tol's bright)


class Setting(NamedTuple):
    """What a score depends on, beside the checkpoint."""

    split: str
    n: int
    seed: int
    extractor: str
    layer: int
    """of FID, as its number of features"""


@dataclass(frozen=True)
class Distances:
    fid: float
    kid: float
    kid_std: float
    """over KID's subsets"""


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
    seconds: float
    """of training, up to this checkpoint"""

    @property
    def setting(self) -> Setting:
        return Setting(self.split, self.n, self.seed, self.extractor, self.layer)


def score(
    real: NDArray[np.uint8], images: NDArray[np.uint8], layer: int, seed: int, extractor: Extractor, description: str
) -> Distances:
    """FID and KID of images, or of other real ones, against real ones: both uint8 (N, C, H, W), C = 1 or 3.

    Args:
        layer: of FID.
        seed: of KID's subsets.
        description: what the progress bar calls `images`.
    """
    of_real = extract(real, extractor, "Features of real images")
    of_images = extract(images, extractor, description)
    distance = kid(of_real[extractor.last], of_images[extractor.last], seed)
    return Distances(fid(of_real[layer], of_images[layer]), distance.value, distance.std)


def read(folder: Path) -> list[Row]:
    """The rows of over_time.csv, the first step first; none where there is no such file.

    Raises:
        XrganError: the file was damaged.
    """
    file = folder / TABLE
    if not file.is_file():
        return []
    kinds = {field.name: field.type for field in dataclasses.fields(Row)}
    try:
        with file.open(newline="", encoding="utf-8") as opened:
            rows = list(csv.DictReader(opened))
        return [Row(**{name: kind(row[name]) for name, kind in kinds.items()}) for row in rows]  # type: ignore[operator]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise XrganError(f"{file} is damaged: {reason}.", "Move it away to begin a new one.") from error


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
    """Drop the rows of later checkpoints: a run that goes on from here makes them anew."""
    rows = read(folder)
    kept = [row for row in rows if row.step <= step]
    if kept != rows:
        write(folder, kept)


def publish(
    folder: Path, rows: Sequence[Row], setting: Setting, there: Collection[int]
) -> tuple[list[Row], Row | None]:
    """Write over_time.csv with all rows, and over_time.png with those of one setting, of which there must be some.

    Args:
        there: the steps of the checkpoints that are on disk.

    Returns:
        The rows of the setting, the first step first, and the best of those that are there.
    """
    write(folder, rows)
    comparable = [row for row in read(folder) if row.setting == setting]
    chosen = best(comparable, there)
    draw(folder / PICTURE, comparable, chosen)
    return comparable, chosen


def best(rows: Sequence[Row], there: Collection[int]) -> Row | None:
    """The row of least KID among the checkpoints that are there, by step; None where no row is of the val split.

    KID chooses, for it has no bias; equal ones, to the first.
    """
    fit = [row for row in rows if row.split == CHOOSES and row.step in there and math.isfinite(row.kid)]
    return min(fit, key=lambda row: (row.kid, row.step), default=None)


def summary(rows: Sequence[Row], chosen: Row | None) -> dict[str, Any]:
    """Rows of one setting as JSON takes them; `best` is the name of a checkpoint, or None."""
    return {"best": chosen and chosen.checkpoint, "checkpoints": [dataclasses.asdict(row) for row in rows]}


def sentence(row: Row) -> str:
    return (
        f"{row.checkpoint}: FID {row.fid:.2f} (real vs real {row.fid_floor:.2f}), KID {row.kid:.4f} "
        f"({row.kid_floor:.4f}), {row.n:,} images against as many of {row.split}."
    )


def table(rows: Sequence[Row], chosen: Row | None) -> list[tuple[str, ...]]:
    """What the terminal shows of rows of one setting, and below them what real images score themselves."""
    shown: list[tuple[str, ...]] = [
        (
            row.checkpoint,
            f"{row.epoch:g}",
            str(row.step),
            f"{row.images_seen:,}",
            f"{row.fid:.2f}",
            f"{row.kid:.4f} ± {row.kid_std:.4f}",
            "best" if row == chosen else "",
        )
        for row in rows
    ]
    floors = [("real vs real", "", "", "", f"{row.fid_floor:.2f}", f"{row.kid_floor:.4f}", "") for row in rows[-1:]]
    return [*shown, *floors]


def draw(path: Path, rows: Sequence[Row], chosen: Row | None) -> None:
    """Write a PNG: FID and KID of rows of one setting (one at least) over the images seen, and over the steps above."""
    seen = np.array([row.images_seen for row in rows])
    last = rows[-1]
    batch_size = last.images_seen / last.step if last.step else 1.0
    with matplotlib.rc_context({"font.size": 9}):
        figure = Figure(figsize=(9, 3.8), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        left.plot(seen, [row.fid for row in rows], "o-", color=SYNTHETIC, label="synthetic")
        right.errorbar(
            seen,
            [row.kid for row in rows],
            [row.kid_std for row in rows],
            fmt="o-",
            color=SYNTHETIC,
            capsize=2,
            elinewidth=0.8,
            label="synthetic (bar: spread of subsets)",
        )
        if chosen is not None:
            for axes, height in ((left, chosen.fid), (right, chosen.kid)):
                axes.plot(chosen.images_seen, height, "*", color="black", markersize=13, zorder=5, label="best, by KID")
        for axes, floor, name in ((left, last.fid_floor, f"FID, layer {last.layer}"), (right, last.kid_floor, "KID")):
            axes.axhline(floor, color=REAL, linestyle="--", label="real vs real")
            _finish(axes, name, batch_size)
        figure.suptitle(f"{last.n:,} images a checkpoint against as many of {last.split}; lower is better", fontsize=10)
        with replacing(path) as temporary:
            figure.savefig(temporary, format="png", dpi=120)


def _finish(axes: Axes, name: str, batch_size: float) -> None:
    axes.set(ylabel=name, xlabel="images seen")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.set_xlim(left=0.0)
    axes.locator_params(axis="x", nbins=5)  # more numbers of five digits touch one another
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    to_steps, to_images = functools.partial(np.multiply, 1 / batch_size), functools.partial(np.multiply, batch_size)
    steps = axes.secondary_xaxis("top", functions=(to_steps, to_images))
    steps.set_xlabel("steps")
    steps.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
