"""A picture of what segmenters draw: some X-rays, beside each its true masks and the predicted ones, in colour."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.patches import Patch
from numpy.typing import NDArray

from xrgan.data.images import Pixels
from xrgan.data.sheets import COLOURS, tinted
from xrgan.plots import new_figure, save_figure, show_image

CELL = 2.6  # inches
MOST_ROWS = 12  # a longer picture is looked at by nobody

Masks = NDArray[np.bool_]


def save_overlays(
    path: Path,
    images: Pixels,
    true: Masks,
    predicted: Masks | Mapping[str, Masks],
    names: Sequence[str],
    titles: Sequence[str],
) -> None:
    """A row an image, for the first `MOST_ROWS`.

    Args:
        images: uint8 (n, C, H, W), C in {1, 3}, n ≥ 1.
        true, predicted: bool (n, M, H, W); those of several segmenters by their names.
        names: of the M structures, for the legend.
        titles: what stands beside each of the n rows: the file, its scores.
    """
    masks = {"true": true} | (dict(predicted) if isinstance(predicted, Mapping) else {"predicted": predicted})
    assert {len(images), len(titles)} == {len(shown) for shown in masks.values()} and true.shape[1] == len(names)
    images = images[:MOST_ROWS]
    columns = {"X-ray": np.broadcast_to(images, (len(images), 3, *images.shape[2:]))}
    columns |= {heading: _over(images, shown[:MOST_ROWS]) for heading, shown in masks.items()}
    figure = new_figure(CELL * len(columns), CELL * len(images) + 0.5)
    axes = figure.subplots(len(images), len(columns), squeeze=False)
    for panels, title, *cells in zip(axes, titles, *columns.values(), strict=False):
        panels[0].set_ylabel(title, fontsize="small")
        for panel, cell in zip(panels, cells, strict=True):
            show_image(panel, cell, interpolation="nearest")
    for panel, heading in zip(axes[0], columns, strict=True):
        panel.set_title(heading, fontsize="medium")
    figure.legend(handles=_legend(names), loc="outside lower center", ncols=len(names), frameon=False)
    save_figure(figure, path)


def _over(images: Pixels, masks: Masks) -> Pixels:
    """The images under the masks in colour: uint8 (n, 3, H, W)."""
    return tinted(np.concatenate([images, np.where(masks, 255, 0).astype(np.uint8)], axis=1), images.shape[1])


def _legend(names: Sequence[str]) -> list[Patch]:
    colours = (np.array(COLOURS[k % len(COLOURS)]) / 255 for k in range(len(names)))
    return [Patch(color=tuple(colour), label=name) for name, colour in zip(names, colours, strict=True)]
