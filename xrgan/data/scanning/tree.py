"""A tree of folders → rows: what the folders above each image say, and which masks are whose."""

from pathlib import Path, PurePosixPath

import pandas as pd

from xrgan.data.reading.kinds import find_images
from xrgan.data.reading.marked import SAMPLE
from xrgan.data.scanning.levels import Folders, read_levels
from xrgan.data.scanning.mask_files import MaskFile, pair_masks, split_masks
from xrgan.data.scanning.rows import table

VIEWS_OF_SAMPLES = {"sheet.png", "walk.gif"}


def read_tree(folder: Path, mask_pattern: str = "") -> tuple[pd.DataFrame, Folders]:
    """Rows of any tree, as its folders and masks tell; and which level of folders was taken as what."""
    images, masks = list_images(folder, mask_pattern)
    folders = read_levels([image.parts[:-1] for image in images])
    mask_of = pair_masks(images, masks)
    rows = table(
        file=[image.as_posix() for image in images],
        label=folders.label,
        split=folders.split,
        patient=folders.patient,
        view=folders.view,
        mask=[mask_of.get(image, "") for image in images],
    )
    return rows, folders


def pair_with_masks(rows: pd.DataFrame, folder: Path, mask_pattern: str = "") -> pd.DataFrame:
    """Rows of an index that names no masks, with those that lie beside its images; and without masks as images."""
    if (rows["mask"] != "").any():
        return rows
    _, masks = list_images(folder, mask_pattern)
    named = {mask.path.as_posix() for mask in masks}
    mask_of = pair_masks(map(PurePosixPath, rows["file"]), masks)
    paired = rows.assign(mask=[mask_of.get(PurePosixPath(file), "") for file in rows["file"]])
    return paired[~paired["file"].isin(named)].reset_index(drop=True)


def read_by_stem(folder: Path) -> pd.DataFrame:
    """Rows (file and mask alone) of a source whose images are known by their stems, wherever they lie.

    A second file of the same stem is a copy: the one nearer to the top counts.
    """
    images, masks = list_images(folder)
    files: dict[str, PurePosixPath] = {}
    for image in sorted(images, key=_from_the_top):
        files.setdefault(image.stem, image)
    shown: dict[str, dict[str, str]] = {}
    for mask in sorted(masks, key=lambda mask: _from_the_top(mask.path)):
        if not mask.others:
            shown.setdefault(mask.stem, {}).setdefault(mask.structure, mask.path.as_posix())
    return table(
        file=[image.as_posix() for image in files.values()],
        mask=["|".join(sorted(shown.get(stem, {}).values())) for stem in files],
    )


def list_images(folder: Path, mask_pattern: str = "") -> tuple[list[PurePosixPath], list[MaskFile]]:
    """The images and the masks below a folder, relative to it and by name, without second copies."""
    found = (path for path in find_images(folder) if not _is_a_view_of_samples(path))
    paths = [PurePosixPath(path.relative_to(folder).as_posix()) for path in found]
    known = {path.parts for path in paths}
    return split_masks([path for path in paths if not _is_second_copy(path.parts, known)], mask_pattern)


def _is_second_copy(parts: tuple[str, ...], known: set[tuple[str, ...]]) -> bool:
    """`chest_xray/chest_xray/train/…` where `chest_xray/train/…` is there too: Kaggle's archives hold such copies."""
    return any(parts[k] == parts[k + 1] and parts[:k] + parts[k + 1 :] in known for k in range(len(parts) - 2))


def _is_a_view_of_samples(path: Path) -> bool:
    """What `xrgan sample` lays beside its images: the contact sheet, the walk, the same image once more as DICOM."""
    again = path.suffix == ".dcm" and path.with_suffix(".png").is_file()
    return (again or path.name in VIEWS_OF_SAMPLES) and (path.parent / SAMPLE).is_file()


def _from_the_top(path: PurePosixPath) -> tuple[int, PurePosixPath]:
    return len(path.parts), path
