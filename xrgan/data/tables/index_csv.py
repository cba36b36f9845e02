"""index.csv at the top of a folder: the table of its images that needs no flags."""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

import pandas as pd

from xrgan import console
from xrgan.data.reading.kinds import find_images
from xrgan.data.scanning.rows import COLUMNS, table
from xrgan.data.scanning.tree import list_images
from xrgan.data.tables.columns import likely_columns
from xrgan.data.tables.filling import fill
from xrgan.data.tables.labels import read_names
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import Table, read_table
from xrgan.errors import XrganError

INDEX = "index.csv"
OF_INDEX = ("label", "patient", "split", "view", "mask")  # what index.csv may say of a file


def read_index(folder: Path) -> pd.DataFrame:
    """Read a folder's index.csv: its files are the images.

    Returns:
        One row per image, columns COLUMNS.

    Raises:
        XrganError: it can't be read, lacks a column, names a split that is none, or a file outside.
    """
    file = folder / INDEX
    found = read_table(file)
    index = found.cells.set_axis([column.lower() for column in found.columns], axis=1)
    images = [image.as_posix() for image in list_images(folder)[0]]
    unused = [column for column in index.columns if column not in {"file", *OF_INDEX}]
    if unused:
        more = _how_to_read(found, images) if "label" not in index else ""
        console.notice(
            f"{file}: not used are the columns {', '.join(unused)}; known are file, {', '.join(OF_INDEX)}.{more}"
        )
    if "file" not in index:
        known = f"Its columns are file and, if known, {', '.join(OF_INDEX)}."
        more = _how_to_read(found, images) or " Other names are told by --table and --file-column."
        raise XrganError(f"{file} has no column `file`.", f"{known}{more}")
    index = index.assign(file=_paths(index["file"].tolist(), folder))
    index = index[index["file"] != ""]
    if index.empty:
        raise XrganError(f"{file} names no image.", "Fill it, or move it away: then the folder itself is read.")
    if not found.encoding.startswith("UTF") and not any((folder / name).is_file() for name in index["file"]):
        raise XrganError(
            f"{file} can't be read as CSV: it is no UTF-8, and as {found.encoding} it names no image that is here.",
            "Save it as CSV in UTF-8.",
        )
    masks = index["mask"].tolist() if "mask" in index else []
    for name in (name for cell in [*index["file"], *masks] for name in cell.split("|")):
        if name.startswith("/") or ".." in name.split("/"):
            raise XrganError(f"{file} names {name!r}, which leads outside.", "Paths are relative to its own folder.")
    _say_unnamed(file, images, {part for cell in [*index["file"], *masks] for part in cell.split("|")})
    return _rows(index, folder, str(file))


def _how_to_read(found: Table, images: list[str]) -> str:
    """The flags that read an index whose columns have other names; "" where they can't be told."""
    try:
        return f" --table {INDEX} {likely_columns(found, Files(images)).flags()} reads it."
    except XrganError:
        return ""


def _say_unnamed(file: Path, images: list[str], named: set[str]) -> None:
    """Say how many images an index leaves out."""
    unnamed = [image for image in images if image not in named]
    if unnamed:
        console.notice(f"{len(unnamed):,} images that {file} doesn't name are left out, {unnamed[0]} for one.")


def _rows(index: pd.DataFrame, folder: Path, named: str) -> pd.DataFrame:
    """One row per file; what several rows of one say is joined, where it can be."""
    rows = table(file=list(dict.fromkeys(index["file"])))
    rows = fill(
        rows, index[[column for column in ("file", "patient", "split", "view") if column in index]], folder, named
    )
    if "label" in index:
        labels = read_names(index["file"].tolist(), index[["label"]], joiners=("|",))
        rows["label"] = rows["file"].map(labels.label_of)
        if labels.respelt:
            one = ", ".join(f"{spelling!r} for {used!r}" for spelling, used in labels.respelt.items())
            console.notice(f"{named}: labels that differ in capitals or blanks alone are one; taken are {one}.")
        if labels.disagreeing:
            console.notice(f"{named} has several labels for {labels.disagreeing:,} images: they are joined by |.")
    if "mask" in index:
        masks: dict[str, dict[str, None]] = {}
        for file, cell in zip(index["file"], index["mask"], strict=True):
            masks.setdefault(file, {}).update(dict.fromkeys(part for part in cell.split("|") if part))
        rows["mask"] = ["|".join(masks[file]) for file in rows["file"]]
    return rows[list(COLUMNS)]


def _paths(cells: Sequence[str], folder: Path) -> list[str]:
    """The files of an index as paths below the folder: those that aren't there as they stand are looked for."""
    plain = [cell.removeprefix("./") for cell in cells]
    absent = [cell for cell in plain if cell and (_is_foreign(cell) or not (folder / cell).exists())]
    if not absent:
        return plain
    images = Files(path.relative_to(folder).as_posix() for path in find_images(folder))
    found = images.match(absent).file_of
    return [found.get(cell, cell) for cell in plain]


def _is_foreign(cell: str) -> bool:
    """Whether a path is absolute, or written as Windows does."""
    return cell.startswith("/") or "\\" in cell or PureWindowsPath(cell).drive != ""
