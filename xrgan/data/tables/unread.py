"""Tables that lie beside the images and that nobody read: named, with the flags that read them."""

import shlex
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pandas as pd

from xrgan.data.scanning.texts import find_texts
from xrgan.data.tables.columns import Columns, likely_columns
from xrgan.data.tables.index_csv import INDEX
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import Table, read_table
from xrgan.errors import XrganError

TABLES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MAYBE_TABLES = (".txt", ".json", ".jsonl")
OF_PROGRAMS = (".xlsx", ".xls", ".ods", ".parquet")
LARGEST_LOOKED_AT = 50_000_000  # bytes of a table that is only looked at; of a text, a hundredth of it
MOST_TEXTS = 50  # that are looked at: reports that lie beside each image are no tables


class Unread(NamedTuple):
    """A table that nobody read."""

    name: str
    sentence: str  # that says so, and how it is read
    numbers_parts: bool = (
        False  # whether it tells labels, and beside them repeats the folders that were taken as classes
    )


def find_unread_tables(rows: pd.DataFrame, folder: Path) -> list[Unread]:
    """The tables that lie in a folder and speak of its images.

    Args:
        rows: of the images, as a scan gives them.
    """
    files = Files(rows["file"])
    found = []
    for file in _candidates(folder):
        name = PurePosixPath(file.relative_to(folder)).as_posix()
        if name.endswith(OF_PROGRAMS):
            found.append(Unread(name, f"{name} was not read; saved as CSV, --table reads it."))
        elif table := _that_names_images(file, files):
            likely = likely_columns(table, files)
            columns = ", ".join(f"column {c}" if c.isdecimal() else c for c in table.columns)
            flags = f"--table {shlex.quote(name)} {likely.flags()}"
            sentence = f"{name} was not read: it has the columns {columns}. {flags} reads it."
            found.append(Unread(name, sentence, _numbers_parts(table, likely, files, rows)))
    return found


def _numbers_parts(table: Table, likely: Columns, files: Files, rows: pd.DataFrame) -> bool:
    """Whether bare numbers that were taken as classes stand in a column beside the labels, as PadChest's ImageDir."""
    labels = dict(zip(rows["file"], rows["label"], strict=True))
    if not likely.label or not all(label.isdecimal() for label in labels.values()):
        return False
    file_of = files.match(table.cells[likely.file].tolist()).file_of
    folders = table.cells[likely.file].map(lambda cell: labels.get(file_of.get(cell, ""), ""))
    others = [column for column in table.columns if column not in {likely.file, *likely.label}]
    return any(table.cells[column][folders != ""].eq(folders[folders != ""]).all() for column in others)


def _candidates(folder: Path) -> list[Path]:
    """Files that may be tables, by their endings and sizes."""
    texts = find_texts(folder, *MAYBE_TABLES)
    found = find_texts(folder, *TABLES, *OF_PROGRAMS)
    found = [file for file in found if file.stat().st_size <= LARGEST_LOOKED_AT and file != folder / INDEX]
    if len(texts) <= MOST_TEXTS:
        found += [file for file in texts if file.stat().st_size <= LARGEST_LOOKED_AT / 100]
    return sorted(found)


def _that_names_images(file: Path, files: Files) -> Table | None:
    try:
        table = read_table(file, files.names_one)
        likely_columns(table, files)
    except XrganError:
        return None
    return table
