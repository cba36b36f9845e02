"""The closest pairs of synthetic and training images, side by side, for the eye to judge."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xrgan.evaluation.image_sets import Images
from xrgan.files import replacing

INCHES = 1.35  # per image
WIDTH = 9.5  # inches at least, for the words
SUSPECT, GENUINE = "#cc3311", "black"


def draw_pairs(path: Path, synthetic: Images, training: Images, figure: Mapping[str, Any]) -> None:
    """Write a PNG: each synthetic image of `figure["closest"]` above its nearest training image.

    Below each pair stands its relative distance, in red where it is a suspect; the thresholds are the caption.
    """
    pairs = figure["closest"]
    with matplotlib.rc_context({"font.size": 9}):
        drawn = Figure(figsize=(max(WIDTH, INCHES * len(pairs) + 0.4), 2 * INCHES + 1.3), layout="constrained")
        FigureCanvasAgg(drawn)
        axes = drawn.subplots(2, len(pairs), squeeze=False)
        for (above, below), pair in zip(axes.T, pairs, strict=True):
            _show(above, synthetic[pair["synthetic"]])
            _show(below, training[pair["training"]])
            colour = SUSPECT if pair["nearness"] <= 1 else GENUINE
            below.set_xlabel(f"{pair['space']}\n{pair['relative']:.2f}", color=colour)
        axes[0, 0].set_ylabel("synthetic")
        axes[1, 0].set_ylabel("training")
        drawn.suptitle(_title(figure), fontsize=11)
        drawn.supxlabel(_caption(figure), fontsize=9)
        with replacing(path) as temporary:
            drawn.savefig(temporary, format="png", dpi=150)


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


def _show(axis: Axes, image: Images) -> None:
    pixels = np.moveaxis(image, 0, -1)
    axis.imshow(pixels if len(image) == 3 else image[0], cmap="gray", vmin=0, vmax=255)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
