"""What a study works on: every image with its label and its patient, folds of them, and synthetic ones in their mix."""

import numpy as np
import pytest
import torch

from tests.downstream.blobs import blobs, changed, set_at, toy_dataset, toy_synthetic, toy_synthetic_images
from xrgan.data.packed import PackedDataset
from xrgan.downstream.classification.data import (
    check_real,
    choose_synthetic,
    class_counts,
    cut,
    gather,
    labelled_images,
)
from xrgan.downstream.pool import Pool, SyntheticImages
from xrgan.errors import XrganError

DATASET = toy_dataset()


def counts(pool: Pool, indices: np.ndarray) -> np.ndarray:
    """How many of those images each class has."""
    return class_counts(pool.targets[indices], pool.names)


def test_every_image_keeps_its_label_its_patient_and_its_split() -> None:
    pool = gather(DATASET)
    for ours, split in ((pool.training, "train"), (pool.validation, "val"), (pool.test, "test")):
        theirs = DATASET.of_split(split)
        assert pool.rows[ours].tolist() == theirs.tolist()
        np.testing.assert_array_equal(pool.images[ours], DATASET.images[theirs])
        np.testing.assert_array_equal(pool.targets[ours], DATASET.labels[theirs])
        np.testing.assert_array_equal(pool.groups[ours], DATASET.groups[theirs])
    assert pool.learned_from.tolist() == sorted([*pool.training, *pool.validation])
    assert counts(pool, pool.test).tolist() == [12, 12]


def test_masks_are_nothing_that_a_classifier_sees() -> None:
    masks = np.full_like(DATASET.images, 255)
    with_masks = changed(DATASET, images=np.concatenate([DATASET.images, masks], axis=1), masks=("lungs",))
    assert torch.equal(gather(with_masks).images, gather(DATASET).images)


def test_images_without_a_label_are_left_out_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    pool = gather(changed(DATASET, labels=set_at(DATASET.labels, [0, 70], -1)))
    assert (len(pool.learned_from), len(pool.test)) == (63, 23)
    assert pool.targets.min() == 0 and not {0, 70} & set(pool.rows)
    np.testing.assert_array_equal(pool.images, DATASET.images[pool.rows])
    images, labels = toy_synthetic()
    assert len(labelled_images(DATASET, images, set_at(labels, 5, -1), None).images) == 79
    said = capfd.readouterr().err
    assert "2 images of toys have no label" in said and "1 synthetic images have no label" in said


def test_an_image_without_a_label_still_tells_of_its_patient() -> None:
    """It is nothing to learn from or to be judged by, but a link between two others."""
    hashes = set_at(DATASET.hashes, [0, 87], "the same")
    linked = changed(DATASET, hashes=hashes, labels=set_at(DATASET.labels, 0, -1))
    with pytest.raises(XrganError, match="1 patient"):
        gather(linked)


# --- folds


def test_a_fold_s_images_are_those_rows_of_the_dataset() -> None:
    pool = gather(changed(DATASET, labels=set_at(DATASET.labels, [0, 1, 30], -1)))
    for fold in cut(pool, 2, 0):
        there = fold.at(pool.rows)
        assert there.number == fold.number
        for ours, theirs in (
            (fold.training, there.training),
            (fold.validation, there.validation),
            (fold.test, there.test),
        ):
            np.testing.assert_array_equal(pool.images[ours], DATASET.images[theirs])


def test_without_folds_it_is_the_dataset_s_own_split() -> None:
    pool = gather(DATASET)
    (own,) = cut(pool, 0, seed=3)
    assert (own.number, len(own.test)) == (0, 0)
    there = own.at(pool.rows)
    assert there.training.tolist() == DATASET.of_split("train").tolist()
    assert there.validation.tolist() == DATASET.of_split("val").tolist()


@pytest.mark.parametrize("lacks", ["a class", "everything"])
def test_where_val_lacks_a_class_a_part_of_all_picks_the_epoch(lacks: str) -> None:
    there = (DATASET.splits == "val") & ((DATASET.labels == 1) if lacks == "a class" else True)
    pool = gather(changed(DATASET, splits=set_at(DATASET.splits, there, "train")))
    (own,) = cut(pool, 0, seed=0)
    assert sorted([*own.training, *own.validation]) == pool.learned_from.tolist()
    assert not set(pool.groups[own.training]) & set(pool.groups[own.validation])
    assert counts(pool, own.validation).min() > 0 and len(own.test) == 0


def test_folds_that_can_t_hold_every_class_are_refused() -> None:
    dataset = toy_dataset(train=8)
    labels = np.concatenate([[0, 1, 0, 1, 0, 1, 0, 1], dataset.labels[8:]])
    patients = np.concatenate([list("abcbdbeb"), dataset.patients[8:]])  # b has every image of PNEUMONIA
    with pytest.raises(XrganError, match="can't be cut into 2 folds that hold every class each"):
        cut(gather(changed(dataset, labels=labels, patients=patients)), 2, 0)


# --- synthetic images


def test_synthetic_images_are_named_by_what_they_are() -> None:
    images, labels = toy_synthetic()
    one = labelled_images(DATASET, images, labels, None)
    assert torch.equal(one.images, torch.from_numpy(images)) and torch.equal(one.targets, torch.from_numpy(labels))
    assert class_counts(one.targets, DATASET.classes).tolist() == [40, 40]
    others = [
        labelled_images(DATASET, images[::-1].copy(), labels, None),
        labelled_images(DATASET, images, 1 - labels, None),
        labelled_images(DATASET, images[:78], labels[:78], None),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 4
    assert labelled_images(DATASET, images.copy(), labels.copy(), ()).digest == one.digest


@pytest.mark.parametrize(
    ("ratio", "synthetic", "expected"), [(0.5, 200, 30), (2, 200, 120), (1, 20, 20), (0.01, 20, 2)]
)
def test_synthetic_images_come_in_the_real_class_mix(ratio: float, synthetic: int, expected: int) -> None:
    pool, drawn = gather(toy_dataset(train=60)), toy_synthetic_images(count=synthetic)
    chosen = choose_synthetic(pool, pool.learned_from, drawn, ratio, np.random.default_rng(0))
    assert len(set(chosen)) == len(chosen) == expected
    assert np.bincount(drawn.targets[chosen]).tolist() == [expected // 2, expected // 2]


def test_a_scarce_class_holds_the_others_back() -> None:
    pool = gather(toy_dataset(train=60))
    labels = (np.arange(50) >= 40).astype(np.int64)  # 40 NORMAL, 10 PNEUMONIA
    scarce = labelled_images(DATASET, blobs(labels, 0), labels, None)
    assert counts(pool, pool.learned_from).tolist() == [30, 30]
    chosen = choose_synthetic(pool, pool.learned_from, scarce, 1, np.random.default_rng(0))
    assert np.bincount(scarce.targets[chosen]).tolist() == [10, 10]


# --- what is refused


def test_real_images_that_won_t_do() -> None:
    with pytest.raises(XrganError, match="toys has one class: a classifier needs two"):
        check_real(changed(DATASET, classes=("NORMAL",), labels=np.zeros_like(DATASET.labels)), 2)
    with pytest.raises(XrganError, match="toys has no classes"):
        check_real(changed(DATASET, classes=(), labels=np.full_like(DATASET.labels, -1)), 0)
    with pytest.raises(XrganError, match="toys has no labelled test images"):
        check_real(changed(DATASET, splits=np.full(len(DATASET.splits), "train")), 2)
    only_normal = np.where(DATASET.splits == "test", 0, DATASET.labels)
    with pytest.raises(XrganError, match="test split of toys has no image of class PNEUMONIA"):
        check_real(changed(DATASET, labels=only_normal), 2)
    check_real(DATASET, 16)
    with pytest.raises(XrganError, match=r"NORMAL has images of 16 patients .* too few for 17 folds.*--k-folds 16"):
        check_real(DATASET, 17)
    lonely = np.where((DATASET.splits != "test") & (np.arange(88) > 3), 0, DATASET.labels)
    for k, what in ((0, "training and validation"), (2, "2 folds")):
        with pytest.raises(XrganError, match=f"PNEUMONIA has images of 1 patient to train on: too few for {what}.*Add"):
            check_real(changed(DATASET, labels=lonely), k)


def test_synthetic_images_that_won_t_do() -> None:
    images, labels = toy_synthetic()

    def of(images: np.ndarray, labels: np.ndarray, dataset: PackedDataset = DATASET) -> SyntheticImages:
        return labelled_images(dataset, images, labels, None)

    with pytest.raises(XrganError, match="There are no synthetic images"):
        of(images[:0], labels[:0])
    with pytest.raises(XrganError, match="are 8×8 gray, those of toys are 16×16 gray"):
        of(images[:, :, :8, :8], labels)
    with pytest.raises(XrganError, match="are 16×16 RGB"):
        of(images.repeat(3, axis=1), labels)
    with pytest.raises(XrganError, match=r"have no labels.*--conditional.*--synthetic NORMAL="):
        of(images, np.full_like(labels, -1))
    with pytest.raises(XrganError, match=r"No synthetic image is of class PNEUMONIA.*--label PNEUMONIA"):
        of(images, np.zeros_like(labels))
