"""The labelled images of a study of classifiers: what is refused, which are used, and the synthetic ones' class mix."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan import console
from xrgan.data.packed import PackedDataset
from xrgan.downstream import folds
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance, usable_rows
from xrgan.downstream.pool import Pool, SyntheticImages, check_shape, synthetic_images
from xrgan.errors import XrganError


def gather(dataset: PackedDataset, drop_leaked: bool = False, seen: tuple[TrainingProvenance, ...] = ()) -> Pool:
    """Read the labelled images of a dataset into memory.

    Args:
        drop_leaked: leave test images of patients out who are learned from; else refuse the study.
        seen: what generators learned from whose images the study uses.

    Raises:
        XrganError: patients stand on both sides.
    """
    parts = usable_rows(dataset, dataset.labels >= 0, drop_leaked, seen)
    _say_without_label(int(np.count_nonzero(dataset.labels < 0)), f"images of {dataset.name}")
    rows = np.sort(np.concatenate(parts))
    training, validation, test = (np.searchsorted(rows, part) for part in parts)
    labels = dataset.labels[rows]
    images, targets = torch.from_numpy(dataset.xrays(rows)), torch.from_numpy(labels)
    pool = Pool(images, targets, dataset.classes, labels, dataset.groups[rows], rows, training, validation, test)
    _check_test(pool, dataset)
    return pool


def gather_external(dataset: PackedDataset, rows: Indices, names: Mapping[str, str], pool: Pool) -> Pool:
    """Read those images of another dataset whose class is one of the study's.

    Args:
        names: class of the dataset → class of the study; images of others are left out.
        pool: of the study.

    Raises:
        XrganError: a class of the study has no image.
    """
    labels = dataset.labels_in(pool.names, names)[rows]
    rows, labels = rows[labels >= 0], labels[labels >= 0]
    absent = [name for k, name in enumerate(pool.names) if k not in labels]
    if absent:
        raise XrganError(
            f"No image of {dataset.name} is of the class {absent[0]}: its classes are {', '.join(dataset.classes)}.",
            f"Say which of them it is: `--map '{(*dataset.classes, 'CLASS')[0]}={absent[0]}'`.",
        )
    everything, none = np.arange(len(rows)), np.empty(0, np.int64)
    images, targets = torch.from_numpy(dataset.xrays(rows)), torch.from_numpy(labels)
    return Pool(images, targets, pool.names, labels, dataset.groups[rows], rows, none, none, everything)


def labelled_images(
    dataset: PackedDataset,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    seen: tuple[TrainingProvenance, ...] | None,
) -> SyntheticImages:
    """Synthetic images for a study on that dataset; those without a label are left out.

    Args:
        images: uint8 (S, C, H, W).
        labels: int64 (S,), index into the dataset's classes; -1 = no label.

    Raises:
        XrganError: they are not what a study needs.
    """
    assert images.dtype == np.uint8 and len(images) == len(labels)
    _check_synthetic(dataset, images, labels)
    kept = np.flatnonzero(labels >= 0)
    _say_without_label(len(labels) - len(kept), "synthetic images")
    return synthetic_images(images[kept], labels[kept].astype(np.int64), seen)


def check_real(dataset: PackedDataset, k: int) -> None:
    """Refuse a dataset that no classifier can be trained or scored on, with k folds (0 = its own split).

    Raises:
        XrganError: it has fewer than two classes, not every one of them among its test images, or a class with too few
            patients to train on.
    """
    training = np.concatenate([_labelled(dataset, "train"), _labelled(dataset, "val")])
    test = _labelled(dataset, "test")
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
        if count < max(k, 2):
            raise XrganError(
                f"Class {name} has images of {count} patient{'' if count == 1 else 's'} to train on: too few for"
                f" {f'{k} folds' if k else 'training and validation'}.",
                f"Use fewer folds: `--k-folds {count}`." if count >= 2 else "Add images of that class.",
            )


def cut(pool: Pool, k: int, seed: int) -> list[Fold]:
    """Cut k folds of which every part holds every class; k = 0 is the dataset's own split.

    Raises:
        XrganError: the patients can't be cut so.
    """
    if not k:
        return [_own_split(pool, seed)]
    return folds.stratified_folds(pool.learned_from, pool.strata, pool.groups, k, seed)


def choose_synthetic(
    pool: Pool, training: Indices, synthetic: SyntheticImages, ratio: float, rng: np.random.Generator
) -> Indices:
    """Choose synthetic images for a fold: `ratio` per real one, fewer where a class has too few, never none.

    All classes are cut back alike, so that the real class mix stays, and with it what the classifier learns of how
    common a class is.

    Returns:
        int64 (n,), indices into the synthetic images.
    """
    real = class_counts(pool.targets[training], pool.names)
    ratio = min(ratio, float((class_counts(synthetic.targets, pool.names) / real).min()))
    wanted = np.maximum(1, np.round(ratio * real)).astype(np.int64)
    labels = synthetic.targets.numpy()
    chosen = [
        rng.choice(np.flatnonzero(labels == label), size=count, replace=False) for label, count in enumerate(wanted)
    ]
    return np.sort(np.concatenate(chosen))


def class_counts(labels: Tensor, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """How many of those labels each class has: (K,)."""
    return np.bincount(labels.numpy(), minlength=len(classes)).astype(np.int64)


def _own_split(pool: Pool, seed: int) -> Fold:
    """The dataset's train and val; a part of train where val lacks a class or is not there."""
    own = Fold(0, pool.training, pool.validation, pool.test[:0])
    labels = pool.strata
    if set(labels[own.validation]) < set(labels[own.training]):
        training, validation = folds.hold_out(pool.learned_from, labels, pool.groups, seed)
        own = replace(own, training=training, validation=validation)
    folds.check_classes(own, pool.learned_from, labels, 0)
    return own


def _labelled(dataset: PackedDataset, split: str) -> Indices:
    indices = dataset.of_split(split)
    return indices[dataset.labels[indices] >= 0]


def _say_without_label(count: int, what: str) -> None:
    if count:
        console.notice(f"{count} {what} have no label and are left out.")


def _check_test(pool: Pool, dataset: PackedDataset) -> None:
    for name, count in zip(pool.names, class_counts(pool.targets[pool.test], pool.names), strict=True):
        if not count:
            raise XrganError(
                f"Every test image of class {name} in {dataset.name} is of a patient who was learned from.",
                "Prepare the dataset with `--fix-leaks` under another name (`--name`), and train on that.",
            )


def _check_synthetic(dataset: PackedDataset, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    check_shape(dataset, images)
    if labels.max() < 0:
        raise XrganError(
            "The synthetic images have no labels, so a classifier can't learn from them.",
            "Draw them from a conditional model (`xrgan train --conditional`), or name a run or a folder for each"
            f" class: `--synthetic {dataset.classes[0]}=runs/…`.",
        )
    assert labels.max() < len(dataset.classes)
    for label, name in enumerate(dataset.classes):
        if label not in labels:
            raise XrganError(f"No synthetic image is of class {name}.", f"Draw some: `xrgan sample --label {name}`.")
