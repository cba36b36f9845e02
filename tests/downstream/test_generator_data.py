"""A second dataset from which generators learn: who may be in it, and how it stands beside the study's."""

from dataclasses import replace

import numpy as np
import pytest

from tests.downstream.blobs import changed, set_at, toy_dataset
from xrgan.downstream.generator_data import OTHER, generator_data, share_of_study, with_generator_data
from xrgan.errors import XrganError

DATASET = toy_dataset()
EXTRA = toy_dataset(train=20, test=20, name="extra", seed=5)
TEST = DATASET.of_split("test")


def test_nobody_is_in_it_by_whom_networks_are_judged() -> None:
    assert len(generator_data(EXTRA, DATASET, TEST, drop=False).rows) == 40
    copied = changed(EXTRA, hashes=set_at(EXTRA.hashes, 3, DATASET.hashes[-1]))
    with pytest.raises(XrganError, match="1 patients of extra are among those by whom") as caught:
        generator_data(copied, DATASET, TEST, drop=False)
    assert "--leaks drop" in caught.value.hint
    assert generator_data(copied, DATASET, TEST, drop=True).rows.tolist() == [0, 1, *range(4, 40)]
    of_training = changed(EXTRA, hashes=set_at(EXTRA.hashes, 3, DATASET.hashes[0]))
    assert len(generator_data(of_training, DATASET, TEST, drop=False).rows) == 40
    assert len(generator_data(of_training, DATASET, np.arange(len(DATASET.labels)), drop=True).rows) == 38, "folds"
    with pytest.raises(XrganError, match="judged by"):
        generator_data(DATASET, DATASET, TEST, drop=True)
    with pytest.raises(XrganError, match="differ from those of toys in size") as caught:
        generator_data(changed(EXTRA, images=np.zeros((40, 1, 32, 32), np.uint8)), DATASET, TEST, drop=False)
    assert "--size 16" in caught.value.hint


def test_images_without_a_class_of_the_study_are_a_class_of_their_own() -> None:
    unlabelled = changed(
        EXTRA, classes=("PNEUMONIA", "TB"), labels=set_at(EXTRA.labels, range(10), -1), content_hash="x"
    )
    joined = with_generator_data(DATASET, generator_data(unlabelled, DATASET, TEST, drop=False))
    training = DATASET.of_split("train")
    assert joined.classes == ("NORMAL", "PNEUMONIA", OTHER) and set(joined.splits) == {"train"}
    assert len(joined.images) == len(joined.labels) == len(joined.patients) == len(training) + 40
    np.testing.assert_array_equal(joined.images[len(training) :], EXTRA.images)
    np.testing.assert_array_equal(joined.labels[: len(training)], DATASET.labels[training])
    expected = [2 if k < 10 else (1 if EXTRA.labels[k] == 0 else 2) for k in range(40)]
    assert joined.labels[len(training) :].tolist() == expected
    assert share_of_study(joined) == np.mean(joined.labels != 2) and share_of_study(DATASET) == 1
    alike = with_generator_data(DATASET, generator_data(EXTRA, DATASET, TEST, drop=False))
    assert alike.classes == DATASET.classes and alike.content_hash != joined.content_hash
    anew = with_generator_data(replace(DATASET, content_hash="x"), generator_data(EXTRA, DATASET, TEST, drop=False))
    assert anew.content_hash not in {joined.content_hash, alike.content_hash}
