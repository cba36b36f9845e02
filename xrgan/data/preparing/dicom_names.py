"""What a dataset calls DICOM files: never by their own paths, which may hold people's names.

A file is named after its hashed patient and a number. Which is which is kept beside the datasets and in none of them,
for the user of this machine alone.
"""

import csv
import os
from pathlib import Path

import pandas as pd

from xrgan import console

NAMES = ".dicom-names"  # a folder beside the datasets
NOBODY = "unknown"


def rename_dicom(rows: pd.DataFrame, own: bool) -> pd.DataFrame:
    """Give rows their `name`: the file's own, but for DICOM files of one's own `<patient>/<number>.dcm`.

    Args:
        rows: columns file, patient (hashed already; the file itself = not known), mask, and is_dicom, which is dropped.
        own: whether the files are the user's own, and no public source's.
    """
    hidden = rows["is_dicom"] & own
    people = rows["patient"].where(rows["patient"] != rows["file"], NOBODY)
    number = people[hidden].groupby(people[hidden]).cumcount() + 1
    names = rows["file"].copy()
    names[hidden] = [f"{person}/{k:04d}.dcm" for person, k in zip(people[hidden], number, strict=True)]
    masks = rows["mask"].mask(hidden & (rows["mask"] != ""), "mask")
    return rows.assign(
        name=names,
        patient=rows["patient"].where(rows["patient"] != rows["file"], names),
        mask_name=masks,
    ).drop(columns="is_dicom")


def keep_names(rows: pd.DataFrame, prepared_root: Path, dataset: str) -> None:
    """Write which name is whose file, for the owner of this machine to read, beside the datasets."""
    renamed = rows[rows["name"] != rows["file"]]
    if renamed.empty:
        return
    folder = prepared_root / NAMES
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{dataset}.csv"
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    # Names are bytes: those that are no UTF-8 go back as they came.
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as opened:
        renamed[["name", "file"]].to_csv(opened, index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    console.notice(f"The dataset calls DICOM files by numbers; which is which stands in {file}, outside of it.")
