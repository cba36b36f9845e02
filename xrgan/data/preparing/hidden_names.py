"""What a dataset calls files whose own paths may hold people's names: DICOM files, and those in folders of people.

A file is named after its hashed patient and a number. Which is which is kept beside the datasets and in none of them,
for the user of this machine alone.
"""

import csv
import os
from pathlib import Path, PurePosixPath

import pandas as pd

from xrgan import console
from xrgan.data.reading.kinds import ARRAY_EXTENSIONS, EXTENSIONS, extension

NAMES = ".hidden-names"  # a folder beside the datasets
NOBODY = "unknown"


def hide_names(rows: pd.DataFrame) -> pd.DataFrame:
    """Give rows their `name`: the file's own, but `<patient>/<number>.dcm` (or .png …) where the own one is to hide.

    Args:
        rows: columns file, patient (hashed already; the file itself = not known), mask, and is_hidden (dropped).

    Returns:
        The rows with the columns name and mask_name. A mask beside a hidden file is called "mask".
    """
    hidden = rows["is_hidden"]
    people = rows["patient"].where(rows["patient"] != rows["file"], NOBODY)
    number = people[hidden].groupby(people[hidden]).cumcount() + 1
    endings = [_ending(file) for file in rows["file"][hidden]]
    names = rows["file"].copy()
    names[hidden] = [f"{one}/{k:04d}{end}" for one, k, end in zip(people[hidden], number, endings, strict=True)]
    masks = rows["mask"].mask(hidden & (rows["mask"] != ""), "mask")
    return rows.assign(
        name=names,
        patient=rows["patient"].where(rows["patient"] != rows["file"], names),
        mask_name=masks,
    ).drop(columns="is_hidden")


def _ending(file: str) -> str:
    """The extension of a picture; .dcm of any other file: what follows the last point may be part of a name."""
    suffix = extension(PurePosixPath(file))
    return suffix if suffix in EXTENSIONS | ARRAY_EXTENSIONS else ".dcm"


def keep_names(rows: pd.DataFrame, prepared_root: Path, dataset: str) -> None:
    """Write which name is whose file, for the owner of this machine to read, beside the datasets."""
    renamed = rows[rows["name"] != rows["file"]]
    if renamed.empty:
        return
    folder = prepared_root / NAMES
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_names(folder / f"{dataset}.csv", renamed[["name", "file"]])


def write_names(file: Path, names: pd.DataFrame) -> None:
    """Write columns name and file where their owner alone may read them, and tell him."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    # Names are bytes: those that are no UTF-8 go back as they came.
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        names.to_csv(opened, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    console.notice(f"Files that may be named after people have numbers instead; {file} says, to you, which is which.")
