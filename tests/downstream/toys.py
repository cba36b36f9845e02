"""A dataset that a classifier learns in a few steps: a bright blob at the top, or at the bottom."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset

SIZE = 16
QUICK = ClassifyConfig(arch="resnet18", weights="none", k_folds=2, epochs=3, batch_size=8)


def blobs(labels: NDArray[np.int64], seed: int, channels: int = 1) -> NDArray[np.uint8]:
    """uint8 (N, C, 16, 16): noise, and a blob whose height on the image depends on the class; no label: no blob."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 80, (len(labels), channels, SIZE, SIZE))
    for image, label in zip(images, labels, strict=True):
        top, left = 1 + 5 * label, rng.integers(2, 9)
        if label >= 0:
            image[:, top : top + 4, left : left + 5] += 150
    return images.astype(np.uint8)


def toy_dataset(train: int = 64, test: int = 24, classes: tuple[str, ...] = ("NORMAL", "PNEUMONIA")) -> PackedDataset:
    """Two images a patient, one label a patient; a tenth of the training images is called val."""
    total = train + test
    labels = (np.arange(total) // 2 % len(classes)).astype(np.int64)
    splits = np.array(["val" if k % 10 == 0 else "train" for k in range(train)] + ["test"] * test)
    patients = np.array([f"patient{k // 2}" for k in range(total)])
    return PackedDataset(Path("toys"), "toys", blobs(labels, seed=0), labels, splits, patients, classes, "0123")


def toy_synthetic(count: int = 40, classes: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    labels = (np.arange(count) % classes).astype(np.int64)
    return blobs(labels, seed=1), labels


def changed(dataset: PackedDataset, **fields: Any) -> PackedDataset:
    return replace(dataset, **fields)
