"""Lists that some tools lay beside their images, and that say what these show: StyleGAN's, COVIDx'."""

import json
from pathlib import Path

import pandas as pd

from xrgan.data.scanning.folder_names import split_of
from xrgan.data.scanning.own_tables import decode_or_nothing
from xrgan.data.scanning.tables import Finder
from xrgan.data.scanning.texts import find_texts

STYLEGAN = "dataset.json"
COVIDX_CLASSES = {"positive", "negative", "normal", "pneumonia", "covid-19", "covid"}


def apply_sidecars(rows: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, dict[str, str], set[str]]:
    """What such lists say of images.

    Returns:
        The rows, what was taken from where, and the names of the files that were read.
    """
    finder = Finder(rows["file"])
    stylegan = _read_stylegan(folder, finder)
    if stylegan:
        labels = rows["file"].map(lambda file: stylegan.get(file, ""))
        return rows.assign(label=labels), {"class": STYLEGAN}, {STYLEGAN}
    covidx, files = _read_covidx(folder, finder)
    if not covidx:
        return rows, {}, set()
    rows = rows.copy()
    for k, column in enumerate(("patient", "label", "split")):
        said = rows["file"].map(lambda file, k=k: covidx.get(file, ("", "", ""))[k])
        rows[column] = said.where(said != "", rows[column])
    source = " and ".join(sorted(files))
    return rows, {"class": source, "patient": source, "split": source}, files


def _read_stylegan(folder: Path, finder: Finder) -> dict[str, str]:
    """The `labels` of dataset.json, as dataset_tool.py writes it: a list of [file, class]."""
    file = folder / STYLEGAN
    if not file.is_file():
        return {}
    try:
        labels = json.loads(decode_or_nothing(file) or "{}").get("labels") or []
        said = {finder.find(str(name)): str(label) for name, label in labels if not isinstance(label, list)}
    except (ValueError, TypeError, AttributeError):
        return {}
    said.pop("", None)
    return said


def _read_covidx(folder: Path, finder: Finder) -> tuple[dict[str, tuple[str, str, str]], set[str]]:
    """Lines of `patient file class source`, in a text called train or test …: file → patient, class, split."""
    said: dict[str, tuple[str, str, str]] = {}
    names: set[str] = set()
    for file in find_texts(folder, ".txt"):
        lines = [line.split() for line in decode_or_nothing(file).splitlines() if line.strip()]
        if not lines or any(len(line) not in {3, 4} for line in lines):
            continue
        if not {line[2].lower() for line in lines} <= COVIDX_CLASSES:
            continue
        split = split_of(file.stem.replace("COVIDx9A", "").replace("COVIDx", ""))
        for patient, name, label, *_ in lines:
            if found := finder.find(name):
                said[found] = (patient, label, split)
                names.add(file.relative_to(folder).as_posix())
    return said, names
