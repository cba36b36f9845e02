"""The sides of a comparison without a run: folders of images, or prepared datasets, brought to one size."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xrgan import console
from xrgan.data.image_files import depth_of, pixels_of, resize_all
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.data.reading.marked import SYNTHETIC, mark_in
from xrgan.data.synthetic import list_synthetic, open_synthetic
from xrgan.errors import XrganError
from xrgan.layout import first_few

NAMED = 3  # images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from xrgan.data.images import Pixels
    from xrgan.evaluation.image_sets import ImageSet


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a folder, the splits whose images count where it is prepared, and who doesn't count."""

    folder: Path
    splits: Sequence[str] = ()
    leave_out: Sequence[str] = ()  # names of images


def left_out_as_synthetic(folder: Path) -> list[str]:
    """Find the images of a side that say they are synthetic, and name them to the user: they are no real ones.

    Returns:
        Their names, as `list_synthetic` or the dataset's index.csv gives them.
    """
    if _is_dataset(folder):
        index = pd.read_csv(folder / "index.csv", dtype=str, keep_default_na=False)
        kinds = index["kind"] if "kind" in index else pd.Series("", index=index.index)
        marked = list(index["file"][kinds.str.endswith(SYNTHETIC)])
    else:
        marked = [file for file in list_synthetic(folder)["file"] if mark_in(folder / file) is not None]
    if marked:
        console.warn(
            f"{len(marked):,} images of {folder} say that they are synthetic, and were left out: "
            f"{first_few(marked, NAMED)}. --allow-synthetic takes them."
        )
    return marked


def common_classes(folders: Sequence[Path]) -> list[str]:
    """The classes that every side has: one that a side lacks has nothing to compare with."""
    classes = [set(open_packed(f).classes) if _is_dataset(f) else set(list_synthetic(f)["label"]) for f in folders]
    return sorted(set.intersection(*classes) - {""})


def read_sides(sides: Sequence[Side], classes: Sequence[str], size: int) -> "list[ImageSet]":
    """The sides of a comparison, scaled alike whatever the depth of their files.

    Args:
        classes: that have a number; an image of another one has no label.
        size: pixels a side of the result; 0 = as the images are.

    Raises:
        XrganError: as `open_synthetic`; the sizes of a folder's images differ; or a dataset has no image in its splits.
    """
    from xrgan.evaluation.image_sets import ImageSet

    prepared = {k: _of_dataset(side, classes) for k, side in enumerate(sides) if _is_dataset(side.folder)}
    opened = {
        k: open_synthetic(side.folder, classes, known_only=False, leave_out=side.leave_out)
        for k, side in enumerate(sides)
        if k not in prepared
    }
    brightness = [float(images.mean()) / 255 for images, *_ in prepared.values()]
    depth = depth_of([files for files, _ in opened.values()], brightness)
    sets = {k: ImageSet(resize_all(images, size), *about) for k, (images, *about) in prepared.items()}
    sets |= {k: ImageSet(pixels_of(files, depth, size=size), labels) for k, (files, labels) in opened.items()}
    return [sets[k] for k in range(len(sides))]


def _of_dataset(side: Side, classes: Sequence[str]) -> "tuple[Pixels, NDArray[np.int64], NDArray[np.int64]]":
    """A dataset's images of those splits, their labels and their patients."""
    dataset = open_packed(side.folder)
    indices = dataset.of_split(*side.splits)
    if side.leave_out:
        index = pd.read_csv(side.folder / "index.csv", dtype=str, keep_default_na=False)
        indices = indices[~index["file"].iloc[indices].isin(side.leave_out).to_numpy()]
    if not len(indices):
        raise XrganError(
            f"{side.folder} has no image for {' or '.join(side.splits)}.",
            "--split names another one, or give a folder of images.",
        )
    labels = [_number(dataset, classes, int(label)) for label in dataset.labels[indices]]
    return dataset.xrays(indices), np.array(labels, np.int64), dataset.groups[indices]


def _is_dataset(folder: Path) -> bool:
    return (folder / "dataset.yaml").is_file()


def _number(dataset: PackedDataset, classes: Sequence[str], label: int) -> int:
    """The number of a dataset's label among `classes`; -1 = none."""
    name = dataset.classes[label] if label >= 0 else ""
    return classes.index(name) if name in classes else -1
