"""Texts and CSVs that lie anywhere in a folder, as sources bring them."""

import csv
import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pandas as pd

from xrgan.data.filenames import is_junk_name
from xrgan.data.scanning.rows import stems
from xrgan.errors import XrganError


def find_texts(folder: Path, *endings: str) -> list[Path]:
    """The files below a folder whose names end so (in lower case), by name, without junk."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_junk_name(name)]
        found += [Path(parent, name) for name in names if name.lower().endswith(endings) and not is_junk_name(name)]
    return sorted(found)


def read_text(file: Path) -> str:
    """The content of a text; what is no UTF-8 in it is replaced.

    Raises:
        XrganError: the file can't be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise XrganError(f"{file} can't be read: {error.strerror or error}.") from error


def read_tables(folder: Path, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of every CSV below a folder whose header has these columns (and maybe more).

    Raises:
        XrganError: such a CSV is damaged.
    """
    for file in find_texts(folder, ".csv"):
        try:
            with file.open(newline="", encoding="utf-8-sig", errors="replace") as opened:
                reader = csv.DictReader(opened, restval="")
                reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
                if set(columns) <= set(reader.fieldnames):
                    # Cells beyond the header come as a list, under no name.
                    yield from ({k: cell.strip() for k, cell in row.items() if isinstance(cell, str)} for row in reader)
        except (OSError, csv.Error) as error:
            raise XrganError(f"{file} can't be read as CSV: {error}.") from error


def require_overlap(named: Collection[str], rows: pd.DataFrame, folder: Path) -> None:
    """Tables may say too much or too little of the images; but they must speak of these.

    Raises:
        XrganError: of all stems that the tables name, none is there.
    """
    if named and set(named).isdisjoint(stems(rows)):
        raise XrganError(
            f"The tables in {folder} name {len(named)} images such as {min(named)}, and none of them is there.",
            "Are the tables of another dataset?",
        )
