"""The sides of a comparison without a run: folders of images, or prepared datasets, brought to one size."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xrgan.data.images import resize_all
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.data.synthetic import list_synthetic, read_synthetic
from xrgan.errors import XrganError

if TYPE_CHECKING:
    from xrgan.evaluation.image_sets import ImageSet


def common_classes(folders: Sequence[Path]) -> list[str]:
    """The classes that every side has: one that a side lacks has nothing to compare with."""
    classes = [set(open_packed(f).classes) if _is_dataset(f) else set(list_synthetic(f)["label"]) for f in folders]
    return sorted(set.intersection(*classes) - {""})


def read_side(folder: Path, classes: Sequence[str], splits: Sequence[str], size: int) -> "ImageSet":
    """One side of a comparison.

    Args:
        classes: that have a number; an image of another one has no label.
        splits: of a prepared dataset, those whose images count.
        size: pixels a side of the result; 0 = as the images are.

    Raises:
        XrganError: as `read_synthetic`; or the dataset has no image in those splits.
    """
    from xrgan.evaluation.image_sets import ImageSet

    if not _is_dataset(folder):
        return ImageSet(*read_synthetic(folder, classes, known_only=False, size=size))
    dataset = open_packed(folder)
    indices = dataset.of_split(*splits)
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
