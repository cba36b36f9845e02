"""A folder of synthetic images → arrays: what `xrgan sample` wrote, or what anybody else drew."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.filenames import inside
from xrgan.data.image_files import ImageFiles, depth_of, open_files, pixels_of
from xrgan.data.images import Pixels, read_gray
from xrgan.data.reading import masks
from xrgan.data.reading.kinds import KNOWN_KINDS, count_others, in_words
from xrgan.data.reading.marked import SAMPLE
from xrgan.data.scanning.levels import read_levels
from xrgan.data.scanning.tree import VIEWS_OF_SAMPLES, list_images
from xrgan.errors import XrganError
from xrgan.files import read_yaml

MASK_ENDING = "_mask"


def find_samples(folder: Path) -> list[Path]:
    """The images below a folder that `xrgan sample` filled, without contact sheet, walk and masks."""
    images, _ = list_images(folder)
    return [
        folder / file for file in images if file.name not in VIEWS_OF_SAMPLES and not file.stem.endswith(MASK_ENDING)
    ]


def list_synthetic(folder: Path) -> pd.DataFrame:
    """The synthetic images of a folder: columns file (below the folder) and label ("" = none), by name.

    The labels come from `index.csv` (columns file, label), else from class folders `<class>/*`.

    Raises:
        XrganError: there is no such folder; or index.csv lacks a column, or names a file twice, or one outside.
    """
    if not folder.is_dir():
        advice = "Name a folder of images or a prepared dataset; `xrgan sample` draws synthetic ones."
        raise XrganError(f"There is no folder {folder}.", advice)
    index_file = folder / "index.csv"
    if index_file.is_file():
        return _read_index(index_file)
    files = [file.relative_to(folder) for file in find_samples(folder)]
    labels = read_levels([file.parts[:-1] for file in files]).label
    return pd.DataFrame({"file": [file.as_posix() for file in files], "label": labels})


def _read_index(file: Path) -> pd.DataFrame:
    try:
        index = pd.read_csv(file, dtype=str, keep_default_na=False)[["file", "label"]].copy()
    except (ValueError, KeyError) as error:
        raise XrganError(f"{file} has no columns file and label: {error}.") from error
    for name in index["file"]:
        try:
            inside(name)
        except ValueError as error:
            raise XrganError(
                f"{file} names {name!r}, which {error}.", "Paths are relative to its own folder."
            ) from None
    if len(twice := index["file"][index["file"].duplicated()]):
        raise XrganError(f"{file} names {twice.iloc[0]!r} twice.", "One row per image; or leave the file out.")
    return index


def read_synthetic(
    folder: Path,
    classes: Sequence[str] = (),
    known_only: bool = True,
    channels: int = 1,
    brightness: float | None = None,
) -> tuple[Pixels, NDArray[np.int64]]:
    """Read a folder of synthetic images: uint8 (M, C, H, W), and labels (M,), -1 where there is none.

    Args:
        classes, known_only: as for `open_synthetic`.
        channels: at least so many.
        brightness: mean of the images that these stand beside, 0 (black) to 1 (white): it tells the depth of files of
            more than 8 bits (`depth_of`); None = not known.

    Raises:
        XrganError: as `open_synthetic`; or the sizes differ.
    """
    opened, labels = open_synthetic(folder, classes, known_only)
    depth = depth_of([opened], [] if brightness is None else [brightness])
    return pixels_of(opened, depth, channels), labels


def open_synthetic(
    folder: Path, classes: Sequence[str] = (), known_only: bool = True, leave_out: Sequence[str] = ()
) -> tuple[ImageFiles, NDArray[np.int64]]:
    """Read the pictures of a folder of synthetic images, and their labels (M,), -1 where there is none.

    Args:
        classes: of the dataset; a label's number is its place there.
        known_only: whether a label outside of `classes` is an error; else it counts as none.
        leave_out: files of the index that don't count.

    Raises:
        XrganError: there is no image, one can't be read, or a label is none of `classes`.
    """
    index = list_synthetic(folder)
    if others := count_others(folder):
        console.notice(f"{folder}: not read are {in_words(others)}; xrgan reads {KNOWN_KINDS}.")
    if index.empty:
        raise XrganError(f"There is no image in {folder}.", "`xrgan sample` draws some.")
    index = index[~index["file"].isin(leave_out)]
    if index.empty:
        raise XrganError(f"No image of {folder} is left.", "Name a folder of others.")
    unknown = sorted(set(index["label"]) - {"", *classes}) if classes and known_only else []
    if unknown:
        raise XrganError(
            f"{folder} holds images of {unknown[0]!r}.", f"The dataset's classes are {', '.join(classes)}."
        )
    labels = [classes.index(label) if label in classes else -1 for label in index["label"]]
    return open_files([folder / file for file in index["file"]]), np.array(labels, np.int64)


def read_pairs(folder: Path, structures: Sequence[str], channels: int = 1) -> tuple[Pixels, Pixels]:
    """Read a folder of synthetic images with their masks: uint8 (N, C, H, W) and (N, M, H, W), 0 or 255.

    The mask of `a.png` is `a_mask.png` beside it, one gray value a structure: those that `mask_values` in sample.yaml
    names, else the known ones (`xrgan.data.reading.masks`).

    Args:
        structures: of the M channels, in their order.
        channels: of the images, at least.

    Raises:
        XrganError: as `read_synthetic`; or an image has no mask, or its mask another size, or the masks don't show
            those structures.
    """
    files = [folder / file for file in list_synthetic(folder)["file"]]
    for file in files:
        if not _mask_of(file).is_file():
            raise XrganError(
                f"{file} has no mask: there is no {_mask_of(file).name} beside it.",
                "Train with `xrgan train --masks` on a dataset that has masks: then `xrgan sample` draws both.",
            )
    images, _ = read_synthetic(folder, channels=channels)
    values = _mask_values(folder, structures)
    shown = [_read_mask(_mask_of(file), structures, values, images.shape[2:]) for file in files]
    return images, np.stack(shown)


def _mask_of(file: Path) -> Path:
    return file.with_name(f"{file.stem}{MASK_ENDING}{'.dcm' if file.suffix == '.dcm' else '.png'}")


def _mask_values(folder: Path, structures: Sequence[str]) -> dict[str, int]:
    """The gray value of each structure, as sample.yaml says; empty where it says nothing.

    Raises:
        XrganError: it names other structures, or one value for two of them.
    """
    file = folder / SAMPLE
    said = read_yaml(file).get("mask_values") if file.is_file() else None
    if said is None:
        return {}
    if not isinstance(said, dict) or not all(isinstance(value, int) for value in said.values()):
        raise XrganError(f"{file} is damaged: mask_values is {said!r}.", "Draw the images anew.")
    for structure in structures:
        if structure not in said:
            raise XrganError(
                f"The masks in {folder} show {' and '.join(said) or 'nothing'}, not {structure}.",
                "Draw them from a run that was trained on a dataset with the same structures.",
            )
    if len(set(said.values())) < len(said):
        raise XrganError(
            f"The masks in {folder} can't be told apart: {file.name} names one gray value for two structures.",
            "Prepare the dataset with other structures (`xrgan prepare --masks lungs,heart`), and train on that.",
        )
    return {str(structure): value for structure, value in said.items()}


def _read_mask(
    file: Path, structures: Sequence[str], values: Mapping[str, int], size: Sequence[int]
) -> NDArray[np.uint8]:
    """One mask file: uint8 (M, H, W), 0 or 255."""
    height, width = size
    try:
        if values:
            gray = read_gray(file)
            strange = set(np.unique(gray).tolist()) - {0, *values.values()}
            if strange:
                raise ValueError(f"it has the gray value {min(strange)}, which sample.yaml doesn't name")
            shown = [np.where(gray == values[structure], 255, 0) for structure in structures]
        else:
            shown = [np.asarray(picture) for picture in masks.read([file], "", structures, width, height)]
    except ValueError as error:
        raise XrganError(f"{file} can't be read as a mask: {error}.") from error
    mask: NDArray[np.uint8] = np.stack(shown).astype(np.uint8)
    if mask.shape[1:] != (height, width):
        raise XrganError(
            f"{file} is {mask.shape[2]}×{mask.shape[1]}, its image {width}×{height}.",
            "A mask is as large as its image.",
        )
    return mask
