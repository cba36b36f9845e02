"""A folder of images → a table with one row per image: what its names, its tables and its neighbours say of it.

What sources share stands in scanning/; what is a source's own, in sources.py.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pandas as pd

from xrgan import console
from xrgan.data.filenames import is_archive
from xrgan.data.reading.kinds import KNOWN_KINDS
from xrgan.data.scanning.rows import COLUMNS
from xrgan.data.scanning.sidecars import apply_sidecars
from xrgan.data.scanning.tree import pair_with_masks, read_tree
from xrgan.data.source import Source
from xrgan.data.tables.cells import PEOPLE
from xrgan.data.tables.index_csv import INDEX, read_index
from xrgan.data.tables.unread import find_unread_tables
from xrgan.errors import XrganError


@dataclass(frozen=True)
class Hints:
    """What the user says of a folder that its names don't: the options of `prepare` of these names.

    Attributes:
        own_tables: whether the user names tables, which go before an index.csv and others that lie there.
    """

    patient_pattern: str = ""
    label_pattern: str = ""
    mask_pattern: str = ""
    own_tables: bool = False


@dataclass(frozen=True)
class Scan:
    """The rows, and what is to be said of them.

    Attributes:
        taken: class, patient, split, view → where it was taken from, in words.
        unread: of each table that nobody read, a sentence.
        people: files below folders that may be called after people.
    """

    rows: pd.DataFrame
    taken: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    people: frozenset[str] = frozenset()


def scan(folder: Path, source: Source | None = None, patient_pattern: str = "") -> pd.DataFrame:
    """List the images of a folder with what is said of them: the rows of `scan_folder`."""
    return scan_folder(folder, source, Hints(patient_pattern=patient_pattern)).rows


def scan_folder(folder: Path, source: Source | None = None, hints: Hints = Hints()) -> Scan:
    """List the images of a folder with what is said of them.

    An `index.csv` at the top says it all: column file and, if there, label, patient, split, view, mask. Else the
    source's own reader is asked, else the tree itself (`read_tree`).

    Args:
        source: whose layout the folder has; None = nobody's.
        hints: patterns, whatever the source says: searched in a file's name without extension, then in its path below
            the folder. Without a match an image is a patient of its own.

    Returns:
        Rows with the columns COLUMNS, all str, in the order of file:
        file: POSIX, relative to `folder`.
        label: several findings joined by `|`; "" = none known.
        patient: where nobody knows, the file itself.
        split: train, val, test or "" = none.
        view: as the source says it; "" = unknown.
        mask: files, named as in file, joined by `|`; "" = none.
        and, where the source or an index says them, sex (F, M) and age (whole years); "" = unknown.
        boxes: "x y width height;…" in pixels of the image; "none" = looked and found none; "" = nobody looked.

    Raises:
        XrganError: there is no image; a table can't be read, lacks a column or names a split that is none; or the
            source's tables speak of none of the images.
    """
    found = _read(folder, source, hints)
    rows, taken = found.rows, dict(found.taken)
    if rows.empty:
        packed = any(is_archive(path) for path in folder.rglob("*"))
        hint = f"`xrgan fetch --folder {folder}` unpacks archives." if packed else f"xrgan reads {KNOWN_KINDS}."
        raise XrganError(f"There is no image in {folder}.", hint)
    if hints.patient_pattern:
        rows["patient"] = _groups(hints.patient_pattern, rows)
        _say_unmatched(hints.patient_pattern, rows)
        taken["patient"] = "--patient-pattern"
    elif source and source.patient_pattern:
        unknown = rows["patient"] == ""
        rows["patient"] = rows["patient"].where(~unknown, _groups(source.patient_pattern, rows))
    # Not the stem: NORMAL/1.png and PNEUMONIA/1.png are two patients.
    rows["patient"] = rows["patient"].where(rows["patient"] != "", rows["file"])
    if hints.label_pattern:
        rows["label"] = _groups(hints.label_pattern, rows, by_name=True)
        _require_match("--label-pattern", hints.label_pattern, rows, "label")
        taken["class"] = "--label-pattern"
    elif source and source.label_pattern and (rows["label"] == "").all():
        rows["label"] = _groups(source.label_pattern, rows, by_name=True)
    columns = [*COLUMNS, *(role for role in PEOPLE if role in rows)]
    return replace(found, rows=rows.sort_values("file", ignore_index=True)[columns], taken=taken)


def _read(folder: Path, source: Source | None, hints: Hints) -> Scan:
    """What an index, a source's reader or a tree says."""
    if (folder / INDEX).is_file() and not hints.own_tables:
        rows = pair_with_masks(read_index(folder), folder, hints.mask_pattern)
        said = {"class": "label", "patient": "patient", "split": "split", "view": "view"}
        return Scan(rows, {what: INDEX for what, column in said.items() if rows[column].ne("").any()})
    if source and source.read:
        return Scan(source.read(folder))
    rows, folders = read_tree(folder, hints.mask_pattern)
    people = frozenset(file for file, hidden in zip(rows["file"], folders.people, strict=True) if hidden)
    if rows.empty or hints.own_tables:
        return Scan(rows, folders.taken, people=people)
    rows, taken, read = apply_sidecars(rows, folder)
    taken = folders.taken | taken
    unread = [] if source else [table for table in find_unread_tables(rows, folder) if table.name not in read]
    if any(table.numbers_parts for table in unread):
        rows, taken = rows.assign(label=""), {what: where for what, where in taken.items() if what != "class"}
    return Scan(rows, taken, [table.sentence for table in unread], people)


def _groups(pattern: str, rows: pd.DataFrame, by_name: bool = False) -> pd.Series:
    """What a pattern finds in each file's name, else in its path: its first group, or the group's name."""
    found = []
    for file in rows["file"]:
        path = PurePosixPath(file)
        texts = (path.stem, path.with_suffix("").as_posix())
        found.append(next((said for text in texts if (said := _group(re.search(pattern, text), by_name))), ""))
    return pd.Series(found, index=rows.index, dtype="str")


def _group(match: re.Match[str] | None, by_name: bool) -> str:
    if not match:
        return ""
    return (match.lastgroup if by_name else None) or match[1] or ""


def _say_unmatched(pattern: str, rows: pd.DataFrame) -> None:
    _require_match("--patient-pattern", pattern, rows, "patient")
    unmatched = rows["file"][rows["patient"] == ""]
    if len(unmatched):
        console.warn(
            f"--patient-pattern finds a patient in {len(rows) - len(unmatched):,} of {len(rows):,} names, not in "
            f"{unmatched.iloc[0]}, for one: such an image counts as a patient of its own."
        )


def _require_match(flag: str, pattern: str, rows: pd.DataFrame, what: str) -> None:
    if (rows[what] == "").all():
        example = PurePosixPath(rows["file"].iloc[0]).with_suffix("").as_posix()
        raise XrganError(f"{flag} {pattern!r} finds a {what} in no file's name.", f"One is {example!r}.")
