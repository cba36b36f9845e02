"""A folder of synthetic images → arrays: what `xrgan sample` wrote, or what anybody else drew."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan.data.images import Pixels, read_files
from xrgan.data.reading.pictures import find_images
from xrgan.errors import XrganError

NOT_SAMPLES = {"sheet.png", "walk.gif"}
MASK_ENDING = "_mask"


def list_synthetic(folder: Path) -> pd.DataFrame:
    """The synthetic images of a folder: columns file (below the folder) and label ("" = none), by name.

    The labels come from `index.csv` (columns file, label), else from class folders `<class>/*`.

    Raises:
        XrganError: there is no such folder, or index.csv lacks a column.
    """
    if not folder.is_dir():
        raise XrganError(f"There is no folder {folder}.", "`xrgan sample` draws synthetic images.")
    index_file = folder / "index.csv"
    if index_file.is_file():
        try:
            index = pd.read_csv(index_file, dtype=str, keep_default_na=False)
            return index[["file", "label"]].copy()
        except (ValueError, KeyError) as error:
            raise XrganError(f"{index_file} has no columns file and label: {error}.") from error
    files = [
        file.relative_to(folder)
        for file in find_images(folder)
        if file.name not in NOT_SAMPLES and not file.stem.endswith(MASK_ENDING)
    ]
    labels = [file.parts[0] if len(file.parts) > 1 else "" for file in files]
    return pd.DataFrame({"file": [file.as_posix() for file in files], "label": labels})


def read_synthetic(
    folder: Path, classes: Sequence[str] = (), limit: int | None = None, known_only: bool = True
) -> tuple[Pixels, NDArray[np.int64]]:
    """Read a folder of synthetic images: uint8 (M, C, H, W), and labels (M,), -1 where there is none.

    Args:
        classes: of the dataset; a label's number is its place there.
        limit: read only the first so many.
        known_only: whether a label outside of `classes` is an error; else it counts as none.

    Raises:
        XrganError: there is no image, sizes differ, or a label is none of `classes`.
    """
    index = list_synthetic(folder)[:limit]
    if index.empty:
        raise XrganError(f"There is no image in {folder}.", "`xrgan sample` draws some.")
    unknown = sorted(set(index["label"]) - {"", *classes}) if classes and known_only else []
    if unknown:
        raise XrganError(
            f"{folder} holds images of {unknown[0]!r}.", f"The dataset's classes are {', '.join(classes)}."
        )
    labels = [classes.index(label) if label in classes else -1 for label in index["label"]]
    return read_files([folder / file for file in index["file"]]), np.array(labels, np.int64)
