"""What a study works on: real and synthetic images in one array, folds by patient, the images an arm learns from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from torch import Tensor

from xrgan import console
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Every labelled image of a study; indices (n,) into `images`, ascending."""

    images: Tensor  # uint8 (N, C, H, W)
    labels: Tensor  # int64 (N,): index into classes
    patients: NDArray[np.str_]  # (N,); empty for synthetic images
    classes: tuple[str, ...]
    training: Indices  # real: the dataset's train and val
    test: Indices  # real
    synthetic: Indices

    def counts(self, indices: Indices) -> NDArray[np.int64]:
        """How many of those images each class has: (K,)."""
        return np.bincount(self.labels[indices].numpy(), minlength=len(self.classes)).astype(np.int64)


@dataclass(frozen=True)
class Fold:
    number: int  # from 1
    training: Indices
    validation: Indices  # the left-out fold: other patients than training


def gather(dataset: PackedDataset, synthetic_images: NDArray[np.uint8], synthetic_labels: NDArray[np.int64]) -> Pool:
    """Read the labelled images of a dataset into memory, and put the synthetic ones behind them.

    Args:
        synthetic_images: uint8 (M, C, H, W), of the dataset's shape.
        synthetic_labels: int64 (M,), index into the dataset's classes; -1 = no label.

    Raises:
        XrganError: the real or the synthetic images are not what a study needs.
    """
    assert synthetic_images.dtype == np.uint8 and len(synthetic_images) == len(synthetic_labels)
    training = _labelled(dataset, dataset.of_split("train", "val"))
    test = _labelled(dataset, dataset.of_split("test"))
    _check_synthetic(dataset, synthetic_images, synthetic_labels)
    kept = np.flatnonzero(synthetic_labels >= 0)
    _say_left_out(len(synthetic_labels) - len(kept), "synthetic images")
    real = np.concatenate([training, test])
    _say_left_out(len(dataset.of_split("train", "val", "test")) - len(real), f"images of {dataset.name}")
    ends = np.cumsum([0, len(training), len(test), len(kept)])
    return Pool(
        images=torch.from_numpy(np.concatenate([dataset.xrays(real), synthetic_images[kept]])),
        labels=torch.from_numpy(np.concatenate([dataset.labels[real], synthetic_labels[kept]])),
        patients=np.concatenate([dataset.patients[real], np.full(len(kept), "")]),
        classes=dataset.classes,
        training=np.arange(ends[0], ends[1]),
        test=np.arange(ends[1], ends[2]),
        synthetic=np.arange(ends[2], ends[3]),
    )


def check_real(dataset: PackedDataset, k: int) -> None:
    """Refuse a dataset that no classifier can be trained or scored on, with k folds.

    Raises:
        XrganError: it has fewer than two classes, not every one of them among its test images, or a class with fewer
            than k patients to train on.
    """
    training = _labelled(dataset, dataset.of_split("train", "val"))
    test = _labelled(dataset, dataset.of_split("test"))
    if len(dataset.classes) < 2:
        raise XrganError(
            f"{dataset.name} has {'one class' if dataset.classes else 'no classes'}: a classifier needs two or more.",
            "Prepare images that lie in one folder per class.",
        )
    if len(test) == 0:
        raise XrganError(
            f"{dataset.name} has no labelled test images to score a classifier on.",
            "Prepare it anew with a share for test: `xrgan prepare --force --set 'prepare.split=[0.8,0.1,0.1]'`.",
        )
    for label, name in enumerate(dataset.classes):
        if label not in dataset.labels[test]:
            raise XrganError(
                f"The test split of {dataset.name} has no image of class {name}.", "Prepare it with more images."
            )
        count = len(np.unique(dataset.patients[training[dataset.labels[training] == label]]))
        if count < k:
            raise XrganError(
                f"Class {name} has images of {count} patient{'' if count == 1 else 's'} to train on: too few for"
                f" {k} folds.",
                f"Use fewer folds: `--k-folds {count}`." if count >= 2 else "Add images of that class.",
            )


def split(pool: Pool, k: int, seed: int) -> list[Fold]:
    """Cut the real training images into k folds; no patient is in two, the class mix is as equal as can be.

    Raises:
        XrganError: the patients can't be cut so that every fold holds every class.
    """
    folds = list(_folds(pool, k, seed))
    for fold in folds:
        if min(pool.counts(fold.training).min(), pool.counts(fold.validation).min()) == 0:
            raise XrganError(
                f"The patients can't be cut into {k} folds that hold every class each: fold {fold.number} lacks one.",
                "Use fewer folds (`--k-folds 2`) or another seed (`--seed 1`).",
            )
    return folds


def choose_synthetic(pool: Pool, training: Indices, ratio: float, rng: np.random.Generator) -> Indices:
    """Draw synthetic images for a fold: `ratio` for each real one, fewer where a class has too few, never none.

    All classes are cut back alike, so that the real class mix stays, and with it what the classifier learns of how
    common a class is.
    """
    real = pool.counts(training)
    ratio = min(ratio, float((pool.counts(pool.synthetic) / real).min()))
    wanted = np.maximum(1, np.round(ratio * real)).astype(np.int64)
    labels = pool.labels[pool.synthetic].numpy()
    drawn = [
        rng.choice(pool.synthetic[labels == label], size=count, replace=False) for label, count in enumerate(wanted)
    ]
    return np.sort(np.concatenate(drawn))


def shared_patients(pool: Pool) -> int:
    """How many patients have images in training and in test: none, if the dataset was split well."""
    return len(np.intersect1d(pool.patients[pool.training], pool.patients[pool.test]))


def _folds(pool: Pool, k: int, seed: int) -> Iterator[Fold]:
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    groups = pool.patients[pool.training]
    parts = splitter.split(groups, pool.labels[pool.training].numpy(), groups)
    for number, (training, validation) in enumerate(parts, start=1):
        yield Fold(number, pool.training[training], pool.training[validation])


def _labelled(dataset: PackedDataset, indices: Indices) -> Indices:
    return indices[dataset.labels[indices] >= 0]


def _say_left_out(count: int, what: str) -> None:
    if count:
        console.notice(f"{count} {what} have no label and are left out.")


def _check_synthetic(dataset: PackedDataset, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    if len(images) == 0:
        raise XrganError("There are no synthetic images.", "`xrgan sample --n 1000` draws some.")
    real = dataset.xrays(np.arange(1))
    if images.shape[1:] != real.shape[1:]:
        raise XrganError(
            f"The synthetic images are {_shape(images)}, those of {dataset.name} are {_shape(real)}.",
            "Take the images of a run that was trained on this dataset.",
        )
    if labels.max() < 0:
        raise XrganError(
            "The synthetic images have no labels, so a classifier can't learn from them.",
            "Draw them from a conditional model: `xrgan train --set model.conditional=true`, then `xrgan sample`.",
        )
    assert labels.max() < len(dataset.classes)
    for label, name in enumerate(dataset.classes):
        if label not in labels:
            raise XrganError(f"No synthetic image is of class {name}.", f"Draw some: `xrgan sample --label {name}`.")


def _shape(images: NDArray[np.uint8]) -> str:
    _, channels, height, width = images.shape
    return f"{width} × {height} with {channels} channel{'s' if channels > 1 else ''}"
