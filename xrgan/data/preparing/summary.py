"""How a user sees what was prepared: tables, warnings, a contact sheet."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan import console
from xrgan.data import sheets
from xrgan.data.images import Pixels
from xrgan.data.packed import SPLITS
from xrgan.data.preparing.dataset_card import NO_LABEL, DatasetCard, Spread, read_card
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.reading.kinds import in_words
from xrgan.data.reading.marked import REFUSED
from xrgan.data.tables.user_tables import table_rows

PREVIEWED = 20  # images of a class
PREVIEW_COLUMNS = 10
PREVIEW_SIZE = 128  # pixels: larger images are shown at every second, third … pixel
SKIPS_SHOWN = 3
MOST_CLASSES = 20  # that a table and a sheet can show


def preview(
    images: NDArray[np.uint8], packed: pd.DataFrame, image_format: ImageFormat, seed: int, real: bool
) -> Pixels:
    """A contact sheet: some images of each class, drawn at random, with their masks where there are any.

    Args:
        real: whether they show patients: then the sheet says so.
    """
    whose = ", X-rays of real patients" if real else ""
    step = -(-image_format.size // PREVIEW_SIZE)
    bands = []
    for label in sorted(set(packed["label"]))[:MOST_CLASSES]:
        of_class = np.flatnonzero(packed["label"] == label)
        chosen = np.sort(np.random.default_rng(seed).permutation(of_class)[:PREVIEWED])
        bands.append(
            (f"{label or NO_LABEL} ({len(of_class):,}){whose}", np.asarray(images[chosen][:, :, ::step, ::step]))
        )
    return sheets.sheet(bands, image_format.channels, PREVIEW_COLUMNS)


def warn(target: Path) -> None:
    """Say what the reader should know before he or she trains on the dataset."""
    card = read_card(target)
    _warn_of_splits(card)
    _warn_of_classes(card)
    if card["skipped"]:
        console.warn(f"{len(card['skipped'])} file(s) skipped; {target / 'dataset.yaml'} lists them, such as")
        for entry in card["skipped"][:SKIPS_SHOWN]:
            console.warn(f"  {entry['file']}: {entry['reason']}")
    refused = sum(entry["reason"] == REFUSED for entry in card["skipped"])
    if refused:
        console.warn(
            f"{refused:,} of them say that they are synthetic: left out as no patient's; --allow-synthetic takes them."
        )
    if taken := card.get("synthetic"):
        console.warn(f"{taken:,} of the {card['images']:,} images say that they are synthetic: no patient's.")
    for reason, count in card["left_out"].items():
        console.notice(f"{count:,} images {reason} were left out.")
    copies = card["duplicates"] + card["near_duplicates"]
    if copies and not card["options"]["drop_duplicates"]:
        console.notice(
            f"{card['duplicates']} images are copies of another one, {card['near_duplicates']} nearly so; index.csv "
            "names them (duplicate_of), none of them in two splits; --drop-duplicates leaves them out."
        )
    if card["pictures_of_two_classes"]:
        console.warn(f"{card['pictures_of_two_classes']} pictures stand in two classes: one of the labels is wrong.")
    for moved, why in (
        (card["images_moved_beside_their_copies"], "a copy"),
        (card["images_moved_beside_their_patients"], "others of the same patient"),
    ):
        if moved:
            console.notice(f"{moved} images were moved to the split in which {why} stood.")
    if card["patients_in_two_splits"]:
        console.warn(
            f"{card['patients_in_two_splits']} patients have images in more than one of the source's own splits: "
            "scores on test flatter; --fix-leaks moves them."
        )


def _warn_of_splits(card: DatasetCard) -> None:
    empty = [split for split in SPLITS if split not in card["counts"]]
    if empty:
        console.warn(
            f"There is no image for {' and '.join(empty)}: too few patients, or the source has none "
            f"({card['patients'] or 'unknown'} patients, {card['images']} images)."
        )


def _warn_of_classes(card: DatasetCard) -> None:
    if len(card["classes"]) > MOST_CLASSES:
        console.warn(
            f"There are {len(card['classes'])} classes: are their folders patients or studies? An index.csv can name "
            "labels and patients; --map merges classes."
        )


def table(target: Path) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for the reader: images per split and class."""
    card = read_card(target)
    counts = card["counts"]
    labels = list(next(iter(counts.values())))[:MOST_CLASSES]
    rows = [
        [split, *(of_split[label] for label in labels), sum(of_split.values())] for split, of_split in counts.items()
    ]
    rows.append(["all", *(sum(counts[split][label] for split in counts) for label in labels), card["images"]])
    return ["split", *labels, "images"], rows


def facts_table(target: Path) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for the reader: what the files were, and what was skipped and why."""
    card = read_card(target)
    packed = f"{card['options']['size']}², {card['channels']} channel" + ("s" if card["channels"] > 1 else "")
    masks = ", ".join(card["masks"])
    reasons = pd.Series([entry["reason"] for entry in card["skipped"]], dtype=str).value_counts()
    patients = f"{card['patients']:,}" if card["patients"] else "not known: the splits are by image"
    rows: list[list[object]] = [
        *_taken(card),
        ["packed", packed + (f" + masks of {masks}" if masks else "")],
        ["patients", patients],
        ["splits", card["splits"]],
        ["width before", _range(card["width"])],
        ["height before", _range(card["height"])],
        ["kinds of file", ", ".join(f"{kind} {count:,}" for kind, count in card["kinds"].items())],
    ]
    if others := card.get("not_images"):
        rows.append(["not read", f"{in_words(others)}: no images that xrgan reads"])
    rows += [["table", line] for facts in card.get("tables", ()) for line in table_rows(facts)]
    rows += [["skipped", f"{count:,} × {reason}"] for reason, count in reasons.head(SKIPS_SHOWN).items()]
    if len(reasons) > SKIPS_SHOWN:
        rows.append(["skipped", f"{reasons.iloc[SKIPS_SHOWN:].sum():,} for other reasons"])
    return ["", "what"], rows


CHANGED_BY = {
    "file": "--file-column",
    "class": "--label-pattern or --table",
    "patient": "--patient-pattern or --table",
    "split": "--table",
    "view": "--table",
    "mask": "--mask-column",
    "sex": "--sex-column",
    "age": "--age-column",
}


NOT_USED = "not used"  # what `taken_from` calls levels of folders that say nothing
COLUMN_OF = {"class": "label"}  # flag of a table's column


def _taken(card: DatasetCard) -> list[list[object]]:
    """What was taken as class and patient from where, and what changes it."""
    taken = card.get("taken_from", {})
    from_table = "tables" in card
    said = {
        what: how.replace("--table", f"--{COLUMN_OF.get(what, what)}-column") if from_table else how
        for what, how in CHANGED_BY.items()
    }
    rows: list[list[object]] = [
        [f"{what} from", f"{taken[what]} (else {how})"] for what, how in said.items() if what in taken
    ]
    if NOT_USED in taken:
        rows.append([NOT_USED, f"{taken[NOT_USED]}; --label-pattern and --patient-pattern read them"])
    return rows


def _range(spread: Spread) -> str:
    low, median, high = spread["min"], spread["median"], spread["max"]
    return f"{low:,} px" if low == high else f"{low:,} to {high:,} px, median {median:,}"
