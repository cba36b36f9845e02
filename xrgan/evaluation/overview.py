"""What a score is about, as one picture: images, closest pairs, how far the sets overlap, how FID fell."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from xrgan.data.images import grid
from xrgan.evaluation import checkpoint_scores
from xrgan.evaluation.image_sets import HELD_OUT, Comparison, Images
from xrgan.evaluation.scores_file import FIGURES, Scores, of_one_extractor
from xrgan.plots import REAL, SYNTHETIC, drawn_figure, show_image

COLUMNS = 5
ROWS = 5  # shared by the classes, one each at least
PAIRS = 5  # closest ones
PANEL_INCHES = 3.4
BALANCE = FIGURES["prdc"]


def draw_overview(path: Path, comparison: Comparison, scores: Scores, caption: str) -> None:
    """Write a PNG: real and synthetic images, a block of rows a class; below, what the scores know of them.

    Args:
        caption: one line below all.
    """
    blocks = _blocks(comparison)
    rows = sum(-(-max(len(real), len(synthetic)) // COLUMNS) for _, real, synthetic in blocks)
    panels = _panels(path.parent, comparison, scores["metrics"])
    heights = [1.07 * rows + 0.9, *([PANEL_INCHES] if panels else [])]
    with drawn_figure(path, 11, sum(heights), dpi=150, font_size=10) as figure:
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        _draw_images(parts[0], blocks, comparison.reference)
        if panels:
            for axes, draw in zip(parts[1].subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
                draw(axes)
        figure.supxlabel(caption, fontsize=10)


def _blocks(comparison: Comparison) -> list[tuple[str, Images, Images]]:
    per_class = []
    for index, name in enumerate(comparison.classes):
        real, synthetic = (images.of_class(index).images for images in (comparison.real, comparison.synthetic))
        if min(len(real), len(synthetic)):
            per_class.append((name, real, synthetic))
    blocks = per_class[:ROWS] or [("", comparison.real.images, comparison.synthetic.images)]
    count = COLUMNS * max(1, ROWS // len(blocks))
    return [(name, real[:count], synthetic[:count]) for name, real, synthetic in blocks]


def _draw_images(figure: SubFigure, blocks: Sequence[tuple[str, Images, Images]], reference: str) -> None:
    axes = figure.subplots(len(blocks), 2, squeeze=False)
    for row, (name, real, synthetic) in zip(axes, blocks, strict=True):
        for axis, images in zip(row, (real, synthetic), strict=True):
            show_image(axis, grid(images, COLUMNS))
        row[0].set_ylabel(name, fontsize=12)
    axes[0, 0].set_title("Real (held out)" if reference == HELD_OUT else "Real (training images)", fontsize=14)
    axes[0, 1].set_title("Synthetic", fontsize=14)


def _panels(folder: Path, comparison: Comparison, figures: dict[str, Any]) -> list[Any]:
    """The drawings below the images, as far as the scores have them."""
    panels = []
    figures = of_one_extractor(figures)
    if figures.get("memorisation", {}).get("closest") and comparison.training is not None:
        panels.append(lambda axes: _draw_closest(axes, comparison, figures["memorisation"]))
    if set(BALANCE) <= figures.keys():
        panels.append(lambda axes: _draw_balance(axes, figures))
    rows = checkpoint_scores.read(folder)
    latest = [row for row in rows if row.setting == rows[-1].setting]
    if len(latest) > 1:
        panels.append(lambda axes: _draw_way(axes, latest))
    return panels


def _draw_closest(axes: Axes, comparison: Comparison, figure: Mapping[str, Any]) -> None:
    assert comparison.training is not None
    closest = figure["closest"][:PAIRS]
    above = comparison.synthetic.images[[pair["synthetic"] for pair in closest]]
    below = comparison.training.images[[pair["training"] for pair in closest]]
    show_image(axes, grid(np.concatenate([above, below]), len(closest)))
    share = f"{100 * figure['value']:.1f} %"
    floor = "unknown" if figure["floor"] is None else f"{100 * figure['floor']:.1f} %"
    axes.set_title("Closest pairs\n(synthetic above, training below)", fontsize=11)
    axes.set_xlabel(f"suspected copies: {share}\n(of held-out real images: {floor})")


def _draw_balance(axes: Axes, figures: Mapping[str, Any]) -> None:
    """Bars with their 95 % intervals; a tick where real images stand."""
    values = np.array([figures[name]["value"] for name in BALANCE])
    ends = np.array([figures[name].get("interval", 2 * [figures[name]["value"]]) for name in BALANCE])
    places = np.arange(len(BALANCE))
    axes.barh(places, values, xerr=np.abs(ends - values[:, None]).T, color=REAL, ecolor="#223355", height=0.6)
    floors = [figures[name]["floor"] for name in BALANCE]
    known = [(place, floor) for place, floor in zip(places, floors, strict=True) if floor is not None]
    axes.scatter([floor for _, floor in known], [place for place, _ in known], marker="|", s=500, c="black", zorder=3)
    axes.set_yticks(places, [name.capitalize() for name in BALANCE])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_title("Do the sets overlap?\n(line: real against real)", fontsize=11)
    axes.set_xlabel("1 = all of them")


def _draw_way(axes: Axes, rows: Sequence[checkpoint_scores.Row]) -> None:
    axes.plot([row.images_seen for row in rows], [row.fid for row in rows], "o-", color=SYNTHETIC)
    axes.axhline(rows[-1].fid_floor, color=REAL, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title("FID over the training\n(dashed: real against real)", fontsize=11)
    axes.set_xlabel("images seen")
