"""The closest pairs of synthetic and training images, side by side, for the eye to judge."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xrgan.evaluation.image_sets import Images
from xrgan.plots import drawn_figure, show_image

INCHES = 1.35  # per image
WIDTH = 9.5  # inches at least, for the words
SUSPECT, GENUINE = "#cc3311", "black"


def draw_pairs(path: Path, synthetic: Images, training: Images, figure: Mapping[str, Any]) -> None:
    """Write a PNG: each synthetic image of `figure["closest"]` above its nearest training image.

    Below each pair stands its relative distance, in red where it is a suspect; the thresholds are the caption.
    """
    pairs = figure["closest"]
    width = max(WIDTH, INCHES * len(pairs) + 0.4)
    with drawn_figure(path, width, 2 * INCHES + 1.3, dpi=150, font_size=9) as drawn:
        axes = drawn.subplots(2, len(pairs), squeeze=False)
        for (above, below), pair in zip(axes.T, pairs, strict=True):
            show_image(above, synthetic[pair["synthetic"]])
            show_image(below, training[pair["training"]])
            colour = SUSPECT if pair["nearness"] <= 1 else GENUINE
            below.set_xlabel(f"{pair['space']}\n{pair['relative']:.2f}", color=colour)
        axes[0, 0].set_ylabel("synthetic")
        axes[1, 0].set_ylabel("training")
        drawn.suptitle(_title(figure), fontsize=11)
        drawn.supxlabel(_caption(figure), fontsize=9)


def _title(figure: Mapping[str, Any]) -> str:
    floor = "unknown" if figure["floor"] is None else f"{100 * figure['floor']:.1f} %"
    share = f"{figure['suspects']:,} of {figure['n']:,} synthetic images ({100 * figure['value']:.1f} %)"
    return f"The closest pairs. Suspected copies: {share}; of held-out real images: {floor}"


def _caption(figure: Mapping[str, Any]) -> str:
    limits = " or ".join(f"{name} ≤ {space['threshold']:.2f}" for name, space in figure["spaces"].items())
    return (
        f"Below each pair: distance ÷ that to the 9th to 16th nearest training image; in red, a suspect: {limits}.\n"
        f"Looked for {figure['note']}."
    )
