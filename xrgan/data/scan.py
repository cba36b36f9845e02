"""A folder tree of images → a table with a row an image: file, label, patient, split.

The tree may be `<split>/<class>/*`, `<class>/*` or flat, or hold an `index.csv` with the columns file, label, patient
and, if it has them, split.
"""

import re
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from xrgan.data.images import find_images
from xrgan.data.packed import SPLITS
from xrgan.errors import XrganError

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Folder names that say what a file is, not what it shows.
NO_CLASS = {"images", "image", "imgs", "img", "png", "jpg", "jpeg", "cxr_png", "data", "files"}
MASKS = {"mask", "masks"}
LEAST_VALIDATION = 0.05  # share of the training images; a smaller val split is too few to choose anything by


def scan(folder: Path, patient_pattern: str = "", label_pattern: str = "") -> pd.DataFrame:
    """List the images of a folder with what its names say of them.

    Args:
        patient_pattern: regular expression whose first group, searched in a file's stem, is the patient; empty or
            without a match, every image is a patient of its own.
        label_pattern: regular expression with named groups, searched in a file's stem where the tree has no class
            folders; the name of the group that matched is the label.

    Returns:
        Columns file (POSIX, relative to `folder`), label ("" = none), patient, split ("" = none), in the order of file.

    Raises:
        XrganError: there is no image, or `index.csv` lacks a column or names a split that is none.
    """
    index_file = folder / "index.csv"
    rows = _read_index(index_file) if index_file.is_file() else _read_tree(folder)
    if rows.empty:
        raise XrganError(f"There is no image in {folder}.", "xrgan reads PNG, JPEG, TIFF, BMP, GIF and WebP.")
    stems = [PurePosixPath(file).stem for file in rows["file"]]
    if patient_pattern:
        found = [re.search(patient_pattern, stem) for stem in stems]
        rows["patient"] = [(match[1] or "") if match else "" for match in found]
    # Not the stem: NORMAL/1.png and PNEUMONIA/1.png are two patients.
    rows["patient"] = rows["patient"].where(rows["patient"] != "", rows["file"])
    if label_pattern and (rows["label"] == "").all():
        found = [re.search(label_pattern, stem) for stem in stems]
        rows["label"] = [(match.lastgroup or "") if match else "" for match in found]
    return rows.sort_values("file", ignore_index=True)


def _read_index(file: Path) -> pd.DataFrame:
    try:
        index = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise XrganError(f"{file} can't be read as CSV: {error}.") from error
    if not isinstance(index.index, pd.RangeIndex):  # pandas then takes the first column for names of rows
        raise XrganError(f"{file} has rows with more cells than its header.", "Quote the cells that hold commas.")
    if "file" not in index:
        raise XrganError(f"{file} has no column `file`.", "Its columns are file, label, patient and, if known, split.")
    rows = pd.DataFrame({column: index.get(column, "") for column in ("file", "label", "patient", "split")})
    wrong = set(rows["split"]) - {*SPLITS, ""}
    if wrong:
        raise XrganError(f"{file} names a split {sorted(wrong)[0]!r}.", "The splits are train, val and test.")
    return rows


def _read_tree(folder: Path) -> pd.DataFrame:
    paths = [path.relative_to(folder) for path in find_images(folder)]
    known = {path.parts for path in paths}
    rows = []
    for path in paths:
        parents = list(path.parts[:-1])
        if any(part.lower() in MASKS for part in parents) or _is_second_copy(path.parts, known):
            continue
        split, label = _split_and_label(parents)
        rows.append({"file": path.as_posix(), "label": label, "patient": "", "split": split})
    return pd.DataFrame(rows, columns=["file", "label", "patient", "split"])


def _is_second_copy(parts: tuple[str, ...], known: set[tuple[str, ...]]) -> bool:
    """`chest_xray/chest_xray/train/…` where `chest_xray/train/…` is there too: Kaggle's archives hold such copies."""
    return any(parts[k] == parts[k + 1] and parts[:k] + parts[k + 1 :] in known for k in range(len(parts) - 2))


def _split_and_label(parents: list[str]) -> tuple[str, str]:
    splits = [SPLIT_NAMES[part.lower()] for part in parents if part.lower() in SPLIT_NAMES]
    classes = [part for part in parents if part.lower() not in SPLIT_NAMES and part.lower() not in NO_CLASS]
    if not splits:
        return "", classes[-1] if classes else ""
    first = next(k for k, part in enumerate(parents) if part.lower() in SPLIT_NAMES)
    below = [part for part in parents[first + 1 :] if part in classes]
    return splits[0], below[-1] if below else ""


def assign_splits(rows: pd.DataFrame, shares: tuple[float, float, float], seed: int) -> pd.Series:
    """The split of every row: the source's own where it has one, else drawn by patient, class by class.

    A source with no (or hardly any) validation split, or no test split, gets one carved out of its training patients. A
    patient who stands in two of the source's own splits is left there; `patients_in_two_splits` counts those.
    """
    splits = rows["split"].copy()
    if (splits == "").any():
        # Further images of a patient whose split is known go there too.
        known = dict(zip(rows["patient"][splits != ""], splits[splits != ""], strict=True))
        splits = splits.where(splits != "", rows["patient"].map(lambda patient: known.get(patient, "")))
        unknown = splits == ""
        splits[unknown] = _draw(rows[unknown], dict(zip(SPLITS, shares, strict=True)), seed)
        return splits
    counts = splits.value_counts()
    train = counts.get("train", 0)
    if train and counts.get("val", 0) < LEAST_VALIDATION * train and shares[1] > 0:
        share = shares[1] / (shares[0] + shares[1])
        of_train = splits == "train"
        splits[of_train] = _draw(rows[of_train], {"train": 1 - share, "val": share}, seed)
    if train and not counts.get("test", 0) and shares[2] > 0:
        of_train = splits == "train"
        splits[of_train] = _draw(rows[of_train], {"train": 1 - shares[2], "test": shares[2]}, seed)
    return splits


def _draw(rows: pd.DataFrame, shares: dict[str, float], seed: int) -> pd.Series:
    """Deal patients into splits, so that each split gets about its share of every class's patients."""
    first_label = rows.groupby("patient", sort=True)["label"].first()
    split_of: dict[str, str] = {}
    for label in sorted(set(first_label)):
        patients = first_label.index[first_label == label].to_numpy()
        patients = np.random.default_rng([seed, len(patients)]).permutation(patients)
        bounds = np.rint(np.cumsum(list(shares.values())) * len(patients)).astype(int)
        for split, part in zip(shares, np.split(patients, bounds[:-1]), strict=True):
            split_of |= dict.fromkeys(part, split)
    return rows["patient"].map(split_of)


def patients_in_two_splits(rows: pd.DataFrame) -> int:
    """How many patients have images in more than one split: each is a leak from training to testing."""
    return int((rows.groupby("patient")["split"].nunique() > 1).sum())
