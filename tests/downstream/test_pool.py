import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.downstream.toys import blobs, changed, toy_dataset, toy_synthetic
from xrgan.downstream.pool import Pool, check_real, choose_synthetic, gather, shared_patients, split
from xrgan.errors import XrganError


def toy_pool(train: int = 64, synthetic: int = 40) -> Pool:
    return gather(toy_dataset(train), *toy_synthetic(synthetic))


def test_every_image_keeps_its_label_and_its_place() -> None:
    dataset, (images, labels) = toy_dataset(), toy_synthetic()
    pool = gather(dataset, images, labels)
    for ours, theirs in ((pool.training, dataset.of_split("train", "val")), (pool.test, dataset.of_split("test"))):
        np.testing.assert_array_equal(pool.images[ours], dataset.images[theirs])
        np.testing.assert_array_equal(pool.labels[ours], dataset.labels[theirs])
        np.testing.assert_array_equal(pool.patients[ours], dataset.patients[theirs])
    np.testing.assert_array_equal(pool.images[pool.synthetic], images)
    np.testing.assert_array_equal(pool.labels[pool.synthetic], labels)


def test_masks_are_nothing_that_a_classifier_sees() -> None:
    dataset, (images, labels) = toy_dataset(), toy_synthetic()
    masks = np.full_like(dataset.images, 255)
    with_masks = changed(dataset, images=np.concatenate([dataset.images, masks], axis=1), masks=("lungs",))
    np.testing.assert_array_equal(gather(with_masks, images, labels).images, gather(dataset, images, labels).images)


def test_images_without_a_label_are_left_out_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    dataset, (images, labels) = toy_dataset(), toy_synthetic()
    real_labels = dataset.labels.copy()
    real_labels[[0, 70]] = labels[5] = -1
    pool = gather(changed(dataset, labels=real_labels), images, labels)
    assert (len(pool.training), len(pool.test), len(pool.synthetic)) == (63, 23, 39)
    assert pool.labels.min() == 0
    said = capfd.readouterr().err
    assert "2 images of toys have no label" in said and "1 synthetic images have no label" in said


@given(k=st.integers(2, 5), seed=st.integers(0, 99), images=st.lists(st.integers(1, 5), min_size=20, max_size=40))
def test_folds_share_no_patient_and_leave_every_image_out_once(k: int, seed: int, images: list[int]) -> None:
    patients = np.repeat(np.arange(len(images)), images).astype(str)
    labels = np.repeat(np.arange(len(images)) % 2, images).astype(np.int64)
    dataset = changed(
        toy_dataset(),
        images=np.concatenate([blobs(labels, 0), toy_dataset().images[64:]]),
        labels=np.concatenate([labels, toy_dataset().labels[64:]]),
        splits=np.array(["train"] * len(labels) + ["test"] * 24),
        patients=np.concatenate([patients, toy_dataset().patients[64:]]),
    )
    pool = gather(dataset, *toy_synthetic())
    folds = split(pool, k, seed)
    assert len(folds) == k
    for fold in folds:
        assert not set(pool.patients[fold.training]) & set(pool.patients[fold.validation])
        assert sorted([*fold.training, *fold.validation]) == list(pool.training)
        assert pool.counts(fold.validation).min() > 0
    assert sorted(np.concatenate([fold.validation for fold in folds])) == list(pool.training)


def test_folds_follow_the_seed() -> None:
    pool = toy_pool()
    first, same, other = (split(pool, 2, seed)[0].validation for seed in (1, 1, 2))
    assert list(first) == list(same) != list(other)


@pytest.mark.parametrize(
    ("ratio", "synthetic", "expected"), [(0.5, 200, 30), (2, 200, 120), (1, 20, 20), (0.01, 20, 2)]
)
def test_synthetic_images_come_in_the_real_class_mix(ratio: float, synthetic: int, expected: int) -> None:
    pool = toy_pool(train=60, synthetic=synthetic)
    chosen = choose_synthetic(pool, pool.training, ratio, np.random.default_rng(0))
    assert len(set(chosen)) == len(chosen) == expected
    assert set(chosen) <= set(pool.synthetic)
    assert list(pool.counts(chosen)) == [expected // 2, expected // 2]


def test_a_scarce_class_holds_the_others_back() -> None:
    dataset = toy_dataset(train=60)
    training = dataset.of_split("train", "val")
    labels = (np.arange(50) >= 40).astype(np.int64)  # 40 NORMAL, 10 PNEUMONIA
    pool = gather(dataset, blobs(labels, 0), labels)
    assert list(pool.counts(pool.training)) == [30, 30] and len(training) == 60
    assert list(pool.counts(choose_synthetic(pool, pool.training, 1, np.random.default_rng(0)))) == [10, 10]


def test_patients_on_both_sides_are_counted() -> None:
    dataset = toy_dataset()
    assert shared_patients(gather(dataset, *toy_synthetic())) == 0
    patients = dataset.patients.copy()
    patients[-4:] = patients[:4]
    assert shared_patients(gather(changed(dataset, patients=patients), *toy_synthetic())) == 2


def test_real_images_that_won_t_do() -> None:
    dataset = toy_dataset()
    with pytest.raises(XrganError, match="toys has one class: a classifier needs two"):
        check_real(changed(dataset, classes=("NORMAL",), labels=np.zeros_like(dataset.labels)), 2)
    with pytest.raises(XrganError, match="toys has no labelled test images"):
        check_real(changed(dataset, splits=np.full(len(dataset.splits), "train")), 2)
    only_normal = np.where(dataset.splits == "test", 0, dataset.labels)
    with pytest.raises(XrganError, match="test split of toys has no image of class PNEUMONIA"):
        check_real(changed(dataset, labels=only_normal), 2)
    check_real(dataset, 16)
    with pytest.raises(XrganError, match=r"NORMAL has images of 16 patients .* too few for 17 folds.*--k-folds 16"):
        check_real(dataset, 17)


def test_synthetic_images_that_won_t_do() -> None:
    dataset, (images, labels) = toy_dataset(), toy_synthetic()
    with pytest.raises(XrganError, match="There are no synthetic images"):
        gather(dataset, images[:0], labels[:0])
    with pytest.raises(XrganError, match="are 8 × 8 with 1 channel, those of toys are 16 × 16 with 1 channel"):
        gather(dataset, images[:, :, :8, :8], labels)
    with pytest.raises(XrganError, match="are 16 × 16 with 3 channels"):
        gather(dataset, images.repeat(3, axis=1), labels)
    with pytest.raises(XrganError, match="have no labels"):
        gather(dataset, images, np.full_like(labels, -1))
    with pytest.raises(XrganError, match=r"No synthetic image is of class PNEUMONIA.*--label PNEUMONIA"):
        gather(dataset, images, np.zeros_like(labels))


def test_folds_that_can_t_hold_every_class_are_refused() -> None:
    dataset = toy_dataset(train=8)
    labels = np.concatenate([[0, 1, 0, 1, 0, 1, 0, 1], dataset.labels[8:]])
    patients = np.concatenate([list("abcbdbeb"), dataset.patients[8:]])  # b has every image of PNEUMONIA
    pool = gather(changed(dataset, labels=labels, patients=patients), *toy_synthetic())
    with pytest.raises(XrganError, match="can't be cut into 2 folds that hold every class each"):
        split(pool, 2, 0)
