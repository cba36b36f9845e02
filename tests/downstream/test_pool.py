"""The images of a study: what they are called by, how they lie beside one another, and which shapes fit."""

import numpy as np
import pytest
import torch

from tests.downstream.blobs import blobs, toy_dataset, toy_synthetic_images
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.pool import FoldData, check_shape, synthetic_images
from xrgan.errors import XrganError

DATASET = toy_dataset()


def test_folds_are_made_of_everything_but_the_test_split() -> None:
    pool = gather(DATASET)
    assert pool.learned_from.tolist() == sorted([*pool.training, *pool.validation])
    assert pool.test_groups.tolist() == pool.groups[pool.test].tolist()


def test_real_images_come_first_and_synthetic_ones_after_them() -> None:
    pool, synthetic = gather(DATASET), toy_synthetic_images(DATASET)
    fold = cut(pool, 0, 0)[0]
    both = FoldData(DATASET, pool, fold, synthetic)
    assert torch.equal(both.images, torch.cat([pool.images, synthetic.images]))
    assert torch.equal(both.targets, torch.cat([pool.targets, synthetic.targets]))
    alone = FoldData(DATASET, pool, fold, None)
    assert torch.equal(alone.images, pool.images) and torch.equal(alone.targets, pool.targets)


def test_the_digest_is_of_images_and_targets() -> None:
    labels = np.arange(6) % 2
    images = blobs(labels, 0)
    digest = synthetic_images(images, labels, None).digest
    assert synthetic_images(images.copy(), labels.copy(), ()).digest == digest
    assert synthetic_images(images, 1 - labels, None).digest != digest
    assert synthetic_images(images[::-1].copy(), labels, None).digest != digest


def test_images_of_another_shape_are_a_sentence() -> None:
    check_shape(DATASET, DATASET.images[:3])
    with pytest.raises(XrganError, match=r"The synthetic images are 16×16 RGB, those of toys are 16×16"):
        check_shape(DATASET, DATASET.images[:3].repeat(3, axis=1))
    with pytest.raises(XrganError, match="There are no synthetic images"):
        check_shape(DATASET, DATASET.images[:0])
