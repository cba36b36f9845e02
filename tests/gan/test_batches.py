"""Which images a step sees."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import batch, tiny_config, tiny_dataset
from xrgan.errors import XrganError
from xrgan.gan.batches import make_batches
from xrgan.gan.plan import training_plan


def test_the_order_visits_every_image_once_per_epoch(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    batches = make_batches(dataset, training_plan(tiny_config()))
    seen = np.concatenate(
        [batch(batches, step)[0].mean(dim=(1, 2, 3)).numpy() for step in range(batches.steps_per_epoch)]
    )
    expected = dataset.images[dataset.of_split("train")].astype(np.float32).mean(axis=(1, 2, 3)) / 127.5 - 1
    assert np.allclose(np.sort(seen), np.sort(expected), atol=1e-5)


def test_only_training_images_are_seen_as_they_are(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    batches = make_batches(dataset, training_plan(tiny_config()))
    assert set(batches.indices) == set(dataset.of_split("train"))
    real = dataset.images[dataset.of_split("train")].astype(np.float32) / 127.5 - 1
    images, _ = batch(batches, 0)
    for image in images.numpy():
        assert np.isclose(real, image, atol=1e-5).all(axis=(1, 2, 3)).any()


def test_a_conditional_generator_is_shown_no_image_without_a_label(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    dataset.labels[:5] = -1
    conditional, unconditional = (
        make_batches(dataset, training_plan(tiny_config(conditional=wanted))) for wanted in (True, False)
    )
    assert (len(conditional.indices), conditional.left_out, conditional.steps_per_epoch) == (27, 5, 6)
    assert (len(unconditional.indices), unconditional.left_out, unconditional.steps_per_epoch) == (32, 0, 8)
    assert all(int(label) >= 0 for step in range(6) for label in batch(conditional, step)[1])


def test_an_epoch_ends_after_its_last_step(tmp_path: Path) -> None:
    batches = make_batches(tiny_dataset(tmp_path), training_plan(tiny_config()))
    assert [step for step in range(1, 20) if batches.ends_epoch(step)] == [8, 16]


def test_a_random_subset_is_averaged_to_a_smaller_size(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    batches = make_batches(dataset, training_plan(tiny_config()))
    images, labels = batches.random_subset(10, 4)
    assert images.shape == (10, 1, 4, 4) and labels.shape == (10,)
    for image, label in zip(images, labels, strict=True):
        assert (image[0, :2].mean() > image[0, 2:].mean()) == (label == 0), "its own label"
    again, _ = batches.random_subset(10, 4)
    assert torch.equal(images, again)
    whole, _ = batches.random_subset(1000, 16)
    assert len(whole) == len(batches.indices) and whole.abs().max() <= 1


def test_too_few_images_are_refused_with_a_batch_that_fits(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="32 training images.*batch of 64.*--batch-size 8"):
        make_batches(tiny_dataset(tmp_path), training_plan(tiny_config("train.batch_size=64")))
