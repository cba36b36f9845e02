"""No image by which a network is judged may have reached it: no copy of it, and no other image of its patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.packed import PackedDataset
from xrgan.downstream.folds import Fold, Indices
from xrgan.errors import XrganError


@dataclass(frozen=True)
class TrainingProvenance:
    """What a generator learned from.

    Attributes:
        by: the run's name.
        groups: of the study's dataset (`PackedDataset.groups`), those of which it saw an image.
        rows: of the study's dataset, the very images that it learned from.
        elsewhere: how many other real images it learned from.
        datasets: of which those are, by name.
    """

    by: str
    groups: Indices
    rows: Indices = field(default_factory=lambda: np.empty(0, np.int64))
    elsewhere: int = 0
    datasets: tuple[str, ...] = ()


def provenance_on(
    name: str, trained_on: PackedDataset, dataset: PackedDataset, rows: Indices | None = None
) -> TrainingProvenance:
    """Tell in groups of `dataset` whom a run saw that was trained on `trained_on`.

    `trained_on` may be another preparation of the same source, where patients have the same names; or of other images,
    where equal pixels alone tell.

    Args:
        rows: of `trained_on`, those that it learned from; by default its training images.
    """
    rows = trained_on.of_split("train") if rows is None else rows
    groups = dataset.groups
    if trained_on.content_hash == dataset.content_hash:
        return TrainingProvenance(name, np.unique(groups[rows]), rows)
    equal = np.isin(dataset.hashes, trained_on.hashes[rows])
    known = equal.copy()
    if trained_on.source and trained_on.source == dataset.source:
        known |= np.isin(dataset.patients, trained_on.patients[rows])
    elsewhere = int(np.count_nonzero(~np.isin(trained_on.hashes[rows], dataset.hashes)))
    of_others = (trained_on.name,) if elsewhere else ()
    return TrainingProvenance(
        name, np.unique(groups[known]), np.flatnonzero(equal).astype(np.int64), elsewhere, of_others
    )


def joined(name: str, parts: Sequence[TrainingProvenance]) -> TrainingProvenance:
    """What a generator learned from that learned from several datasets, one after another or at once."""
    groups, rows = (np.unique(np.concatenate(ones)) for ones in zip(*((p.groups, p.rows) for p in parts), strict=True))
    names = dict.fromkeys(one for part in parts for one in part.datasets)
    return TrainingProvenance(name, groups, rows, sum(one.elsewhere for one in parts), tuple(names))


def images_behind(learned: Indices, seen: Sequence[TrainingProvenance] | None) -> int | None:
    """How many real images stand behind a network: those that it learned from, and its generators'; None = unknown.

    Args:
        learned: rows of the dataset that the network itself learned from.
        seen: what the generators of its synthetic images learned from; None where nobody knows.
    """
    if seen is None:
        return None
    rows = np.unique(np.concatenate([learned, *(one.rows for one in seen)]))
    return len(rows) + sum(one.elsewhere for one in seen)


def check_fold(fold: Fold, groups: Indices) -> None:
    """Refuse a fold with a patient (or a picture) on both sides.

    Args:
        groups: of every image, (N,).

    Raises:
        XrganError: it has one.
    """
    learned = np.concatenate([fold.training, fold.validation])
    shared = np.intersect1d(groups[learned], groups[fold.test])
    if len(shared):
        raise XrganError(
            f"Fold {fold.number} is no test: {_people_have(len(shared))} images in it and among those to learn from.",
            "Prepare the dataset anew, so that patients and copies are known.",
        )


def check_generator(seen: TrainingProvenance, fold: Fold, groups: Indices) -> None:
    """Refuse a generator that learned from images of patients in a fold's left-out part.

    Raises:
        XrganError: it did.
    """
    shared = np.intersect1d(seen.groups, groups[fold.test])
    if len(shared):
        raise XrganError(
            f"{seen.by} learned from images of {_people(len(shared))} in fold {fold.number}'s left-out part: its"
            " synthetic images could carry them into training.",
            "Use the fixed split, whose test images it never saw (`--k-folds 0`), or train one generator per fold"
            " (`--gan-per-fold`).",
        )


def check_folds(folds: Iterable[Fold], groups: Indices, seen: Sequence[TrainingProvenance]) -> None:
    """Refuse folds by `check_fold` and, for the generators of images that go into every fold, by `check_generator`."""
    for fold in folds:
        check_fold(fold, groups)
        for one in seen:
            check_generator(one, fold, groups)


def drop_leaked_test_images(dataset: PackedDataset, test: Indices, learned: Indices, drop: bool) -> Indices:
    """Test images of patients that were not trained on.

    Args:
        test: rows of the dataset.
        learned: groups that were trained on.
        drop: leave the others out; else refuse the study.

    Raises:
        XrganError: there are others, and `drop` is false.
    """
    groups = dataset.groups
    leaked = np.isin(groups[test], learned)
    if leaked.any() and not drop:
        raise XrganError(
            f"{_people_have(len(np.unique(groups[test[leaked]])))} images in the test split of {dataset.name} and among"
            " those that were learned from: no honest score can come of them.",
            f"Leave their {np.count_nonzero(leaked):,} of {len(test):,} test images out (`--leaks drop`); or prepare"
            " the dataset with `--fix-leaks` under another name (`--name`), and train on that.",
        )
    return test[~leaked]


def usable_rows(
    dataset: PackedDataset, usable: NDArray[np.bool_], drop_leaked: bool, seen: tuple[TrainingProvenance, ...]
) -> tuple[Indices, Indices, Indices]:
    """The rows of train, val and test that a study may use: nobody is judged by who is learned from.

    Args:
        usable: (N,) rows that the study can do something with.
        drop_leaked: leave test images of patients out who are learned from; else refuse the study.
        seen: what generators learned from whose images the study uses.

    Raises:
        XrganError: patients stand on both sides, and `drop_leaked` is false.
    """
    training, validation, test = (rows[usable[rows]] for rows in map(dataset.of_split, ("train", "val", "test")))
    learned = np.concatenate([dataset.groups[training], dataset.groups[validation], *(one.groups for one in seen)])
    kept = drop_leaked_test_images(dataset, test, learned, drop_leaked)
    if left := len(test) - len(kept):
        console.notice(f"{left:,} of {len(test):,} test images are left out: their patients were learned from.")
    return training, validation, kept


def _people(count: int) -> str:
    return f"{count:,} patient{'' if count == 1 else 's'}"


def _people_have(count: int) -> str:
    return f"{_people(count)} {'has' if count == 1 else 'have'}"
