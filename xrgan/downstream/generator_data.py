"""A second dataset from which a study's generators learn, too: unlabelled images, or another hospital's."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from xrgan.data.packed import PackedDataset
from xrgan.downstream.folds import Indices
from xrgan.downstream.leaks import provenance_on
from xrgan.errors import XrganError

OTHER = "other data"  # the class of its images that have none of the study's: a generator draws by class


@dataclass(frozen=True)
class GeneratorData:
    """Rows of another dataset that generators may learn from: nobody is among them who is judged."""

    dataset: PackedDataset
    rows: Indices


def generator_data(other: PackedDataset, dataset: PackedDataset, judged: Indices, drop: bool) -> GeneratorData:
    """Choose the images of another dataset that generators may learn from.

    Args:
        judged: rows of the study's dataset by which networks are judged: its test split, and all folds, whose left-out
            parts judge, too.
        drop: leave patients and copies of those out; else refuse the study.

    Raises:
        XrganError: some are among them, and `drop` is false; or the images differ in size, channels or masks.
    """
    shape = (dataset.size, dataset.channels, dataset.masks)
    if (other.size, other.channels, other.masks) != shape:
        raise XrganError(
            f"The images of {other.name} differ from those of {dataset.name} in size, channels or masks: one generator"
            " can't learn from both.",
            f"Prepare it alike: `xrgan prepare SOURCE --size {dataset.size} --name NEW`.",
        )
    leaked = np.isin(other.groups, provenance_on("", dataset, other, judged).groups)
    if other.content_hash == dataset.content_hash or leaked.all():
        raise XrganError(f"{other.name} holds the images that networks are judged by.", "Name another dataset.")
    if leaked.any() and not drop:
        raise XrganError(
            f"{len(np.unique(other.groups[leaked])):,} patients of {other.name} are among those by whom networks are"
            " judged: synthetic images could carry them into training.",
            f"Leave their {np.count_nonzero(leaked):,} of {len(leaked):,} images out (`--leaks drop`).",
        )
    return GeneratorData(other, np.flatnonzero(~leaked).astype(np.int64))


def with_generator_data(dataset: PackedDataset, extra: GeneratorData) -> PackedDataset:
    """Add those images to what a generator learns from; those of no class of the study are a class of their own."""
    training, other, rows = dataset.of_split("train"), extra.dataset, extra.rows
    labels = other.labels_in(dataset.classes)[rows]
    unknown = (labels < 0).any() and len(dataset.classes) > 0
    labels = np.where(labels < 0, len(dataset.classes) if unknown else -1, labels)
    content = hashlib.sha256(
        f"{dataset.content_hash} {other.content_hash} {rows.tolist()} {training.tolist()}".encode()
    )
    return replace(
        dataset,
        images=np.concatenate([dataset.images[training], other.images[rows]]),
        labels=np.concatenate([dataset.labels[training], labels]),
        splits=np.full(len(training) + len(rows), "train", dtype="<U5"),
        patients=np.concatenate([dataset.patients[training], np.char.add(f"{other.name} ", other.patients[rows])]),
        classes=(*dataset.classes, OTHER) if unknown else dataset.classes,
        content_hash=content.hexdigest(),
        hashes=np.empty(0, np.str_),
        copies_of=np.empty(0, np.str_),
        sexes=np.empty(0, np.str_),
        ages=np.empty(0),
    )


def share_of_study(dataset: PackedDataset) -> float:
    """The share of a generator's training images that are of the study's classes: it draws as many of them."""
    return float(np.mean(dataset.labels != dataset.classes.index(OTHER))) if OTHER in dataset.classes else 1.0
