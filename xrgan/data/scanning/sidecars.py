"""Lists that some tools lay beside their images, and that say what these show: StyleGAN's, COVIDx'."""

from pathlib import Path

import pandas as pd

from xrgan.data.scanning.folder_names import split_of
from xrgan.data.scanning.texts import find_texts
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import Table, read_table
from xrgan.errors import XrganError

STYLEGAN = "dataset.json"
COVIDX_CLASSES = {"positive", "negative", "normal", "pneumonia", "covid-19", "covid"}
COVIDX_COLUMNS = ["patient", "file", "label", "source"]


def apply_sidecars(rows: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, dict[str, str], set[str]]:
    """What such lists say of images.

    Returns:
        The rows, what was taken from where, and the names of the files that were read.
    """
    files = Files(rows["file"])
    stylegan = _read_stylegan(folder, files)
    if stylegan:
        labels = rows["file"].map(lambda file: stylegan.get(file, ""))
        return rows.assign(label=labels), {"class": STYLEGAN}, {STYLEGAN}
    covidx, names = _read_covidx(folder, files)
    if not covidx:
        return rows, {}, set()
    rows = rows.copy()
    for k, column in enumerate(("patient", "label", "split")):
        said = rows["file"].map(lambda file, k=k: covidx.get(file, ("", "", ""))[k])
        rows[column] = said.where(said != "", rows[column])
    source = " and ".join(sorted(names))
    return rows, {"class": source, "patient": source, "split": source}, names


def _read_stylegan(folder: Path, files: Files) -> dict[str, str]:
    """The `labels` of dataset.json, as dataset_tool.py writes it: a list of [file, class]."""
    table = _read(folder / STYLEGAN, files)
    if table is None or table.columns != ["file", "label"]:
        return {}
    found = files.match(table.cells["file"].tolist()).file_of
    said = zip(table.cells["file"], table.cells["label"], strict=True)
    return {found[name]: label for name, label in said if name in found}


def _read_covidx(folder: Path, files: Files) -> tuple[dict[str, tuple[str, str, str]], set[str]]:
    """Lines of `patient file class source`, in a text called train or test …: file → patient, class, split."""
    said: dict[str, tuple[str, str, str]] = {}
    names: set[str] = set()
    for file in find_texts(folder, ".txt"):
        table = _read(file, files)
        if table is None or table.columns != ["1", "2", "3", "4"][: len(table.columns)] or len(table.columns) < 3:
            continue
        cells = table.cells.set_axis(COVIDX_COLUMNS[: len(table.columns)], axis=1)
        if not set(cells["label"].str.lower()) <= COVIDX_CLASSES:
            continue
        split = split_of(file.stem.replace("COVIDx9A", "").replace("COVIDx", ""))
        found = files.match(cells["file"].tolist()).file_of
        for patient, name, label in cells[["patient", "file", "label"]].itertuples(index=False):
            if name in found:
                said[found[name]] = (patient, label, split)
                names.add(file.relative_to(folder).as_posix())
    return said, names


def _read(file: Path, files: Files) -> Table | None:
    try:
        return read_table(file, files.names_one)
    except XrganError:
        return None
