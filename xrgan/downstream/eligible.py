"""Which images a study may take: real ones that judge nobody unfairly, synthetic ones that fit them."""

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.packed import PackedDataset
from xrgan.downstream.folds import Indices
from xrgan.downstream.leaks import TrainingProvenance, drop_leaked_test_images
from xrgan.errors import XrganError


def usable_rows(
    dataset: PackedDataset, usable: NDArray[np.bool_], drop_leaked: bool, seen: tuple[TrainingProvenance, ...]
) -> list[Indices]:
    """The rows of train, val and test that a study may use: nobody is judged by who is learned from.

    Args:
        usable: (N,) rows that the study can do something with.

    Raises:
        XrganError: as `gather`.
    """
    parts = [rows[usable[rows]] for rows in map(dataset.of_split, ("train", "val", "test"))]
    given, groups = len(parts[2]), dataset.groups
    learned = [groups[parts[0]], groups[parts[1]], *(one.groups for one in seen)]
    parts[2] = drop_leaked_test_images(dataset, parts[2], np.concatenate(learned), drop_leaked)
    if left := given - len(parts[2]):
        console.notice(f"{left:,} of {given:,} test images are left out: their patients were learned from.")
    return parts


def check_shape(dataset: PackedDataset, images: NDArray[np.uint8]) -> None:
    """Raises: XrganError: there is no synthetic image, or they are of another size than the dataset's."""
    if len(images) == 0:
        raise XrganError("There are no synthetic images.", "`xrgan sample --n 1000` draws some.")
    real = dataset.xrays(np.arange(1))
    if images.shape[1:] != real.shape[1:]:
        raise XrganError(
            f"The synthetic images are {_shape(images)}, those of {dataset.name} are {_shape(real)}.",
            "Take the images of a run that was trained on this dataset.",
        )


def _shape(images: NDArray[np.uint8]) -> str:
    _, channels, height, width = images.shape
    return f"{width} × {height} with {channels} channel{'s' if channels > 1 else ''}"
