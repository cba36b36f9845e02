from collections.abc import Callable

import numpy as np
import pytest

from xrgan import console
from xrgan.evaluation.ssim import pairs_between, pairs_nearest, pairs_within, ssim, ssim_pairs

Draw = Callable[..., np.ndarray]


@pytest.mark.parametrize("channels", [1, 3])
def test_identical_images_score_1_and_others_less(draw: Draw, channels: int) -> None:
    a, b = draw(2, seed=0, channels=channels)
    assert ssim(a, a) == pytest.approx(1)
    assert ssim(a, b) < 0.6
    assert ssim(a, b) == pytest.approx(ssim(b, a))


def test_constant_images_follow_the_papers_formula() -> None:
    dark, light = (np.full((1, 16, 16), value, np.uint8) for value in (50, 200))
    c1 = (0.01 * 255) ** 2
    assert ssim(dark, light) == pytest.approx((2 * 50 * 200 + c1) / (50**2 + 200**2 + c1))


def test_pairs_within_are_of_two_different_images() -> None:
    rng = np.random.default_rng(0)
    pairs = pairs_within(50, 400, rng)
    assert pairs.shape == (400, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert set(pairs.ravel()) == set(range(50))
    assert sorted(map(tuple, pairs_within(3, 400, rng))) == [(0, 1), (0, 2), (1, 2)]
    assert pairs_within(2, 1, rng).tolist() == [[0, 1]]


def test_pairs_between_stay_in_their_sets() -> None:
    pairs = pairs_between(5, 90, 200, np.random.default_rng(0))
    assert pairs.shape == (200, 2)
    assert set(pairs[:, 0]) == set(range(5)) and pairs[:, 1].max() > 50
    assert sorted(map(tuple, pairs_between(2, 2, 200, np.random.default_rng(0)))) == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (32, 3), (120, 1)])
def test_planted_copies_are_found_in_any_batch(draw: Draw, size: int, channels: int) -> None:
    among = draw(150, seed=0, size=size, channels=channels)
    sources = [149, 0, 70]
    noise = np.random.default_rng(1).integers(0, 9, (3, channels, size, size), dtype=np.uint8)
    pairs = pairs_nearest(among[sources] + noise, among, "images")
    assert pairs.tolist() == [[0, 149], [1, 0], [2, 70]]


def test_score_is_mean_and_spread_over_the_pairs(draw: Draw) -> None:
    images = draw(2, seed=0)
    with console.progress("pairs", 2) as bar:
        score = ssim_pairs(images, images, np.array([[0, 0], [0, 1]]), bar)
    other = ssim(images[0], images[1])
    assert score.pairs == 2
    assert score.mean == pytest.approx((1 + other) / 2)
    assert score.std == pytest.approx((1 - other) / 2)
