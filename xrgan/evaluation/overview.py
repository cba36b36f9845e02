"""Real beside synthetic images, as one picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from xrgan.data.images import grid
from xrgan.evaluation.compared import Compared, Images
from xrgan.files import replacing

COLUMNS = 5
ROWS = 5  # shared by the classes, one each at least


def draw_overview(path: Path, compared: Compared, caption: str) -> None:
    """Write a PNG with real images on the left and synthetic ones on the right, a block of rows a class.

    Args:
        caption: one line below them.
    """
    per_class = [(name, *both) for name, both in compared.of_classes().items() if min(map(len, both)) > 0]
    blocks = per_class[:ROWS] or [("", compared.real, compared.synthetic)]
    count = COLUMNS * max(1, ROWS // len(blocks))
    _draw(path, [(name, real[:count], synthetic[:count]) for name, real, synthetic in blocks], caption)


def _draw(path: Path, blocks: Sequence[tuple[str, Images, Images]], caption: str) -> None:
    rows = sum(-(-max(len(real), len(synthetic)) // COLUMNS) for _, real, synthetic in blocks)
    figure = Figure(figsize=(11, 1.07 * rows + 0.9), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(blocks), 2, squeeze=False)
    for row, (name, real, synthetic) in zip(axes, blocks, strict=True):
        for axis, images in zip(row, (real, synthetic), strict=True):
            sheet = np.moveaxis(grid(images, COLUMNS), 0, -1)
            axis.imshow(sheet if sheet.shape[-1] == 3 else sheet[..., 0], cmap="gray", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        row[0].set_ylabel(name, fontsize=12)
    axes[0, 0].set_title("Real (held out)", fontsize=14)
    axes[0, 1].set_title("Synthetic", fontsize=14)
    figure.supxlabel(caption, fontsize=10)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150)
