"""Who learns, who picks the epoch, who judges: cut by patient, whatever the patients are like."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from xrgan.downstream.folds import (
    LEAST_IMAGES,
    VALIDATION_PARTS,
    Fold,
    Indices,
    check_classes,
    hold_out,
    stratified_folds,
    subsample,
)
from xrgan.errors import XrganError

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Cohort:
    """Labels and groups of all images, and those of them that are to be cut."""

    items: Indices
    labels: Indices
    groups: Indices
    classes: int

    def groups_of(self, part: Indices) -> set[int]:
        return set(self.groups[part].tolist())

    def classes_of(self, part: Indices) -> set[int]:
        return set(self.labels[part].tolist())


def cohort(images: list[list[int]]) -> Cohort:
    """From the classes of each patient's images; three images of nobody in them come first, and are not cut."""
    labels = np.array([0, 0, 0, *(label for patient in images for label in patient)], np.int64)
    groups = np.array([500, 501, 502, *(k for k, patient in enumerate(images) for _ in patient)], np.int64)
    return Cohort(np.arange(3, len(labels)), labels, groups, max(map(max, images)) + 1)


def random_cohort(seed: int, classes: int, fewest: int) -> Cohort:
    """`fewest` to `fewest` + 10 patients a class, of one to four images; every tenth image is of another class."""
    rng = np.random.default_rng(seed)
    patients = []
    for label in range(classes):
        for _ in range(rng.integers(fewest, fewest + 11)):
            images = np.full(rng.integers(1, 5), label)
            other = rng.random(len(images)) < rng.choice([0, 0.1])
            patients.append(np.where(other, rng.integers(classes), images).tolist())
    rng.shuffle(patients)
    return cohort(patients)


def cohorts(fewest: int) -> st.SearchStrategy[Cohort]:
    return st.builds(random_cohort, st.integers(0, 2**32 - 1), st.integers(2, 3), st.just(fewest))


def check(of: Cohort, folds: list[Fold]) -> None:
    """What holds for any folds."""
    for fold in folds:
        parts = (fold.training, fold.validation, fold.test)
        assert sorted(np.concatenate(parts)) == of.items.tolist(), "every image has one part in a fold"
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not of.groups_of(parts[one]) & of.groups_of(parts[other])
        for part in parts:
            assert of.classes_of(part) == of.classes_of(of.items)
            assert (np.diff(part) > 0).all()


@settings(max_examples=60)
@given(of=cohorts(fewest=3), k=st.integers(2, 6), seed=st.integers(0, 9))
def test_no_patient_is_in_two_parts_and_every_image_is_left_out_once(of: Cohort, k: int, seed: int) -> None:
    """However few patients there are, as long as there are as many of each class as `check_real` asks for."""
    for label in range(of.classes):
        assume(len(of.groups_of(of.items[of.labels[of.items] == label])) >= k)
    try:
        folds = stratified_folds(of.items, of.labels, of.groups, k, seed)
    except XrganError as error:
        assert "can't be cut" in error.message and "--k-folds" in error.hint
        return
    check(of, folds)
    assert [fold.number for fold in folds] == list(range(1, k + 1))
    assert sorted(np.concatenate([fold.test for fold in folds])) == of.items.tolist()


@given(of=cohorts(fewest=2), seed=st.integers(0, 9))
def test_held_out_images_are_of_other_patients(of: Cohort, seed: int) -> None:
    training, validation = hold_out(of.items, of.labels, of.groups, seed)
    assert sorted([*training, *validation]) == of.items.tolist()
    assert not of.groups_of(training) & of.groups_of(validation)


@pytest.mark.parametrize("seed", range(5))
def test_ten_patients_a_class_are_enough_for_five_folds(seed: int) -> None:
    of = cohort([[k % 2] * (1 + k % 3) for k in range(20)])
    check(of, stratified_folds(of.items, of.labels, of.groups, 5, seed))


def test_parts_have_the_class_mix_and_about_the_share_they_should() -> None:
    of = cohort([[0]] * 140 + [[1]] * 70)
    for fold in stratified_folds(of.items, of.labels, of.groups, 5, 0):
        for part in (fold.training, fold.validation, fold.test):
            assert np.mean(of.labels[part]) == pytest.approx(1 / 3, abs=0.03)
        assert len(fold.test) == 42
        assert len(fold.validation) == pytest.approx(168 / VALIDATION_PARTS, abs=1)


def test_folds_follow_the_seed() -> None:
    of = cohort([[k % 2] for k in range(40)])
    first, same, other = (stratified_folds(of.items, of.labels, of.groups, 2, seed)[0].test for seed in (1, 1, 2))
    assert list(first) == list(same) != list(other)


@pytest.mark.parametrize("patients", [[[0], [0], [1], [1]], [[0], [0], [1], [1], [1], [1]]])
def test_nobody_left_to_pick_the_epoch_is_a_sentence(patients: list[list[int]]) -> None:
    """One patient of class 0 is left out, the other one learns."""
    of = cohort(patients)
    with pytest.raises(XrganError, match="can't be cut into 2 folds"):
        stratified_folds(of.items, of.labels, of.groups, 2, 0)


def test_patients_who_can_t_be_cut_are_a_sentence() -> None:
    of = cohort([[1, 1, 1, 0], [0], [0], [0], [0]])  # one patient has every image of class 1
    with pytest.raises(XrganError, match=r"can't be cut into 2 folds that hold every class.*fold \d lacks one.*--seed"):
        stratified_folds(of.items, of.labels, of.groups, 2, 0)


def test_each_part_of_a_fold_needs_every_class() -> None:
    labels = np.array([0, 1, 0, 1, 0, 1])
    whole = Fold(1, np.array([0, 1]), np.array([2, 3]), np.array([4, 5]))
    check_classes(whole, np.arange(6), labels, 2)
    for broken in (
        Fold(1, np.array([0]), np.array([1, 2, 3]), np.array([4, 5])),
        Fold(1, np.array([0, 1]), np.array([2]), np.array([4, 5])),
        Fold(1, np.array([0, 1]), np.array([2, 3]), np.array([5])),
    ):
        with pytest.raises(XrganError, match="fold 1 lacks one"):
            check_classes(broken, np.arange(6), labels, 2)
    check_classes(Fold(0, np.array([0, 1]), np.array([2, 3]), np.array([], np.int64)), np.arange(6), labels, 0)
    with pytest.raises(XrganError, match="training and validation images.*Add images"):
        check_classes(Fold(0, np.array([0, 1]), np.array([3]), np.array([], np.int64)), np.arange(6), labels, 0)


# --- fractions


@settings(max_examples=60)
@given(
    of=cohorts(fewest=6),
    seed=st.integers(0, 9),
    fractions=st.lists(st.floats(0.01, 1), min_size=2, max_size=2).map(sorted),
)
def test_fractions_are_nested_and_by_patient_and_keep_every_class(
    of: Cohort, seed: int, fractions: list[float]
) -> None:
    fold = Fold(1, *hold_out(of.items, of.labels, of.groups, seed), np.arange(3))
    smaller, larger = (subsample(fold, of.labels, of.groups, fraction, seed) for fraction in fractions)
    for part in ("training", "validation"):
        few, more, all_ = (getattr(one, part) for one in (smaller, larger, fold))
        assert set(few) <= set(more) <= set(all_)
        assert of.classes_of(few) == of.classes_of(all_)
        for label in of.classes_of(all_):
            there, kept = (images[of.labels[images] == label] for images in (all_, few))
            patients = of.groups_of(kept)
            assert set(kept) == {image for image in there if of.groups[image] in patients}, "a patient's images stay"
            largest = max(np.count_nonzero(of.groups[there] == patient) for patient in of.groups_of(there))
            wanted = max(LEAST_IMAGES, round(fractions[0] * len(there)))
            assert min(wanted, len(there)) <= len(kept) < wanted + largest, "no more than asked for, but for a patient"
    assert list(smaller.test) == list(larger.test) == list(fold.test)


def test_who_has_few_images_has_few_to_validate_on() -> None:
    of = cohort([[k % 2] for k in range(400)])
    fold = stratified_folds(of.items, of.labels, of.groups, 2, 0)[0]
    tenth = subsample(fold, of.labels, of.groups, 0.1, 0)
    assert len(tenth.training) == pytest.approx(len(fold.training) / 10, abs=2)
    assert len(tenth.validation) == pytest.approx(len(fold.validation) / 10, abs=2)
    assert subsample(fold, of.labels, of.groups, 1, 0) == fold
    other = subsample(fold, of.labels, of.groups, 0.1, 1)
    assert list(other.training) != list(tenth.training), "another training, other images"
