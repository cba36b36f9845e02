"""dataset.yaml: what a packed dataset says of itself, enough to say in a paper what was used."""

from pathlib import Path
from typing import Any, NotRequired, cast

import pandas as pd
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic takes no other one below Python 3.12

import xrgan
from xrgan.data.packed import ANEW, SPLITS, hash_content
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.preparing.splits import patients_in_two_splits
from xrgan.data.reading.marked import SYNTHETIC
from xrgan.data.tables.user_tables import TableFacts
from xrgan.errors import XrganError
from xrgan.files import first_reason, read_yaml

NAME = "dataset.yaml"
NO_LABEL = "no label"


class Inputs(TypedDict):
    """What decides a dataset: the same inputs give the same images, classes and splits."""

    source: dict[str, Any]  # name, and what source.yaml says that belongs into a paper
    options: dict[str, Any]  # of `prepare`, all but workers
    files: int
    listing_sha256: str  # of the files' names and sizes, and all that is said of them


class Choices(TypedDict):
    """Which images were taken, and as what."""

    left_out: dict[str, int]  # reason → images
    splits: str  # whose they are, in words
    classes_merged_by: str  # a map, or "none"
    not_images: NotRequired[dict[str, int]]  # extension → files that are no images and no documents
    tables: NotRequired[list[TableFacts]]  # of the user's own, that were named
    taken_from: NotRequired[dict[str, str]]  # class, patient, split, view → where it stands, in words


class Moves(TypedDict):
    """Copies of pictures, and images that were moved to another split for their sake or their patient's."""

    duplicates: int
    near_duplicates: int
    pictures_of_two_classes: int
    images_moved_beside_their_copies: int
    images_moved_beside_their_patients: int


class Skip(TypedDict):
    """A file that isn't packed."""

    file: str
    reason: str


class Spread(TypedDict):
    """Of the images' sides in pixels, before they were brought to one size."""

    min: int
    median: int
    max: int


class DatasetCard(Inputs, Choices, Moves):
    """The content of dataset.yaml."""

    xrgan: str  # version
    images: int
    channels: int  # of the X-ray
    masks: list[str]
    patients: int | None  # None = not known
    classes: list[str]
    counts: dict[str, dict[str, int]]  # split → class → images
    width: Spread
    height: Spread
    kinds: dict[str, int]  # of file → images
    views: dict[str, int]
    synthetic: NotRequired[int]  # images that say they are
    patients_in_two_splits: int
    skipped: list[Skip]
    content_hash: str


_CARD = TypeAdapter(DatasetCard)


def read_card(folder: Path) -> DatasetCard:
    """Read the dataset.yaml of a prepared dataset.

    Raises:
        XrganError: it was damaged.
    """
    card = read_yaml(folder / NAME, next_step=ANEW)
    try:
        _CARD.validate_python(card, strict=True)
        if not isinstance(card["options"].get("size"), int):
            raise ValueError("options.size is no number")
        if len({tuple(of_class) for of_class in card["counts"].values()}) != 1:
            raise ValueError("counts: its splits have other classes, or there is none")
    except ValueError as error:
        reason = first_reason(error) if isinstance(error, ValidationError) else error
        raise XrganError(f"{folder / NAME} is damaged: {reason}.", ANEW) from None
    return cast(DatasetCard, card)


def describe(
    inputs: Inputs,
    choices: Choices,
    moves: Moves,
    packed: pd.DataFrame,
    skipped: list[Skip],
    images_file: Path,
    image_format: ImageFormat,
) -> DatasetCard:
    """Describe a packed dataset: the content of dataset.yaml.

    Args:
        packed: the index, one row per image of `images_file`.
    """
    classes = sorted(set(packed["label"]) - {""})
    splits = [split for split in SPLITS if (packed["split"] == split).any()]
    names = classes + ([""] if (packed["label"] == "").any() else [])
    return {
        **inputs,
        "xrgan": xrgan.__version__,
        "images": len(packed),
        "channels": image_format.channels,
        "masks": list(image_format.structures),
        "patients": int(packed["patient"].nunique()) if (packed["patient"] != packed["file"]).any() else None,
        "classes": classes,
        "counts": {split: {label or NO_LABEL: _count(packed, split, label) for label in names} for split in splits},
        "width": _spread(packed["width"]),
        "height": _spread(packed["height"]),
        "kinds": {str(kind): int(count) for kind, count in packed["kind"].value_counts().items()},
        "views": {str(view) or "unknown": int(count) for view, count in packed["view"].value_counts().items()},
        "synthetic": int(packed["kind"].str.endswith(SYNTHETIC).sum()),
        "patients_in_two_splits": patients_in_two_splits(packed),
        **choices,
        **moves,
        "skipped": skipped,
        "content_hash": hash_content(packed, images_file),
    }


def _spread(pixels: pd.Series) -> Spread:
    numbers = pixels.astype(int)
    return {"min": int(numbers.min()), "median": int(numbers.median()), "max": int(numbers.max())}


def _count(packed: pd.DataFrame, split: str, label: str) -> int:
    return int(((packed["split"] == split) & (packed["label"] == label)).sum())
