"""Nobody is in training and in testing: splits are dealt by patient, and one picture stands in one split."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.data.packed import SPLITS
from xrgan.data.preparing.splits import assign_splits, patients_in_two_splits, settle

pytestmark = pytest.mark.slow

SHARES = (0.8, 0.1, 0.1)


def table(patients: list[tuple[str, str, int, str]]) -> pd.DataFrame:
    """Rows of (patient, label, images, split)."""
    rows = [
        {"file": f"{patient}_{k}.png", "label": label, "patient": patient, "split": split}
        for patient, label, images, split in patients
        for k in range(images)
    ]
    return pd.DataFrame(rows, columns=["file", "label", "patient", "split"])


def crowd(n: int, label: str, images: int = 1, split: str = "") -> list[tuple[str, str, int, str]]:
    return [(f"{label}{split}{k:03d}", label, images, split) for k in range(n)]


def divided(rows: pd.DataFrame, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> pd.DataFrame:
    return rows.assign(split=assign_splits(rows, shares, seed))


patients = st.lists(
    st.tuples(
        st.integers(0, 60).map(str), st.sampled_from(["", "a", "b"]), st.integers(1, 3), st.sampled_from(["", *SPLITS])
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda patient: patient[0],
)
shares_of_three = st.sampled_from([SHARES, (1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.34, 0.33, 0.33), (0.6, 0.0, 0.4)])


@given(patients, shares_of_three, st.integers(0, 2**63 - 1))
def test_no_patient_is_in_two_splits(
    patients: list[tuple[str, str, int, str]], shares: tuple[float, float, float], seed: int
) -> None:
    rows = table(patients)
    result = divided(rows, shares, seed)
    assert set(result["split"]) <= set(SPLITS)
    assert patients_in_two_splits(result) == 0
    assert divided(rows, shares, seed).equals(result)


@given(patients, st.integers(0, 9))
def test_no_patient_comes_into_two_splits_where_the_source_knows_some_images_only(
    patients: list[tuple[str, str, int, str]], seed: int
) -> None:
    rows = table(patients)
    rows.loc[rows["file"].str.endswith("_1.png"), "split"] = ""
    known = rows["split"] != ""
    result = divided(rows, seed=seed)
    assert patients_in_two_splits(result) == 0
    if not known.all():
        assert (result["split"][known] == rows["split"][known]).all()


@given(st.integers(0, 80), st.integers(1, 80), shares_of_three, st.integers(0, 99))
def test_every_class_has_its_shares_of_patients(
    ill: int, healthy: int, shares: tuple[float, float, float], seed: int
) -> None:
    result = divided(table(crowd(ill, "ill", images=2) + crowd(healthy, "healthy")), shares, seed)
    for label, n in (("ill", ill), ("healthy", healthy)):
        patients = result[result["label"] == label].groupby("patient")["split"].first().value_counts()
        for split, share in zip(SPLITS, shares, strict=True):
            assert abs(patients.get(split, 0) - share * n) <= 1


def test_another_seed_deals_otherwise() -> None:
    rows = table(crowd(50, "a"))
    assert not divided(rows, seed=1).equals(divided(rows, seed=2))


def test_the_sources_own_splits_stay() -> None:
    rows = table(crowd(80, "a", split="train") + crowd(10, "a", split="val") + crowd(10, "a", split="test"))
    assert divided(rows, seed=3).equals(rows)


def test_a_tiny_validation_split_is_enlarged_from_training_by_patient() -> None:
    """Kermany: 8 + 8 images to validate 5,216."""
    kermany = (
        crowd(100, "NORMAL", 2, "train")
        + crowd(300, "PNEUMONIA", 2, "train")
        + crowd(4, "NORMAL", 1, "val")
        + crowd(4, "PNEUMONIA", 1, "val")
        + crowd(30, "NORMAL", 1, "test")
    )
    before = table(kermany)
    after = divided(before)
    moved = before["split"] != after["split"]
    assert set(before["split"][moved]) == {"train"}
    assert set(after["split"][moved]) == {"val"}
    assert patients_in_two_splits(after) == 0
    for label, images in (("NORMAL", 200), ("PNEUMONIA", 600)):
        assert (moved & (before["label"] == label)).sum() == pytest.approx(images / 9, abs=2)


def test_a_validation_split_of_a_twentieth_is_left() -> None:
    rows = table(crowd(100, "a", split="train") + crowd(5, "a", split="val") + crowd(9, "a", split="test"))
    assert divided(rows).equals(rows)


def test_a_test_split_is_carved_where_the_source_has_none() -> None:
    rows = table(crowd(200, "a", split="train") + crowd(20, "a", split="val"))
    counts = divided(rows)["split"].value_counts()
    assert counts.to_dict() == {"train": 180, "val": 20, "test": 20}


def test_training_alone_is_carved_into_three() -> None:
    counts = divided(table(crowd(900, "a", split="train")))["split"].value_counts()
    assert counts["val"] == pytest.approx(100, abs=2)
    assert counts["test"] == pytest.approx(80, abs=2)


def test_no_split_is_carved_that_is_not_wanted() -> None:
    rows = table(crowd(20, "a", split="train"))
    assert divided(rows, (1.0, 0.0, 0.0)).equals(rows)


def test_a_patient_whom_the_source_itself_put_in_two_splits_is_counted() -> None:
    rows = table([("p1", "a", 1, "train"), ("p1", "a", 1, "test"), ("p2", "a", 2, "train"), ("p3", "a", 1, "val")])
    assert patients_in_two_splits(rows) == 1
    result = divided(rows)
    assert list(result["split"][rows["patient"] == "p1"]) == ["train", "test"]


def test_the_draw_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = table(crowd(30, "a", images=2) + crowd(20, "b"))
    shuffled = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    assert divided(shuffled).sort_index().equals(divided(rows))


# --- one picture, one patient, one split


def settled(said: list[tuple[str, str]], copies: dict[int, int] | None = None, fix_leaks: bool = False) -> list[str]:
    """Rows of (patient, split); `copies` names the first copy of a row."""
    first_copy = np.arange(len(said))
    for row, first in (copies or {}).items():
        first_copy[row] = first
    return list(settle(pd.DataFrame(said, columns=["patient", "split"]), first_copy, fix_leaks).splits)


LEAK = [("p1", "train"), ("p1", "train"), ("p1", "test"), ("p2", "test"), ("p3", "train"), ("p3", "test")]


def test_the_sources_leaks_stay_unless_asked() -> None:
    assert settled(LEAK) == [split for _, split in LEAK]


def test_a_leaking_patient_goes_where_most_images_are_and_of_equals_out_of_training() -> None:
    assert settled(LEAK, fix_leaks=True) == ["train", "train", "train", "test", "test", "test"]


def test_what_was_moved_is_counted() -> None:
    rows = pd.DataFrame(LEAK, columns=["patient", "split"])
    result = settle(rows, np.arange(len(rows)), fix_leaks=True)
    assert (result.moved_duplicates, result.moved_patients) == (0, 2)
    result = settle(rows, np.array([0, 1, 0, 3, 4, 5]), fix_leaks=False)
    assert (result.moved_duplicates, result.moved_patients) == (1, 0)


def test_a_picture_in_two_splits_moves_with_its_patients() -> None:
    said = [("p1", "train"), ("p1", "train"), ("p2", "test"), ("p3", "test")]
    assert settled(said, copies={2: 0}) == ["train", "train", "train", "test"]


def test_copies_in_one_split_move_nobody() -> None:
    said = [("p1", "train"), ("p1", "test"), ("p2", "train")]
    assert settled(said, copies={2: 0}) == ["train", "test", "train"]


cells = st.lists(st.tuples(st.integers(0, 15).map(str), st.sampled_from(SPLITS)), min_size=1, max_size=40)


@given(cells, st.data())
def test_no_picture_straddles_and_with_fix_leaks_no_patient(said: list[tuple[str, str]], data: st.DataObject) -> None:
    first_copy = np.arange(len(said))
    for row in range(1, len(said)):
        first_copy[row] = first_copy[data.draw(st.sampled_from([row] * 6 + list(range(row))))]
    rows = pd.DataFrame(said, columns=["patient", "split"])
    before = patients_in_two_splits(rows)
    for fix_leaks in (False, True):
        after = rows.assign(split=settle(rows, first_copy, fix_leaks).splits)
        assert (after["split"].groupby(first_copy).nunique() == 1).all()
        assert patients_in_two_splits(after) <= (0 if fix_leaks else before)
    if not before and (first_copy == np.arange(len(said))).all():
        assert list(settle(rows, first_copy, True).splits) == list(rows["split"])
