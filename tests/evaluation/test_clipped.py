"""Clipped coverage and clipped density: worked by hand, and by simulation."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from xrgan.evaluation import clipped
from xrgan.evaluation.clipped import clipped_coverage, clipped_coverage_alone, clipped_density

pytestmark = pytest.mark.slow

Array = np.ndarray


def normal(n: int, seed: int, dimensions: int = 8) -> Array:
    return np.random.default_rng(seed).normal(size=(n, dimensions)).astype(np.float32)


def two_modes(n: int, seed: int) -> Array:
    features = normal(n, seed)
    features[n // 2 :] += 100
    return features


def test_coverage_by_hand() -> None:
    real = np.arange(6.0)[:, None]  # k = 5: the balls reach 5, 4, 3, 3, 4 and 5
    synthetic = np.array([[0.0], [20.0]])  # the first lies in every ball, a fifth of what it holds; the other in none
    expected = clipped._expected(6, 2, 5)
    assert clipped_coverage(real, synthetic, 0).value == pytest.approx(np.interp(1 / 5, expected, [0, 0.5, 1]))


@pytest.mark.parametrize(("n", "m", "k"), [(30, 20, 5), (6, 9, 5), (2, 3, 1)])
def test_the_expected_mean_counts_orders(n: int, m: int, k: int) -> None:
    """In any order of n − 1 real and m good images by their distance, all are equally likely."""
    orders = math.comb(n - 1 + m, m)
    mean = 0.0
    for j in range(m + 1):  # good images before the k-th real one
        ways = math.comb(k - 1 + j, j) * math.comb(n - 1 - k + m - j, m - j)
        mean += ways / orders * min(j / k, 1)
    expected = clipped._expected(n, m, k)
    assert expected[m] == pytest.approx(mean) and expected[0] == 0
    assert (np.diff(expected) > 0).all()


def test_density_by_hand() -> None:
    real = np.array([0.0, 1.0, 2.0, 10.0])[:, None]  # k = 3: the balls reach 10, 9, 8 and 10, and so 9.5, 9, 8 and 9.5
    synthetic = np.array([[1.0], [19.0], [100.0]])  # in all four balls, in that of 10, in none
    among_real = (2 / 3 + 1 + 1 + 2 / 3) / 4  # 0 lies in the balls of 1 and 2, 10 in those of 1 and 2
    assert clipped_density(real, synthetic, 0).value == pytest.approx((1 + 1 / 3 + 0) / 3 / among_real)


@pytest.mark.parametrize(
    ("synthetic", "density", "coverage"),
    [
        (normal(400, 1), 1.0, 1.0),
        (np.concatenate([normal(200, 1), 100 + normal(200, 2)]), 0.521576, 0.525),
        (1.3 * normal(400, 1), 0.499062, 0.5175),
        (0.5 + normal(400, 1), 0.757974, 0.505),
        (np.concatenate([normal(320, 1), 20 * normal(80, 2)]), 0.848030, 0.86),
    ],
)
def test_values_of_another_implementation(synthetic: Array, density: float, coverage: float) -> None:
    """What seqme 0.5.1 (BSD) computes of the same sets with k = 5; its coverage is rounded up to whole images."""
    assert clipped_density(normal(400, 0), synthetic, 0).value == pytest.approx(density, abs=1e-6)
    assert clipped_coverage(normal(400, 0), synthetic, 0).value == pytest.approx(coverage, abs=3e-3)


def test_coverage_alone_is_the_same_value() -> None:
    real, synthetic = normal(60, 0), 1.3 * normal(40, 1)
    assert clipped_coverage_alone(real, synthetic) == clipped_coverage(real, synthetic, 0).value < 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_both_fall_in_proportion_to_the_good_images(share: float) -> None:
    good = round(400 * share)
    synthetic = np.concatenate([normal(good, 1), 100 + normal(400 - good, 2)])
    assert clipped_coverage(normal(400, 0), synthetic, 0).value == pytest.approx(share, abs=0.07)
    assert clipped_density(normal(400, 0), synthetic, 0).value == pytest.approx(share, abs=0.07)


@pytest.mark.parametrize("measure", [clipped_coverage, clipped_density])
def test_equal_sets_have_1_within_the_interval_about_as_often_as_promised(
    measure: Callable[..., clipped.Share], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipped, "REPLICATES", 200)
    shares = [measure(normal(60, seed), normal(60, 1000 + seed), seed) for seed in range(40)]
    assert sum(share.interval.high >= 1 for share in shares) >= 36
    assert np.mean([share.value for share in shares]) > 0.9
    assert all(share.interval.low <= share.value <= share.interval.high + 1e-9 for share in shares)


def test_an_interval_of_imperfect_sets_holds_the_share_of_good_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clipped, "REPLICATES", 200)
    held = 0
    for seed in range(40):
        synthetic = np.concatenate([normal(40, 2000 + seed), 100 + normal(40, 3000 + seed)])
        interval = clipped_coverage(normal(80, seed), synthetic, seed).interval
        held += interval.low <= 0.5 <= interval.high
    assert held >= 35


def test_half_of_the_modes_is_about_half_of_the_variety_and_all_of_the_realism() -> None:
    real, dropped = two_modes(400, 0), normal(400, 1)
    assert clipped_coverage(real, two_modes(400, 1), 0).value > 0.85
    assert clipped_coverage(real, dropped, 0).value == pytest.approx(0.5, abs=0.1)
    assert clipped_density(real, dropped, 0).value > 0.9


def test_one_image_is_no_variety_and_noise_is_no_realism() -> None:
    real = normal(300, 0, dimensions=32)
    same = np.repeat(real[:1] + 0.1, 300, axis=0)
    assert clipped_coverage(real, same, 0).value < 0.1
    noise = 20 * normal(300, 1, dimensions=32)
    assert clipped_density(real, noise, 0).value == 0 and clipped_coverage(real, noise, 0).value == 0


def test_outliers_sway_neither() -> None:
    """A few far real images make large balls: density counts what falls into them, clipped density does not."""
    real = np.concatenate([normal(190, 0), 50 + 40 * normal(10, 5)])
    between = 25 + normal(200, 1)  # between the bulk and the outliers: no real image looks like that
    assert clipped_density(real, between, 0).value < 0.05
    assert clipped_coverage(real, between, 0).value < 0.1


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 2), (2, 5), (6, 3)])
def test_a_handful_of_images_will_do(n: int, m: int) -> None:
    for measure in (clipped_coverage, clipped_density):
        share = measure(normal(n, 0), normal(m, 1), 0)
        assert 0 <= share.value <= 1 and 0 <= share.interval.low <= share.interval.high <= 1


def test_images_that_are_all_the_same_divide_nothing_by_0() -> None:
    same = np.ones((30, 4), np.float32)
    assert clipped_coverage(same, same, 0).value == 1 and clipped_density(same, same, 0).value == 1


def test_the_seed_repeats_and_only_moves_the_interval() -> None:
    real, synthetic = normal(50, 0), normal(50, 1)
    first, again, other = (clipped_coverage(real, synthetic, seed) for seed in (0, 0, 1))
    assert first == again and first.value == other.value and first.interval != other.interval
