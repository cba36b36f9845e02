"""Training, validation, testing: by patient, so that nobody is known beforehand to a test that he or she is in."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan.data.groups import group_by_names
from xrgan.data.packed import SPLITS

LEAST_VALIDATION = 0.05  # share of the training images; a smaller val split is too few to choose anything by


def assign_splits(rows: pd.DataFrame, shares: tuple[float, float, float], seed: int) -> pd.Series:
    """The split of every row: the source's own where it has one, else drawn by patient, class by class.

    A source with no (or hardly any) validation split, or no test split, gets one carved out of its training patients. A
    patient who stands in two of the source's own splits is left there; `settle` moves those, if asked to.
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


@dataclass(frozen=True)
class Settled:
    """The splits (N,) after `settle`, and how many images it moved for one picture, and for one patient."""

    splits: pd.Series
    moved_duplicates: int
    moved_patients: int


def settle(rows: pd.DataFrame, first_copy: NDArray[np.int64], fix_leaks: bool) -> Settled:
    """Bring every picture, and where `fix_leaks` every patient, into one split: the one that most of the images are in.

    Patients who share a picture are taken for one person: moving a copy alone would tear its patient in two.

    Args:
        rows: columns patient and split.
        first_copy: (N,) from `duplicates.find_groups`.
    """
    splits = rows["split"].reset_index(drop=True)
    person = group_by_names(pd.factorize(rows["patient"])[0], first_copy)  # (N,): patients that share a picture are one
    torn_picture = splits.groupby(first_copy).transform("nunique") > 1
    by_picture = torn_picture.groupby(person).transform("any")
    torn_person = splits.groupby(person).transform("nunique") > 1
    to_settle = by_picture | (torn_person & fix_leaks)
    settled = splits.copy()
    home = _home(splits[to_settle], person[to_settle])
    settled[to_settle] = [home[one] for one in person[to_settle]]
    moved = settled != splits
    return Settled(settled, int((moved & by_picture).sum()), int((moved & ~by_picture).sum()))


def _home(splits: pd.Series, person: NDArray[np.int64]) -> dict[int, str]:
    """The split of most images of each person; of equals, the later one: training can spare an image sooner."""
    counts = pd.crosstab(person, splits).reindex(columns=list(SPLITS[::-1]), fill_value=0)
    return dict(zip(counts.index.to_list(), counts.idxmax(axis=1), strict=True))


def patients_in_two_splits(rows: pd.DataFrame) -> int:
    """How many patients have images in more than one split: each is a leak from training to testing."""
    return int((rows.groupby("patient")["split"].nunique() > 1).sum())
