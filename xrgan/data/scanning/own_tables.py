"""The user's own table: index.csv at the top of a folder, or any that --table names; and those that nobody read."""

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

import pandas as pd

from xrgan import console
from xrgan.data.reading.kinds import find_images
from xrgan.data.scanning.rows import COLUMNS, table
from xrgan.data.scanning.tables import (
    Columns,
    Finder,
    decode,
    find_file_column,
    is_utf8,
    is_yes_or_no,
    labels_of,
    merge_rows,
    one_spelling,
    patients_of,
    read_table,
    splits_of,
)
from xrgan.data.scanning.texts import find_texts
from xrgan.errors import XrganError

INDEX = "index.csv"
OF_INDEX = ("label", "patient", "split", "view", "mask")  # what index.csv may say of a file
TABLES = (".csv", ".tsv", ".txt", ".json", ".xlsx", ".xls", ".parquet")
LARGEST_LOOKED_AT = 50_000_000  # bytes of a table that is only looked at
# Words in the names of columns, for a guess at what each holds.
GUESSES = {
    "label": ("label", "finding", "diagnosis", "class", "target", "disease", "category", "state", "pathology"),
    "patient": ("patient", "subject", "pid", "person"),
    "split": ("split", "subset", "partition"),
    "view": ("view", "projection", "position"),
}


def read_index(folder: Path) -> pd.DataFrame:
    """Rows of a folder's index.csv: its files are the images.

    Raises:
        XrganError: it can't be read, lacks a column, names a split that is none, or a file outside.
    """
    file = folder / INDEX
    index = read_table(file)
    index.columns = [str(column).lower() for column in index.columns]
    unused = [column for column in index.columns if column not in {"file", *OF_INDEX} and column]
    if unused:
        console.notice(f"{file}: not used are the columns {', '.join(unused)}; known are file, {', '.join(OF_INDEX)}.")
    if "file" not in index:
        known = f"Its columns are file and, if known, {', '.join(OF_INDEX)}."
        raise XrganError(f"{file} has no column `file`.", f"{known} Other names are told by --table and --file-column.")
    cells = {column: index[column].tolist() for column in ("file", *OF_INDEX) if column in index}
    cells["file"] = _paths(cells["file"], folder)
    if "split" in cells:
        cells["split"] = splits_of(cells["split"], file)
    if "patient" in cells:
        cells["patient"] = patients_of(cells["patient"])
    if "label" in cells:
        cells["label"] = one_spelling(labels_of(index, ["label"]), file)
    rows = table(**cells)
    rows = rows[rows["file"] != ""].reset_index(drop=True)
    if not is_utf8(file) and not any((folder / name).is_file() for name in rows["file"]):
        raise XrganError(f"{file} can't be read as CSV: it is no text in UTF-8.", "Save it as CSV in UTF-8.")
    for name in (name for cell in [*rows["file"], *rows["mask"]] for name in cell.split("|")):
        if name.startswith("/") or ".." in name.split("/"):
            raise XrganError(f"{file} names {name!r}, which leads outside.", "Paths are relative to its own folder.")
    return merge_rows(rows, file)


def _paths(cells: Sequence[str], folder: Path) -> list[str]:
    """The files of an index as paths below the folder: those that aren't there as they stand are looked for."""
    plain = [cell.removeprefix("./") for cell in cells]
    absent = [cell for cell in plain if cell and not _is_outside(cell) and not (folder / cell).exists()]
    outside = [cell for cell in plain if _is_outside(cell)]
    if not absent and not outside:
        return plain
    finder = Finder(path.relative_to(folder).as_posix() for path in find_images(folder))
    return [finder.find(cell) or cell if cell in {*absent, *outside} else cell for cell in plain]


def _is_outside(cell: str) -> bool:
    return cell.startswith("/") or "\\" in cell or PureWindowsPath(cell).drive != ""


def apply_table(rows: pd.DataFrame, folder: Path, name: str, columns: Columns) -> tuple[pd.DataFrame, dict[str, str]]:
    """What a table says of images, in the place of what their folders say.

    Args:
        rows: of the images, columns COLUMNS.
        name: the table's path: as it is, or below `folder`.
        columns: which column says what; the one of files is found out where it isn't named.

    Returns:
        The rows, and what was taken from the table, in words.

    Raises:
        XrganError: there is no such table or column, or it names none of the images.
    """
    file = Path(name) if Path(name).is_file() else folder / name
    if not file.is_file():
        raise XrganError(f"There is no table {name}.", f"Give a path, or one below {folder}.")
    found = read_table(file)
    _require_columns(found, columns, file)
    finder = Finder(rows["file"])
    file_column = columns.file or find_file_column(found, finder)
    if not file_column:
        raise XrganError(f"No column of {file} names the images here.", "Name it with --file-column.")
    said = _said(found, columns, file_column, finder, file)
    if said.empty:
        example = next((cell for cell in found[file_column] if cell), "")
        raise XrganError(
            f"{file} names none of the {len(rows):,} images: its column {file_column} holds {example!r}, for one.",
            f"An image here is {rows['file'].iloc[0]}.",
        )
    missing = len(rows) - len(said)
    if missing:
        console.notice(f"{file.name} says nothing of {missing:,} of the {len(rows):,} images.")
    unfound = len(found) - int(found[file_column].map(lambda cell: bool(finder.find(cell))).sum())
    if unfound:
        console.notice(f"{unfound:,} rows of {file.name} name no image that is here.")
    by_file = said.set_index("file").reindex(rows["file"])
    rows = rows.copy()
    taken = {}
    for column, asked in _asked(columns).items():
        rows[column] = by_file[column].fillna("").to_numpy()
        taken["class" if column == "label" else column] = f"{file.name}, column {', '.join(asked)}"
    return rows, taken


def _asked(columns: Columns) -> dict[str, Sequence[str]]:
    """Column of rows → the table's columns that fill it."""
    asked = {
        "label": columns.labels,
        "patient": [columns.patient],
        "split": [columns.split],
        "view": [columns.view],
        "mask": [columns.mask],
    }
    return {column: names for column, names in asked.items() if any(names)}


def _said(found: pd.DataFrame, columns: Columns, file_column: str, finder: Finder, file: Path) -> pd.DataFrame:
    """Rows, one per image that the table names."""
    cells: dict[str, list[str]] = {"file": [finder.find(cell) for cell in found[file_column]]}
    if columns.labels:
        cells["label"] = one_spelling(labels_of(found, columns.labels), file)
    if columns.patient:
        cells["patient"] = patients_of(found[columns.patient])
    if columns.split:
        cells["split"] = splits_of(found[columns.split], file)
    if columns.view:
        cells["view"] = [cell.upper() for cell in found[columns.view]]
    if columns.mask:
        cells["mask"] = list(found[columns.mask])
    rows = table(**cells)
    return merge_rows(rows[rows["file"] != ""].reset_index(drop=True), file)[list(COLUMNS)]


def _require_columns(found: pd.DataFrame, columns: Columns, file: Path) -> None:
    named = (columns.file, *columns.labels, columns.patient, columns.split, columns.view, columns.mask)
    for column in named:
        if column and column not in found:
            raise XrganError(f"{file} has no column {column!r}.", f"It has {', '.join(map(str, found.columns))}.")


def name_unread_tables(rows: pd.DataFrame, folder: Path) -> list[str]:
    """Sentences about the tables that lie beside the images, speak of them, and were not read."""
    sentences = []
    finder = Finder(rows["file"])
    for file in find_texts(folder, *TABLES):
        name = PurePosixPath(file.relative_to(folder)).as_posix()
        if name in {INDEX, "source.yaml"} or file.stat().st_size > LARGEST_LOOKED_AT:
            continue
        if file.suffix.lower() in {".xlsx", ".xls", ".parquet"}:
            sentences.append(f"{name} was not read; saved as CSV, --table reads it.")
        elif file.suffix.lower() in {".csv", ".tsv"} and (sentence := _of_unread(file, name, finder)):
            sentences.append(sentence)
        elif file.suffix.lower() in {".txt", ".json"} and _speaks_of(decode_or_nothing(file), rows):
            sentences.append(f"{name} was not read, though it names the images; --table reads a table with a header.")
    return sentences


def _of_unread(file: Path, name: str, finder: Finder) -> str:
    try:
        found = read_table(file)
    except XrganError:
        return ""
    file_column = find_file_column(found, finder)
    if not file_column:
        return ""
    flags = [f"--file-column {shlex.quote(file_column)}"]
    for what, guesses in GUESSES.items():
        guess = [column for column in map(str, found) if any(word in column.lower() for word in guesses)]
        if what == "label" and len(findings := [str(column) for column in found if is_yes_or_no(found[column])]) > 1:
            guess = [",".join(findings)]
        if guess and guess[0] != file_column:
            flags.append(f"--{what}-column {shlex.quote(guess[0])}")
    columns = ", ".join(str(column) for column in found.columns if column)
    return f"{name} was not read: it has the columns {columns}. --table {shlex.quote(name)} {' '.join(flags)} reads it."


def decode_or_nothing(file: Path) -> str:
    """The text of a file; "" where it is none."""
    try:
        return decode(file)
    except XrganError:
        return ""


def _speaks_of(text: str, rows: pd.DataFrame) -> bool:
    """Whether a text names at least some of the images."""
    some = [PurePosixPath(file).stem for file in rows["file"].head(50)]
    return sum(stem in text for stem in some if len(stem) > 2) * 3 > len(some)
