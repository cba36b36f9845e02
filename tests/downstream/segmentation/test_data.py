"""What a study of segmenters works on: images whose masks show something, cut by patient, and synthetic pairs."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.downstream.chests import chests, masked_dataset
from xrgan.data.packed import PackedDataset
from xrgan.downstream.pool import Pool
from xrgan.downstream.segmentation.data import cut, gather, paired_images
from xrgan.errors import XrganError


def pool_of(dataset: PackedDataset, k: int = 2) -> Pool:
    return gather(dataset, k)


def test_images_without_any_organ_are_left_out_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    dataset = masked_dataset()
    images = dataset.images.copy()
    images[[0, 5, 50], 1:] = 0
    images[7, 2] = 0  # a heart that nobody outlined: the lungs are there
    pool = pool_of(replace(dataset, images=images))
    assert "3 of 60 images of chests are left out: their masks show no organ" in capfd.readouterr().err.replace(
        "\n", " "
    )
    assert set(range(60)) - set(pool.rows) == {0, 5, 50}
    assert torch.equal(pool.images[pool.test], torch.from_numpy(images[pool.rows[pool.test], :1]))
    assert torch.equal(pool.targets[pool.training], torch.from_numpy(images[pool.rows[pool.training], 1:]))
    healthy = replace(dataset, images=images[:, :2], masks=("opacity",))
    assert len(pool_of(healthy).rows) == 60  # no opacity is no missing mask


def test_folds_share_out_classes_and_unlabelled_patients_and_part_nobody() -> None:
    dataset = masked_dataset(train=96)
    labels = dataset.labels.copy()
    labels[:24] = -1
    labels[[24, 25]] = 2  # one patient: no class of its own
    pool = pool_of(replace(dataset, labels=labels, classes=("NORMAL", "PNEUMONIA", "RARE")), k=3)
    made = cut(pool, 3, 0)
    for fold in made:
        assert np.count_nonzero(labels[pool.rows[fold.test]] == -1) == 8
        assert len(fold.test) == pytest.approx(32, abs=2) and len(fold.validation) == pytest.approx(64 / 7, abs=3)
        people = [set(pool.groups[part]) for part in (fold.training, fold.validation, fold.test)]
        assert not people[0] & people[1] and not (people[0] | people[1]) & people[2]
    assert sorted(np.concatenate([fold.test for fold in made])) == list(pool.learned_from)


def test_a_dataset_without_classes_or_val_is_cut_by_patient_alone() -> None:
    dataset = masked_dataset(train=12)
    dataset = replace(dataset, labels=np.full(24, -1), classes=(), splits=np.array(["train"] * 12 + ["test"] * 12))
    (own,) = cut(pool_of(dataset, 0), 0, 0)
    assert own.number == 0 and len(own.training) > len(own.validation) > 0 == len(own.test)
    assert [len(fold.test) for fold in cut(pool_of(dataset, 6), 6, 0)] == [2] * 6


def test_pairs_that_no_study_can_use_are_refused() -> None:
    dataset, drawn = masked_dataset(), chests(8, 1)
    with pytest.raises(XrganError, match="The synthetic images are 32×32 RGB"):
        paired_images(dataset, drawn[:, :1].repeat(3, axis=1), drawn[:, 1:], None)
    with pytest.raises(XrganError, match="There are no synthetic images"):
        paired_images(dataset, drawn[:0, :1], drawn[:0, 1:], None)
    drawn[:, 2] = 0
    with pytest.raises(XrganError, match="No synthetic mask shows any heart"):
        paired_images(dataset, drawn[:, :1], drawn[:, 1:], None)
