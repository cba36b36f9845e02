"""What dataset.yaml says of a packed dataset, and how a reader sees it: tables, warnings, a contact sheet."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import xrgan
from xrgan import console
from xrgan.data import sheets
from xrgan.data.images import Pixels
from xrgan.data.packed import SPLITS
from xrgan.data.preparing.splits import patients_in_two_splits
from xrgan.data.preparing.squares import Square
from xrgan.files import read_yaml

PREVIEWED = 20  # images of a class
PREVIEW_COLUMNS = 10
PREVIEW_SIZE = 128  # pixels: larger images are shown at every second, third … pixel
SKIPS_SHOWN = 3
MOST_CLASSES = 20  # that a table and a sheet can show
NO_LABEL = "no label"


def describe(
    wish: dict[str, Any],
    facts: dict[str, Any],
    packed: pd.DataFrame,
    skipped: list[dict[str, str]],
    images_file: Path,
    square: Square,
) -> dict[str, Any]:
    """The content of dataset.yaml: enough to say in a paper what was used.

    Args:
        wish: source and options.
        facts: on what was left out, moved and found twice.
        packed: the index, a row an image of `images_file`.
    """
    classes = sorted(set(packed["label"]) - {""})
    splits = [split for split in SPLITS if (packed["split"] == split).any()]
    names = classes + ([""] if (packed["label"] == "").any() else [])
    return {
        **wish,
        "xrgan": xrgan.__version__,
        "images": len(packed),
        "channels": square.channels,
        "masks": list(square.structures),
        "patients": int(packed["patient"].nunique()) if (packed["patient"] != packed["file"]).any() else None,
        "classes": classes,
        "counts": {split: {label or NO_LABEL: _count(packed, split, label) for label in names} for split in splits},
        "width": _spread(packed["width"]),
        "height": _spread(packed["height"]),
        "kinds": {str(kind): int(count) for kind, count in packed["kind"].value_counts().items()},
        "views": {str(view) or "unknown": int(count) for view, count in packed["view"].value_counts().items()},
        "patients_in_two_splits": patients_in_two_splits(packed),
        **facts,
        "skipped": skipped,
        "content_hash": _content_hash(packed, images_file),
    }


def _spread(pixels: pd.Series) -> dict[str, int]:
    """Of the images before they were brought to one size."""
    numbers = pixels.astype(int)
    return {"min": int(numbers.min()), "median": int(numbers.median()), "max": int(numbers.max())}


def _count(packed: pd.DataFrame, split: str, label: str) -> int:
    return int(((packed["split"] == split) & (packed["label"] == label)).sum())


def _content_hash(packed: pd.DataFrame, images_file: Path) -> str:
    """Of pixels, classes, splits, and which images share a patient: not of names, which differ between machines."""
    with images_file.open("rb") as file:  # a memory map that is read through would count as memory used
        content = hashlib.file_digest(file, "sha256")
    patient = pd.factorize(packed["patient"])[0]
    for label, split, number in zip(packed["label"], packed["split"], patient, strict=True):
        content.update(f"{label}\0{split}\0{number}\n".encode())
    return content.hexdigest()


def preview(images: NDArray[np.uint8], packed: pd.DataFrame, square: Square, seed: int) -> Pixels:
    """A contact sheet: some images of each class, drawn at random, with their masks where there are any."""
    step = -(-square.size // PREVIEW_SIZE)
    bands = []
    for label in sorted(set(packed["label"]))[:MOST_CLASSES]:
        of_class = np.flatnonzero(packed["label"] == label)
        chosen = np.sort(np.random.default_rng(seed).permutation(of_class)[:PREVIEWED])
        bands.append((f"{label or NO_LABEL} ({len(of_class):,})", np.asarray(images[chosen][:, :, ::step, ::step])))
    return sheets.sheet(bands, square.channels, PREVIEW_COLUMNS)


def warn(target: Path) -> None:
    """Say what the reader should know before he or she trains on the dataset."""
    facts = read_yaml(target / "dataset.yaml")
    _warn_of_splits(facts)
    _warn_of_classes(facts)
    if facts["skipped"]:
        console.warn(f"{len(facts['skipped'])} file(s) skipped; {target / 'dataset.yaml'} lists them, such as")
        for entry in facts["skipped"][:SKIPS_SHOWN]:
            console.warn(f"  {entry['file']}: {entry['reason']}")
    for reason, count in facts["left_out"].items():
        console.notice(f"{count:,} images {reason} were left out.")
    copies = facts["duplicates"] + facts["near_duplicates"]
    if copies and not facts["options"]["drop_duplicates"]:
        console.notice(
            f"{facts['duplicates']} images are copies of another one, {facts['near_duplicates']} nearly so; index.csv "
            "names them (duplicate_of), none of them in two splits; --drop-duplicates leaves them out."
        )
    if facts["pictures_of_two_classes"]:
        console.warn(f"{facts['pictures_of_two_classes']} pictures stand in two classes: one of the labels is wrong.")
    for key, why in (("copies", "a copy"), ("patients", "others of the same patient")):
        moved = facts[f"images_moved_beside_their_{key}"]
        if moved:
            console.notice(f"{moved} images were moved to the split in which {why} stood.")
    if facts["patients_in_two_splits"]:
        console.warn(
            f"{facts['patients_in_two_splits']} patients have images in more than one of the source's own splits: "
            "scores on test flatter; --fix-leaks moves them."
        )


def _warn_of_splits(facts: dict[str, Any]) -> None:
    empty = [split for split in SPLITS if split not in facts["counts"]]
    if empty:
        console.warn(
            f"There is no image for {' and '.join(empty)}: too few patients, or the source has none "
            f"({facts['patients'] or 'unknown'} patients, {facts['images']} images)."
        )


def _warn_of_classes(facts: dict[str, Any]) -> None:
    if len(facts["classes"]) > MOST_CLASSES:
        console.warn(
            f"There are {len(facts['classes'])} classes: are their folders patients or studies? An index.csv can name "
            "labels and patients; --map merges classes."
        )


def table(target: Path) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for the reader: images per split and class."""
    facts = read_yaml(target / "dataset.yaml")
    counts = facts["counts"]
    labels = list(next(iter(counts.values())))[:MOST_CLASSES]
    rows = [
        [split, *(of_split[label] for label in labels), sum(of_split.values())] for split, of_split in counts.items()
    ]
    rows.append(["all", *(sum(counts[split][label] for split in counts) for label in labels), facts["images"]])
    return ["split", *labels, "images"], rows


def facts_table(target: Path) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for the reader: what the files were, and what was skipped and why."""
    facts = read_yaml(target / "dataset.yaml")
    packed = f"{facts['options']['size']}², {facts['channels']} channel" + ("s" if facts["channels"] > 1 else "")
    masks = ", ".join(facts["masks"])
    reasons = pd.Series([entry["reason"] for entry in facts["skipped"]], dtype=str).value_counts()
    patients = f"{facts['patients']:,}" if facts["patients"] else "not known: the splits are by image"
    rows: list[list[object]] = [
        ["packed", packed + (f" + masks of {masks}" if masks else "")],
        ["patients", patients],
        ["splits", facts["splits"]],
        ["width before", _range(**facts["width"])],
        ["height before", _range(**facts["height"])],
        ["kinds of file", ", ".join(f"{kind} {count:,}" for kind, count in facts["kinds"].items())],
    ]
    rows += [["skipped", f"{count:,} × {reason}"] for reason, count in reasons.head(SKIPS_SHOWN).items()]
    if len(reasons) > SKIPS_SHOWN:
        rows.append(["skipped", f"{reasons.iloc[SKIPS_SHOWN:].sum():,} for other reasons"])
    return ["", "what"], rows


def _range(min: int, median: int, max: int) -> str:
    return f"{min:,} px" if min == max else f"{min:,} to {max:,} px, median {median:,}"
