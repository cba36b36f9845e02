"""Planted leaks are found: a patient, or a copy of a picture, on both sides of what is learned and what judges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.downstream.blobs import changed, set_at, toy_dataset
from xrgan.downstream.classification.data import check_real, cut, gather
from xrgan.downstream.folds import Fold
from xrgan.downstream.leaks import (
    TrainingProvenance,
    check_fold,
    check_folds,
    check_generator,
    drop_leaked_test_images,
    provenance_on,
)
from xrgan.errors import XrganError

DATASET = toy_dataset()
TEST = DATASET.of_split("test")


# --- what a generator saw


def test_a_run_saw_its_training_patients_only() -> None:
    seen = provenance_on("run", DATASET, DATASET)
    assert set(seen.groups) == set(DATASET.groups[DATASET.of_split("train")])
    assert not set(seen.groups) & set(DATASET.groups[DATASET.of_split("val", "test")])


def test_a_run_on_another_preparation_of_the_source_saw_its_patients() -> None:
    """Other pixels, another split: patient40 is a test patient here, and was trained on there."""
    there = toy_dataset(name="larger", seed=9)
    there = changed(there, source="toys", splits=set_at(there.splits, there.patients == "patient40", "train"))
    assert not set(there.hashes) & set(DATASET.hashes)
    seen = provenance_on("run", there, DATASET)
    assert set(DATASET.patients[np.isin(DATASET.groups, seen.groups)]) == {
        *DATASET.patients[DATASET.splits == "train"],
        "patient40",
    }


def test_a_generator_of_some_rows_saw_those_alone() -> None:
    some = DATASET.of_split("val")
    there = changed(toy_dataset(), content_hash="another preparation")
    for trained_on in (DATASET, there):
        seen = provenance_on("run", trained_on, DATASET, some)
        assert seen.rows.tolist() == some.tolist() and seen.elsewhere == 0
        assert seen.groups.tolist() == np.unique(DATASET.groups[some]).tolist()


def test_names_of_patients_mean_nothing_between_sources() -> None:
    for source in ("elsewhere", ""):
        there = changed(toy_dataset(name="elsewhere", seed=9), source=source)
        assert len(provenance_on("run", there, changed(DATASET, source=source and "toys")).groups) == 0


def test_equal_pixels_tell_in_any_source_and_with_them_the_whole_patient() -> None:
    there = toy_dataset(name="elsewhere", seed=9)
    hashes = set_at(there.hashes, 0, DATASET.hashes[TEST[0]])  # of an image that was trained on
    hashes = set_at(hashes, np.flatnonzero(there.splits == "val")[0], DATASET.hashes[TEST[5]])  # of one that wasn't
    seen = provenance_on("run", changed(there, hashes=hashes), DATASET)
    assert seen.groups.tolist() == [DATASET.groups[TEST[0]]]
    assert np.count_nonzero(np.isin(DATASET.groups[TEST], seen.groups)) == 2, "both of the patient's images"


# --- the test split


def test_test_patients_who_were_learned_from_are_refused_or_dropped() -> None:
    learned = DATASET.groups[TEST[[0, 1, 10]]]
    with pytest.raises(XrganError) as caught:
        drop_leaked_test_images(DATASET, TEST, learned, drop=False)
    assert "2 patients have images in the test split of toys" in caught.value.message
    assert "4 of 24 test images" in caught.value.hint and "--leaks drop" in caught.value.hint
    assert "--fix-leaks" in caught.value.hint
    kept = drop_leaked_test_images(DATASET, TEST, learned, drop=True)
    assert set(TEST) - set(kept) == {TEST[0], TEST[1], TEST[10], TEST[11]}
    assert drop_leaked_test_images(DATASET, TEST, DATASET.groups[:64], drop=False).tolist() == TEST.tolist()
    with pytest.raises(XrganError, match="^1 patient has images"):
        drop_leaked_test_images(DATASET, TEST, learned[:1], drop=False)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_patient_on_both_sides_is_refused_or_exactly_he_is_dropped(
    split: str, capfd: pytest.CaptureFixture[str]
) -> None:
    known = DATASET.patients[DATASET.of_split(split)[0]]
    leaking = changed(DATASET, patients=set_at(DATASET.patients, TEST[4:6], known))
    with pytest.raises(XrganError, match="among those that were learned from"):
        gather(leaking)
    pool = gather(leaking, drop_leaked=True)
    assert set(TEST) - set(pool.rows[pool.test]) == {TEST[4], TEST[5]}
    assert "2 of 24 test images are left out" in capfd.readouterr().err


def test_a_copy_of_a_test_image_among_training_images_is_refused() -> None:
    for copy in (
        {"hashes": set_at(DATASET.hashes, 0, DATASET.hashes[TEST[3]])},
        {"copies_of": set_at(DATASET.copies_of, TEST[3], DATASET.copies_of[0])},
    ):
        with pytest.raises(XrganError, match="1 patient.* in the test split"):
            gather(changed(DATASET, **copy))


def test_test_images_of_a_generator_s_patients_are_refused_or_dropped() -> None:
    seen = TrainingProvenance("a-run", DATASET.groups[TEST[:4]])
    with pytest.raises(XrganError, match="2 patients have images in the test split"):
        gather(DATASET, seen=(seen,))
    pool = gather(DATASET, drop_leaked=True, seen=(TrainingProvenance("other", DATASET.groups[:4]), seen))
    assert set(TEST) - set(pool.rows[pool.test]) == set(TEST[:4])


def test_a_class_that_loses_all_its_test_images_is_named() -> None:
    ill = TEST[DATASET.labels[TEST] == 1]
    with pytest.raises(XrganError, match="Every test image of class PNEUMONIA in toys.*--fix-leaks"):
        gather(DATASET, drop_leaked=True, seen=(TrainingProvenance("a-run", DATASET.groups[ill]),))


# --- folds


def test_a_fold_with_a_patient_or_a_picture_on_both_sides_is_refused() -> None:
    groups = changed(DATASET, hashes=set_at(DATASET.hashes, 20, DATASET.hashes[8])).groups
    assert groups[20] == groups[8] and DATASET.groups[20] != DATASET.groups[8]
    check_fold(Fold(1, np.arange(8), np.arange(10, 12), np.array([8, 9, 20, 21])), groups)
    for training, validation in (([*range(8), 20], [10]), (range(8), [10, 20]), (range(9), [10])):
        fold = Fold(3, np.array(training), np.array(validation), np.array([8, 9]))
        with pytest.raises(XrganError, match="Fold 3 is no test: 1 patient.*Prepare the dataset anew"):
            check_fold(fold, groups)


@settings(max_examples=40)
@given(
    copies=st.lists(st.tuples(st.integers(0, 63), st.integers(0, 63)), max_size=12),
    by_hash=st.booleans(),
    k=st.integers(2, 4),
    seed=st.integers(0, 5),
)
@pytest.mark.slow
def test_copies_of_a_picture_under_two_patients_stay_on_one_side(
    copies: list[tuple[int, int]], by_hash: bool, k: int, seed: int
) -> None:
    column = "hashes" if by_hash else "copies_of"
    values = getattr(DATASET, column)
    for one, other in copies:
        values = set_at(values, other, values[one])
    planted = changed(DATASET, **{column: values})
    pool = gather(planted)
    try:
        folds = cut(pool, k, seed)
    except XrganError:  # too many patients hang together
        return
    for fold in folds:
        for part in (fold.test, fold.validation):
            rest = np.setdiff1d(pool.learned_from, part)
            for names in (planted.patients, values):
                assert not set(names[pool.rows[part]]) & set(names[pool.rows[rest]])


def test_a_generator_that_saw_a_left_out_part_is_refused() -> None:
    seen = provenance_on("a-run", DATASET, DATASET)
    pool = gather(DATASET, seen=(seen,))
    check_real(DATASET, 3)
    with pytest.raises(
        XrganError, match=r"a-run learned from images of \d+ patients in fold 1's left-out part"
    ) as caught:
        check_folds(cut(pool, 3, 0), pool.groups, (seen,))
    assert "--k-folds 0" in caught.value.hint and "--gan-per-fold" in caught.value.hint
    own = cut(pool, 0, 0)
    check_folds(own, pool.groups, (seen,))
    assert [fold.number for fold in own] == [0]
    fold = cut(pool, 3, 0)[0]
    honest = TrainingProvenance("of-fold", pool.groups[fold.training])
    check_generator(honest, fold, pool.groups)
    with pytest.raises(XrganError, match="of-fold learned from images of 1 patient in fold 1"):
        check_generator(
            TrainingProvenance("of-fold", np.append(honest.groups, pool.groups[fold.test[0]])), fold, pool.groups
        )
