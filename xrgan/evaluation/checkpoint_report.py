"""Report of a run's scored checkpoints: a table for the terminal, over_time.csv, and a picture, over_time.png."""

import dataclasses
import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypedDict

import numpy as np
from matplotlib.axes import Axes

from xrgan.evaluation.checkpoint_scores import VARIETY_KEPT, Row, Setting, best, read, write
from xrgan.plots import REAL, SYNTHETIC, drawn_figure

PICTURE = "over_time.png"
COLUMNS = ("checkpoint", "epoch", "step", "images seen", "FID", "KID", "clipped coverage", "")


def publish(
    folder: Path, rows: Sequence[Row], setting: Setting, on_disk: Collection[int]
) -> tuple[list[Row], Row | None]:
    """Write over_time.csv with all rows, and over_time.png with those of one setting, of which there must be some.

    Args:
        on_disk: the steps of the checkpoints that are on disk.

    Returns:
        The rows of the setting, the first step first, and the best of those that are on disk.
    """
    write(folder, rows)
    comparable = [row for row in read(folder) if row.setting == setting]
    chosen = best(comparable, on_disk)
    draw(folder / PICTURE, comparable, chosen)
    return comparable, chosen


class Summary(TypedDict):
    """What `evaluate --every-checkpoint --json` prints."""

    best: str | None
    """name of a checkpoint"""
    checkpoints: list[dict[str, str | int | float]]
    """the fields of each `Row`"""


def summary(rows: Sequence[Row], chosen: Row | None) -> Summary:
    """Make rows of one setting what JSON takes."""
    return {"best": chosen.checkpoint if chosen else None, "checkpoints": [dataclasses.asdict(row) for row in rows]}


def sentence(row: Row) -> str:
    """Say the scores of one checkpoint in one sentence."""
    return (
        f"{row.checkpoint}: FID {row.fid:.2f} (real vs real {row.fid_floor:.2f}), KID {row.kid:.4f} "
        f"({row.kid_floor:.4f}), clipped coverage {row.clipped_coverage:.2f} ({row.clipped_coverage_floor:.2f}), "
        f"{row.n:,} images against as many of {row.split}."
    )


def table(rows: Sequence[Row], chosen: Row | None) -> list[tuple[str, ...]]:
    """Make the terminal's table of rows of one setting; its last row is what real images score themselves."""
    shown: list[tuple[str, ...]] = [
        (
            row.checkpoint,
            f"{row.epoch:g}",
            str(row.step),
            f"{row.images_seen:,}",
            f"{row.fid:.2f}",
            f"{row.kid:.4f} ± {row.kid_std:.4f}",
            f"{row.clipped_coverage:.2f}",
            "best" if row == chosen else "",
        )
        for row in rows
    ]
    last = rows[-1]
    floors = f"{last.fid_floor:.2f}", f"{last.kid_floor:.4f}", f"{last.clipped_coverage_floor:.2f}"
    return [*shown, ("real vs real", "", "", "", *floors, "")]


def draw(path: Path, rows: Sequence[Row], chosen: Row | None) -> None:
    """Draw the scores of rows of one setting (one at least) over the images seen, and over the steps above, as PNG."""
    seen = np.array([row.images_seen for row in rows])
    last = rows[-1]
    batch_size = last.images_seen / last.step if last.step else 1.0
    panels = (
        (f"FID, layer {last.layer}: lower is better", [row.fid for row in rows], last.fid_floor),
        ("KID: lower is better (bars: spread of subsets)", [row.kid for row in rows], last.kid_floor),
        ("clipped coverage: higher is better", [row.clipped_coverage for row in rows], last.clipped_coverage_floor),
    )
    with drawn_figure(path, 13, 3.8, dpi=120, font_size=9) as figure:
        for axes, (name, values, floor) in zip(figure.subplots(1, len(panels)), panels, strict=True):
            spread = [row.kid_std for row in rows] if name.startswith("KID") else None
            axes.errorbar(seen, values, spread, fmt="o-", color=SYNTHETIC, capsize=2, elinewidth=0.8, label="synthetic")
            if chosen is not None:
                height = values[rows.index(chosen)]
                axes.plot(chosen.images_seen, height, "*", color="black", markersize=13, zorder=5, label="best")
            axes.axhline(floor, color=REAL, linestyle="--", label="real vs real")
            _finish(axes, name, batch_size)
        figure.suptitle(
            f"{last.n:,} images a checkpoint against as many of {last.split}; best: by KID, among those whose coverage "
            f"is within {VARIETY_KEPT} of the highest",
            fontsize=10,
        )


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
