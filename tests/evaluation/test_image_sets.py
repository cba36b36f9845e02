"""Which images are compared, with which floor."""

from collections.abc import Callable

import numpy as np
import pytest

from xrgan.errors import XrganError
from xrgan.evaluation.image_sets import (
    TRAIN,
    Comparison,
    ImageSet,
    sample_comparison,
    sample_comparison_without_training,
)

Draw = Callable[..., np.ndarray]


def _same(a: ImageSet, b: ImageSet) -> bool:
    return np.array_equal(a.images, b.images)


def test_another_n_begins_with_the_same_images(draw: Draw) -> None:
    """Their features are known from the first time."""
    held_out, training = ImageSet(draw(40, seed=0)), ImageSet(draw(90, seed=1))
    few, many = (sample_comparison(held_out, ImageSet(draw(n, seed=2)), training, 1000, 0) for n in (10, 30))
    assert (few.n, many.n) == (10, 30)
    assert _same(few.real, many.real.take(slice(10))) and _same(few.floor[1], many.floor[1].take(slice(10)))
    assert few.training is not None and many.training is not None and _same(few.training, many.training)
    assert not _same(few.real, held_out.take(slice(10)))  # in random order


def test_few_training_images_make_the_floor_smaller_and_not_n(draw: Draw) -> None:
    held_out, synthetic, training = (ImageSet(draw(n, seed=n)) for n in (30, 25, 12))
    comparison = sample_comparison(held_out, synthetic, training, 1000, 0)
    assert (comparison.n, comparison.floor_n) == (25, 12)
    assert _same(comparison.floor[0], comparison.real.take(slice(12))) and len(comparison.floor[1]) == 12
    assert sample_comparison(held_out, synthetic, training, 1000, 0, reference=TRAIN).n == 12


def test_labels_go_with_their_images(draw: Draw) -> None:
    images = draw(30, seed=0)
    labels = images[:, 0, 0, 0].astype(np.int64)
    comparison = sample_comparison(ImageSet(images, labels), ImageSet(images, labels), ImageSet(images, labels), 20, 3)
    for one in (comparison.real, comparison.synthetic, *comparison.floor):
        assert one.labels is not None and np.array_equal(one.labels, one.images[:, 0, 0, 0])


def test_against_the_training_images_the_floor_is_of_them_and_held_out_ones(draw: Draw) -> None:
    held_out, synthetic, training = (ImageSet(draw(20, seed=seed)) for seed in range(3))
    comparison = sample_comparison(held_out, synthetic, training, 10, 0, reference=TRAIN)
    usual = sample_comparison(held_out, synthetic, training, 10, 0)
    assert _same(comparison.real, usual.floor[1]) and _same(comparison.floor[1], usual.real)
    assert _same(comparison.held_out, usual.real)  # what no copy looks like stays the same


@pytest.mark.parametrize(("real", "n", "floor_n"), [(30, 10, 10), (20, 10, 10), (15, 10, 7), (8, 8, 4), (2, 2, 1)])
def test_two_folders_take_the_floor_from_the_real_images_left_or_from_halves(
    draw: Draw, real: int, n: int, floor_n: int
) -> None:
    comparison = sample_comparison_without_training(ImageSet(draw(real, seed=0)), ImageSet(draw(10, seed=1)), 1000, 0)
    assert (comparison.n, comparison.floor_n) == (n, floor_n)
    assert comparison.training is None
    first, second = ({image.tobytes() for image in one.images} for one in comparison.floor)
    assert not first & second and len(first) == len(second) == floor_n


def test_one_image_is_no_set(draw: Draw) -> None:
    with pytest.raises(XrganError, match="only one real image"):
        sample_comparison_without_training(ImageSet(draw(1, seed=0)), ImageSet(draw(5, seed=1)), 10, 0)
    with pytest.raises(XrganError, match="synthetic images are 64×64 gray, the real ones 32×32 gray"):
        sample_comparison_without_training(ImageSet(draw(3, seed=0)), ImageSet(draw(5, seed=1, size=64)), 10, 0)


def labelled(first: int, second: int, unlabelled: int = 0) -> ImageSet:
    labels = np.repeat([0, 1, -1], [first, second, unlabelled])
    return ImageSet(np.arange(len(labels) * 64, dtype=np.uint8).reshape(-1, 1, 8, 8), labels)


@pytest.mark.parametrize(
    ("synthetic", "real", "unequal"),
    [
        (labelled(100, 100), labelled(50, 150), ("A", 0.5, 0.25)),
        (labelled(100, 100, 20), labelled(50, 150, 40), ("A", 0.5, 0.25)),
        (labelled(100, 100), labelled(104, 96), None),  # too little to matter
        (labelled(5, 5), labelled(4, 6), None),  # chance
        (labelled(10, 0), labelled(0, 10), ("A", 1.0, 0.0)),
        (labelled(0, 0, 10), labelled(5, 5), None),
        (ImageSet(labelled(5, 5).images), labelled(5, 5), None),
    ],
)
def test_the_class_whose_share_differs_most(
    synthetic: ImageSet, real: ImageSet, unequal: tuple[str, float, float] | None
) -> None:
    comparison = Comparison(real, synthetic, (real, real), None, real, ("A", "B"), "held-out")
    assert comparison.unequal_class() == unequal
