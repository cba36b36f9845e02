"""The sides of a comparison without a run: folders of images, or prepared datasets, brought to one size."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from xrgan import console
from xrgan.data.images import resize_all
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.data.reading.marked import SYNTHETIC, mark_in
from xrgan.data.synthetic import list_synthetic, read_synthetic
from xrgan.errors import XrganError

NAMED = 3  # images

if TYPE_CHECKING:
    from xrgan.evaluation.image_sets import ImageSet


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
        named = ", ".join(marked[:NAMED]) + (f" and {len(marked) - NAMED:,} more" if len(marked) > NAMED else "")
        console.warn(
            f"{len(marked):,} images of {folder} say that they are synthetic, and were left out: {named}. "
            "--allow-synthetic takes them."
        )
    return marked


def common_classes(folders: Sequence[Path]) -> list[str]:
    """The classes that every side has: one that a side lacks has nothing to compare with."""
    classes = [set(open_packed(f).classes) if _is_dataset(f) else set(list_synthetic(f)["label"]) for f in folders]
    return sorted(set.intersection(*classes) - {""})


def read_side(
    folder: Path, classes: Sequence[str], splits: Sequence[str], size: int, leave_out: Sequence[str] = ()
) -> "ImageSet":
    """One side of a comparison.

    Args:
        classes: that have a number; an image of another one has no label.
        splits: of a prepared dataset, those whose images count.
        size: pixels a side of the result; 0 = as the images are.
        leave_out: names of images that don't count.

    Raises:
        XrganError: as `read_synthetic`; or the dataset has no image in those splits.
    """
    from xrgan.evaluation.image_sets import ImageSet

    if not _is_dataset(folder):
        return ImageSet(*read_synthetic(folder, classes, known_only=False, size=size, leave_out=leave_out))
    dataset = open_packed(folder)
    indices = dataset.of_split(*splits)
    if leave_out:
        index = pd.read_csv(folder / "index.csv", dtype=str, keep_default_na=False)
        indices = indices[~index["file"].iloc[indices].isin(leave_out).to_numpy()]
    if not len(indices):
        raise XrganError(
            f"{folder} has no image for {' or '.join(splits)}.",
            "--split names another one, or give a folder of images.",
        )
    labels = [_number(dataset, classes, int(label)) for label in dataset.labels[indices]]
    return ImageSet(resize_all(dataset.xrays(indices), size), np.array(labels, np.int64))


def _is_dataset(folder: Path) -> bool:
    return (folder / "dataset.yaml").is_file()


def _number(dataset: PackedDataset, classes: Sequence[str], label: int) -> int:
    """The number of a dataset's label among `classes`; -1 = none."""
    name = dataset.classes[label] if label >= 0 else ""
    return classes.index(name) if name in classes else -1
