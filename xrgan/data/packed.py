"""data/prepared/<name>/ → arrays: the images as a memory map, and what the index says of each."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel

from xrgan import console
from xrgan.data.groups import group_by_names
from xrgan.errors import XrganError
from xrgan.files import check_shape, read_yaml

ANEW = "Prepare it anew with --force."
BY_TABLE = "Labels, patients and splits of your own go into a table: `xrgan prepare --table FILE`."
LARGE = 500_000_000  # bytes that take longer than a second to read
SCATTERED = 4  # times as many rows lie between those that are read
FEW = 500  # images, whose mean is near enough to that of all
SPLITS = ("train", "val", "test")
COLUMNS = ("file", "label", "patient", "split", "hash", "duplicate_of")  # of index.csv that are read back


class _Named(BaseModel):
    name: str = ""


class _Card(BaseModel):
    """What is read back of dataset.yaml."""

    classes: list[str]
    content_hash: str
    options: dict[str, Any]
    channels: int | None = None
    masks: list[str] = []
    source: _Named = _Named()


@dataclass(frozen=True)
class PackedDataset:
    path: Path
    name: str
    images: NDArray[np.uint8]  # (N, C + M, H, W), a memory map: the X-rays' channels, then the masks', 0 or 255
    labels: NDArray[np.int64]  # (N,): index into classes, -1 = no label
    splits: NDArray[np.str_]  # (N,): train | val | test
    patients: NDArray[np.str_]  # (N,)
    classes: tuple[str, ...]
    content_hash: str
    masks: tuple[str, ...] = ()  # the structures of the M mask channels
    options: Mapping[str, Any] = field(default_factory=dict)  # of `prepare`
    source: str = ""  # where its files came from: patients of one source are the same people
    hashes: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))  # (N,): of the prepared pixels
    copies_of: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))  # (N,): of one picture, one name
    sexes: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, np.str_))  # (N,): F, M … or "", where known
    ages: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # (N,): years or NaN, where they are known

    @property
    def channels(self) -> int:
        """Of the X-ray alone: 1 or 3."""
        return int(self.images.shape[1]) - len(self.masks)

    def xrays(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Those X-rays without their masks: uint8 (n, C, H, W)."""
        return self.images[indices, : self.channels]

    def brightness(self) -> float:
        """Mean of some training X-rays (of all, where there are none for training), 0 (black) to 1 (white)."""
        some = self.some_of(("train",), FEW, seed=0)
        return float(self.xrays(some if len(some) else np.arange(min(len(self.labels), FEW))).mean()) / 255

    @property
    def size(self) -> int:
        """Height and width in pixels."""
        return int(self.images.shape[2])

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Images of one patient, or copies of one picture, have one number: no fold may part them: (N,)."""
        columns = (self.patients, self.hashes, self.copies_of)
        return group_by_names(*(names for names in columns if len(names) == len(self.labels)))

    def of_split(self, *splits: str) -> NDArray[np.int64]:
        """The indices of the images in those splits, ascending: int64 (n,)."""
        return np.flatnonzero(np.isin(self.splits, splits)).astype(np.int64)

    def labels_in(self, classes: Sequence[str], names: Mapping[str, str] | None = None) -> NDArray[np.int64]:
        """The labels as indices into other classes; -1 = none of them: int64 (N,).

        Args:
            names: class → what it is called there, of those that are there at all; by default the same.
        """
        index = {name: k for k, name in enumerate(classes)}
        there = self.classes if names is None else [names.get(name, "") for name in self.classes]
        # A label of -1 takes the last one.
        return np.array([index.get(name, -1) for name in there] + [-1], np.int64)[self.labels]

    def some_of(self, splits: tuple[str, ...], n: int, seed: int) -> NDArray[np.int64]:
        """At most n indices of those splits, drawn at random by the seed, ascending: int64 (≤ n,)."""
        indices = self.of_split(*splits)
        return np.sort(np.random.default_rng(seed).permutation(indices)[:n])


def open_packed(path: Path) -> PackedDataset:
    """Open a prepared dataset; no pixel is read yet.

    Raises:
        XrganError: it is no prepared dataset, or its files don't fit together.
    """
    description = read_yaml(path / "dataset.yaml")
    try:
        check_shape(description, _Card)
        images = np.load(path / "images.npy", mmap_mode="r")
        classes = tuple(description["classes"])
        masks = tuple(description.get("masks", ()))
        index = _read_index(path / "index.csv", classes)
        labels = np.array([classes.index(label) if label else -1 for label in index["label"]], np.int64)
        splits, patients = (np.asarray(index[column], dtype=np.str_) for column in ("split", "patient"))
        content_hash = str(description["content_hash"])
        options = dict(description["options"])
        source = str(description.get("source", {}).get("name", ""))
        hashes, copies_of = np.asarray(index["hash"], np.str_), _first_copies(index)
        sexes, ages = _people(index)
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise XrganError(f"The prepared dataset {path} is damaged: {error}.", ANEW) from error
    size, channels = options.get("size"), description.get("channels")
    said = (len(index), None if channels is None else channels + len(masks), size, size)
    fits = images.ndim == 4 and all(b in (None, a) for a, b in zip(images.shape, said, strict=True))
    if images.dtype != np.uint8 or not fits:
        raise XrganError(
            f"The prepared dataset {path} is damaged: images.npy is {images.shape} of {images.dtype}, "
            f"index.csv has {len(index)} rows, and dataset.yaml says {size} pixels.",
            ANEW,
        )
    return PackedDataset(
        path=path,
        name=path.name,
        images=images,
        labels=labels,
        splits=splits,
        patients=patients,
        classes=classes,
        content_hash=content_hash,
        masks=masks,
        options=options,
        source=source,
        hashes=hashes,
        copies_of=copies_of,
        sexes=sexes,
        ages=ages,
    )


def read_rows(images: NDArray[np.uint8], indices: NDArray[np.int64], channels: int) -> NDArray[np.uint8]:
    """Read the first channels of some images: uint8 (n, channels, H, W).

    Of a file, each from where it stands, in the file's order: a memory map would read what is around it, too, and all
    that was ever read would count as memory used.
    """
    if not isinstance(images, np.memmap) or not isinstance(images.base, mmap) or not hasattr(os, "preadv"):
        return images[indices, :channels]  # not the whole file, or Windows
    found = np.empty((len(indices), channels, *images.shape[2:]), np.uint8)
    flat = found.reshape(len(indices), channels * images[0, 0].size)
    with Path(str(images.filename)).open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise") and len(indices) and np.ptp(indices) > SCATTERED * len(indices):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # the disk reads half as much again without it
        for k in np.argsort(indices, kind="stable"):
            read = os.preadv(file.fileno(), [flat[k]], images.offset + int(indices[k]) * images.strides[0])
            if read < flat.shape[1]:
                raise XrganError(f"{images.filename} was cut short while it was in use.", ANEW)
    return found


def _read_index(file: Path, classes: tuple[str, ...]) -> pd.DataFrame:
    """Read index.csv; ValueError where it lacks a column, or names a class or split that there isn't."""
    index = pd.read_csv(file, dtype=str, keep_default_na=False)
    for column in COLUMNS:
        if column not in index:
            raise ValueError(f"index.csv has no column {column}")
    for column, known in (("label", {"", *classes}), ("split", set(SPLITS))):
        if strange := sorted(set(index[column]) - known):
            raise ValueError(f"index.csv has the {column} {strange[0]!r}, known are {', '.join(sorted(known - {''}))}")
    return index


def check_content(dataset: PackedDataset) -> None:
    """Read a dataset through, and compare it with its content hash.

    Raises:
        XrganError: its pixels, labels, splits or patients were changed since it was prepared.
    """
    file = dataset.path / "images.npy"
    if file.stat().st_size > LARGE:
        console.notice(f"Reading {file} through, to see that it is unchanged.")
    index = pd.read_csv(dataset.path / "index.csv", dtype=str, keep_default_na=False)
    if hash_content(index, file) != dataset.content_hash:
        raise XrganError(
            f"The prepared dataset {dataset.path} was changed since it was prepared: its content hash is another one.",
            f"{ANEW} {BY_TABLE}",
        )


def hash_content(index: pd.DataFrame, images_file: Path) -> str:
    """Of pixels, classes, splits, and which images share a patient: not of names, which differ between machines.

    Args:
        index: columns label, split and patient.
    """
    with images_file.open("rb") as file:  # a memory map that is read through would count as memory used
        content = hashlib.file_digest(file, "sha256")
    patient = pd.factorize(index["patient"])[0]
    for label, split, number in zip(index["label"], index["split"], patient, strict=True):
        content.update(f"{label}\0{split}\0{number}\n".encode())
    return content.hexdigest()


def _people(index: pd.DataFrame) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """Sex and age of each image's patient; empty where index.csv has no such column."""
    sexes = np.asarray(index["sex"], np.str_) if "sex" in index else np.empty(0, np.str_)
    ages = np.asarray(pd.to_numeric(index["age"], errors="coerce"), np.float64) if "age" in index else np.empty(0)
    return sexes, ages


def _first_copies(index: pd.DataFrame) -> NDArray[np.str_]:
    """The file whose picture each image shows: its own, where it is no copy."""
    return np.asarray(index["duplicate_of"].where(index["duplicate_of"] != "", index["file"]), np.str_)
