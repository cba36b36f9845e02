"""A picture of what segmenters draw: some X-rays, beside each its true masks and the predicted ones, in colour."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.patches import Patch
from numpy.typing import NDArray

from xrgan.data.images import Pixels
from xrgan.data.sheets import COLOURS, TINT, tinted
from xrgan.downstream.folds import Indices
from xrgan.downstream.segmentation.inference import load_segmenters
from xrgan.downstream.segmentation.metrics import flat
from xrgan.downstream.segmentation.segmenter import predict
from xrgan.downstream.task import Results
from xrgan.downstream.trial import Floats, Trial
from xrgan.plots import SHOWS_PATIENTS, new_figure, save_figure, show_image

CELL = 2.6  # inches
MOST_ROWS = 12  # a longer picture is looked at by nobody
SHOWN = 2  # images around the median, and of the worst

Masks = NDArray[np.bool_]


def save_pictures(results: Results, baseline: str) -> dict[str, str]:
    """Save overlays of the same few test images by each arm's best segmenter, where that is one of these trainings.

    It isn't where an earlier study had larger fractions: then its own is on disk.

    Returns:
        File name → what it shows, as a sentence.
    """
    pool, trials, path = results.pool, results.of_most, results.folder / "overlays.png"
    arms = list(dict.fromkeys(one.key.arm for one in trials))
    segmenters = load_segmenters(results.folder, results.studies, {one.key for one in trials})
    if not segmenters:
        path.unlink(missing_ok=True)
        return {}
    dice = {arm: _dice([one for one in trials if one.key.arm == arm]) for arm in arms}
    titles, chosen = _median_and_worst(dice[baseline])
    beside = [
        "\n".join([title, *(f"{arm} {dice[arm][k]:.3f}" for arm in arms)])
        for title, k in zip(titles, chosen, strict=True)
    ]
    images = pool.test[chosen]
    predicted = {
        arm: predict(segmenters[arm], pool.images, images, results.device) for arm in arms if arm in segmenters
    }
    true = pool.targets[images].numpy() > 127
    save_overlays(path, pool.images[images].numpy(), true, predicted, pool.names, beside)
    return {
        "overlays.png": f"Real test images: those whose Dice under {baseline} is the median, and the worst. Each arm's"
        " segmenter is the one with the best validation Dice; the figures are means over the arm's trainings."
    }


def save_overlays(
    path: Path,
    images: Pixels,
    true: Masks,
    predicted: Mapping[str, Masks],
    names: Sequence[str],
    titles: Sequence[str],
) -> None:
    """Draw one row per image, for the first `MOST_ROWS`.

    Args:
        images: uint8 (n, C, H, W), C in {1, 3}, n ≥ 1.
        true: bool (n, M, H, W); predicted: those of each segmenter.
        names: of the M structures, for the legend.
        titles: what stands beside each of the n rows: the file, its scores.
    """
    masks = {"true": true, **predicted}
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
    figure.legend(handles=_legend(names, true), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(SHOWS_PATIENTS, fontsize="small")
    save_figure(figure, path)


def _over(images: Pixels, masks: Masks) -> Pixels:
    """The images under the masks in colour: uint8 (n, 3, H, W)."""
    return tinted(np.concatenate([images, np.where(masks, 255, 0).astype(np.uint8)], axis=1), images.shape[1])


def _legend(names: Sequence[str], masks: Masks) -> list[Patch]:
    """A patch for each structure, and for each two that lie on one another somewhere in masks (n, M, H, W)."""
    colours = [np.array(COLOURS[k % len(COLOURS)]) / 255 for k in range(len(names))]
    patches = [Patch(color=tuple(colour), label=name) for name, colour in zip(names, colours, strict=True)]
    for i, k in itertools.combinations(range(len(names)), 2):
        if (masks[:, i] & masks[:, k]).any():  # the later one is laid over the earlier one, as `tinted` does
            both = (colours[i] * (1 - TINT) + colours[k]) / (2 - TINT)
            patches.append(Patch(color=tuple(both), label=f"{names[i]} and {names[k]}"))
    return patches


def _dice(trials: Sequence[Trial]) -> Floats:
    """Each test image's mean Dice over an arm's trainings: (n,)."""
    return np.asarray(np.mean([flat(one.on_test)[:, 0] for one in trials], axis=0))


def _median_and_worst(dice: Floats) -> tuple[list[str], Indices]:
    """What to call them, and their places among the test images."""
    order = np.argsort(dice, kind="stable")
    worst = order[:SHOWN]
    middle = [k for k in order[(len(order) - 1) // 2 :][:SHOWN] if k not in worst]
    return ["median Dice"] * len(middle) + ["worst Dice"] * len(worst), np.array([*middle, *worst], np.int64)
