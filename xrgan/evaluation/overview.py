"""What a score is about, as one picture: images, closest pairs, how far the sets overlap, how FID fell."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from xrgan.data.images import grid
from xrgan.evaluation import checkpoint_scores
from xrgan.evaluation.image_sets import HELD_OUT, Comparison, Images
from xrgan.evaluation.metric_table import displays
from xrgan.evaluation.scores_file import Score, ScoreKey, Scores
from xrgan.marks import mixed_mark
from xrgan.plots import REAL, SHOWS_PATIENTS, SYNTHETIC, drawn_figure, show_image

COLUMNS = 5
ROWS = 5  # shared by the classes, one each at least
PAIRS = 5  # closest ones
PANEL_INCHES = 3.4

Panel = Callable[[Axes], None]


def draw_overview(path: Path, comparison: Comparison, scores: Scores, caption: str) -> None:
    """Write a PNG: real and synthetic images, one block of rows per class; below, what the scores know of them.

    Args:
        caption: a line or two below all.
    """
    blocks = _blocks(comparison)
    rows = sum(-(-max(len(real), len(synthetic)) // COLUMNS) for _, real, synthetic in blocks)
    panels = _panels(path.parent, comparison, scores["metrics"])
    heights = [1.07 * rows + 0.9, *([PANEL_INCHES] if panels else [])]
    with drawn_figure(path, 11, sum(heights), dpi=150, font_size=10, mark=mixed_mark()) as figure:
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        _draw_images(parts[0], blocks, comparison.reference)
        if panels:
            for axes, draw in zip(parts[1].subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
                draw(axes)
        figure.supxlabel(f"{SHOWS_PATIENTS}\n{caption}", fontsize=10)


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


def _panels(folder: Path, comparison: Comparison, scores: Mapping[str, Score]) -> list[Panel]:
    """The drawings below the images, as far as the scores have them."""
    panels: list[Panel] = []
    of_one = _of_one_extractor(scores)
    searched = next((score for score in of_one.values() if score.get("closest")), None)
    if searched is not None and comparison.training is not None:
        panels.append(partial(_draw_closest, comparison=comparison, score=searched))
    shares = [name for name in _shares() if name in of_one]
    if shares:
        panels.append(partial(_draw_overlap, scores={name: of_one[name] for name in shares}))
    rows = checkpoint_scores.read(folder)
    latest = [row for row in rows if row.setting == rows[-1].setting]
    if len(latest) > 1:
        panels.append(partial(_draw_fid_over_time, rows=latest))
    return panels


def _shares() -> dict[str, str]:
    """Name → title of the scores that say how far the sets overlap."""
    return {name: display.title for name, display in displays().items() if display.is_share}


def _of_one_extractor(scores: Mapping[str, Score]) -> dict[str, Score]:
    """Name → score, of the default extractor where it has shares, else of another one; and those of no extractor."""
    keys, shares = [ScoreKey.parse(key) for key in scores], _shares()
    against = {key.extractor for key in keys if scores[str(key)].get("trained_against")}
    extractors = sorted({key.extractor for key in keys}, key=lambda name: (name in against, name))
    with_shares = {key.extractor for key in keys if key.name in shares}
    chosen = next((extractor for extractor in extractors if extractor in with_shares), extractors[0])
    return {key.name: scores[str(key)] for key in keys if key.extractor in ("", chosen)}


def _draw_closest(axes: Axes, comparison: Comparison, score: Score) -> None:
    assert comparison.training is not None
    closest = score["closest"][:PAIRS]
    above = comparison.synthetic.images[[pair["synthetic"] for pair in closest]]
    below = comparison.training.images[[pair["training"] for pair in closest]]
    show_image(axes, grid(np.concatenate([above, below]), len(closest)))
    share = f"{100 * score['value']:.1f} %"
    floor = "unknown" if score["floor"] is None else f"{100 * score['floor']:.1f} %"
    axes.set_title("Closest pairs\n(synthetic above, training below)", fontsize=11)
    axes.set_xlabel(f"suspected copies: {share}\n(of held-out real images: {floor})")


def _draw_overlap(axes: Axes, scores: Mapping[str, Score]) -> None:
    """Bars with their 95 % intervals; a tick where real images stand."""
    values = np.array([score["value"] for score in scores.values()])
    ends = np.array([score.get("interval", 2 * [score["value"]]) for score in scores.values()])
    places, titles = np.arange(len(scores)), _shares()
    axes.barh(places, values, xerr=np.abs(ends - values[:, None]).T, color=REAL, ecolor="#223355", height=0.6)
    floors = [score["floor"] for score in scores.values()]
    known = [(place, floor) for place, floor in zip(places, floors, strict=True) if floor is not None]
    axes.scatter([floor for _, floor in known], [place for place, _ in known], marker="|", s=500, c="black", zorder=3)
    axes.set_yticks(places, [titles[name] for name in scores])
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_title("Do the sets overlap?\n(line: real against real)", fontsize=11)
    axes.set_xlabel("1 = all of them")


def _draw_fid_over_time(axes: Axes, rows: Sequence[checkpoint_scores.Row]) -> None:
    axes.plot([row.images_seen for row in rows], [row.fid for row in rows], "o-", color=SYNTHETIC)
    axes.axhline(rows[-1].fid_floor, color=REAL, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_title("FID over the training\n(dashed: real against real)", fontsize=11)
    axes.set_xlabel("images seen")
