"""What the rows of tables say of patients, splits, views, masks, sex and age → one value per image."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from xrgan import console
from xrgan.data.reading.kinds import find_images
from xrgan.data.tables.cells import (
    PEOPLE,
    age_of,
    joiner_of,
    patient_of,
    sex_of,
    split_list,
    split_of,
    without_point_zero,
)
from xrgan.data.tables.matching import Files
from xrgan.errors import XrganError

EXAMPLES = 3  # that a sentence names


def fill(rows: pd.DataFrame, said: pd.DataFrame, raw: Path, named: str) -> pd.DataFrame:
    """Put what tables say into the rows, where they say anything; columns sex and age are added.

    Args:
        rows: as `scan` gives them, only those that a table names.
        said: column file, as in `rows`, and any of patient, split, view, mask, sex, age; a file may have several rows.
        named: the table's name, or names.

    Raises:
        XrganError: a split is none, or rows of one file name different patients or splits.
    """
    rows = rows.assign(**{role: "" for role in PEOPLE if role not in rows})
    cleaned: dict[str, Callable[[pd.Series], list[str]]] = {
        "patient": lambda cells: without_point_zero([patient_of(cell) for cell in cells]),
        "split": lambda cells: _splits(cells, named),
        "view": lambda cells: cells.tolist(),
        "sex": lambda cells: [sex_of(cell) for cell in cells],
        "age": lambda cells: [age_of(cell) for cell in cells],
    }
    for role, clean in cleaned.items():
        if role in said:
            values = _first_values(role, said["file"].tolist(), clean(said[role].fillna("")), named)
            known = rows["file"].map(lambda file, values=values: values.get(file, ""))
            rows[role] = rows[role].where(known == "", known)
    if "mask" in said:
        masks = _find_masks(said["file"].tolist(), said["mask"].fillna("").tolist(), raw)
        known = rows["file"].map(lambda file: masks.get(file, ""))
        rows["mask"] = rows["mask"].where(known == "", known)
    return rows


def _splits(cells: pd.Series, named: str) -> list[str]:
    """train, val, test or "" for each cell.

    Raises:
        XrganError: a cell names something else.
    """
    split_by_cell = {cell: split_of(cell) for cell in cells.unique()}
    strange = sorted(cell for cell, split in split_by_cell.items() if split is None)
    if strange:
        raise XrganError(
            f"{named} names a split {' and '.join(map(repr, strange[:EXAMPLES]))}.",
            "The splits are train, val and test; without that column (--split-column none) they are drawn by patient.",
        )
    return [split_by_cell[cell] or "" for cell in cells]


def _first_values(role: str, files: list[str], cells: list[str], named: str) -> dict[str, str]:
    """The first value that is said of each file; others that contradict it are told.

    Raises:
        XrganError: of patients and splits there can only be one.
    """
    values: dict[str, str] = {}
    contradicted: dict[str, str] = {}
    for file, cell in zip(files, cells, strict=True):
        if cell and values.setdefault(file, cell) != cell:
            contradicted.setdefault(file, cell)
    if contradicted:
        file, other = next(iter(contradicted.items()))
        said = (
            f"{named} names several {role}s for {len(contradicted):,} images, such as {file} "
            f"({values[file]!r} and {other!r})"
        )
        if role in {"patient", "split"}:
            raise XrganError(f"{said}.", "Keep one row for each image, or rows that agree.")
        console.warn(f"{said}: the first one counts.")
    return values


def _find_masks(files: list[str], cells: list[str], raw: Path) -> dict[str, str]:
    """The masks that are said of each file, joined by `|`; looked for among what is no X-ray of the tables."""
    xrays = set(files)
    there = (path.relative_to(raw).as_posix() for path in find_images(raw))
    masks = Files(file for file in there if file not in xrays)
    joiner = joiner_of(cells)
    names = [split_list(cell, "" if joiner == "," else joiner) for cell in cells]  # a file's name may hold a comma
    matches = masks.match([name for row in names for name in row])
    lost = [*matches.missing, *matches.several]
    if lost:
        console.warn(
            f"{len(lost):,} masks that the table names are not here, or could be several files, such as {lost[0]!r}."
        )
    found: dict[str, dict[str, None]] = {}
    for file, row in zip(files, names, strict=True):
        found.setdefault(file, {}).update(dict.fromkeys(m for name in row if (m := matches.file_of.get(name))))
    return {file: "|".join(sorted(of_file)) for file, of_file in found.items()}
