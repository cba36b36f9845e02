"""The nearest training image, by pixels and by features."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.evaluation.chests import CHANGES, chests
from xrgan.evaluation.memorisation import neighbours


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3), (100, 1)])
def test_a_changed_copy_is_nearest_to_its_original(change: str, size: int, channels: int) -> None:
    training = chests(60, 0, size, channels)
    chosen = np.arange(20, 30)
    copies = CHANGES[change](training[chosen], np.random.default_rng(1))
    found = neighbours.nearest_in_pixels(copies, neighbours.pixel_bank(training))
    assert list(found.index) == list(chosen)
    genuine = neighbours.nearest_in_pixels(chests(20, 5, size, channels), neighbours.pixel_bank(training))
    assert found.relative_distance.max() < 0.7 * genuine.relative_distance.min()


def test_distances_in_pixels_are_what_they_are_said_to_be() -> None:
    training = chests(40, 0, 64)
    exact = neighbours.nearest_in_pixels(training[:5], neighbours.pixel_bank(training))
    assert exact.distance == pytest.approx(0, abs=1e-3) and exact.relative_distance == pytest.approx(0, abs=1e-3)
    negative = neighbours.nearest_in_pixels(255 - training[:5], neighbours.pixel_bank(training))
    assert negative.distance.min() > 0.4 and negative.relative_distance.min() > 0.8, "a negative is no copy"
    dimmer = neighbours.nearest_in_pixels(training[:5] // 2 + 100, neighbours.pixel_bank(training))
    assert dimmer.distance == pytest.approx(0, abs=0.02), "neither brightness nor contrast matters"


@pytest.mark.slow
def test_a_shift_is_found_in_every_direction_and_no_further() -> None:
    training = chests(30, 0, 64)
    bank = neighbours.pixel_bank(training)
    for down, right in itertools.product(range(-4, 5), repeat=2):
        moved = np.roll(training[:2], (down, right), axis=(2, 3))
        assert neighbours.nearest_in_pixels(moved, bank).relative_distance.max() < 0.2, (down, right)
    far = np.roll(training[:3], 12, axis=3)
    assert neighbours.nearest_in_pixels(far, bank).relative_distance.min() > 0.5


def test_at_half_the_resolution_no_shift_falls_between() -> None:
    """Half a pixel off in both directions, fine details would correlate at 0.52."""
    fine = gaussian_filter(np.random.default_rng(0).standard_normal((4, 1, 64, 64)), (0, 0, 0.8, 0.8))
    fine = np.clip(120 + 30 * fine / fine.std(), 0, 255).astype(np.uint8)
    coarse = neighbours.pixel_bank(fine).coarse
    for shift in itertools.product(range(-4, 5), repeat=2):
        moved = neighbours._unit(neighbours._halved_windows(neighbours._details(np.roll(fine, shift, axis=(2, 3)))))
        assert np.einsum("qsf,qf->qs", moved, coarse).max(axis=1).min() > 0.7, shift


def test_an_image_that_is_there_several_times_is_found_too() -> None:
    for times in (6, 30):
        training = np.concatenate([np.repeat(chests(1, 7), times, axis=0), chests(40, 0)])
        found = neighbours.nearest_in_pixels(training[:1], neighbours.pixel_bank(training))
        assert found.index[0] < times and found.relative_distance[0] < 0.02
    features = np.concatenate([np.repeat(normal(1, 7), 6, axis=0), normal(40, 0)])
    assert neighbours.nearest_in_features(features[:1], neighbours.feature_bank(features)).relative_distance[0] < 0.01


def test_a_search_in_blocks_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    training, queries = chests(40, 0), chests(9, 1)
    features, others = normal(40, 0), normal(9, 1)

    def search() -> list[neighbours.Neighbours]:
        bank = neighbours.feature_bank(features)
        in_features = neighbours.nearest_in_features(others, bank)
        return [neighbours.nearest_in_pixels(queries, neighbours.pixel_bank(training)), in_features]

    whole = search()
    monkeypatch.setattr(neighbours, "BLOCK_NUMBERS", 100)
    monkeypatch.setattr(neighbours, "BATCH_IMAGES", 7)
    for one, other in zip(whole, search(), strict=True):
        assert list(one.index) == list(other.index)
        assert one.distance == pytest.approx(other.distance, rel=1e-3)
        assert one.local_scale == pytest.approx(other.local_scale, rel=1e-3)


def test_images_without_details_are_near_to_nothing() -> None:
    flat = np.full((3, 1, 32, 32), 90, np.uint8)
    for training, images in ((chests(20, 0), flat), (flat, chests(4, 1)), (flat, flat)):
        assert neighbours.nearest_in_pixels(images, neighbours.pixel_bank(training)).relative_distance.min() > 0.5


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 40, 24), (1, 8, 8)])
def test_any_shape_and_one_image_will_do(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    training = rng.integers(0, 256, (1, *shape), dtype=np.uint8)
    found = neighbours.nearest_in_pixels(np.repeat(training, 2, axis=0), neighbours.pixel_bank(training))
    assert list(found.index) == [0, 0] and found.relative_distance == pytest.approx(0, abs=0.01)


def normal(n: int, seed: int, features: int = 30) -> np.ndarray:
    """Features (N, 30) of which the first ones vary far more than the others."""
    scale = np.geomspace(100, 1, features)
    return (np.random.default_rng(seed).standard_normal((n, features)) * scale).astype(np.float32)


@pytest.mark.parametrize("offset", [0, 1e4])
def test_the_nearest_in_features_is_the_nearest(offset: float) -> None:
    features, others = normal(400, 0) + offset, normal(7, 1) + offset
    bank = neighbours.feature_bank(features)
    distances = np.linalg.norm(others[:, None] - features, axis=2)
    found = neighbours.nearest_in_features(others, bank)
    assert list(found.index) == list(distances.argmin(axis=1))
    assert found.distance == pytest.approx(distances.min(axis=1), rel=1e-3)
    assert found.local_scale == pytest.approx(np.sort(distances, axis=1)[:, 8:16].mean(axis=1), rel=1e-3)
    assert neighbours.nearest_in_features(features[5:6], bank).relative_distance[0] < 0.01


def test_an_image_can_be_left_out_of_its_own_search() -> None:
    features = normal(100, 0)
    chosen = np.array([3, 50])
    found = neighbours.nearest_in_features(features[chosen], neighbours.feature_bank(features), leave_out=chosen)
    assert not set(found.index) & {3, 50} and found.distance.min() > 1


def test_features_that_hold_nan_or_nothing_are_near_to_nothing() -> None:
    broken = normal(80, 0)
    broken[5, 2], broken[6, 1] = np.nan, np.inf
    bank = neighbours.feature_bank(broken)
    found = neighbours.nearest_in_features(broken[4:9], bank)
    assert found.relative_distance == pytest.approx([0, 1, 1, 0, 0], abs=0.01)
    assert list(found.index[[0, 3, 4]]) == [4, 7, 8], "numbers of all training images"
    for constant in (np.zeros((20, 4)), np.full((20, 4), np.nan)):
        found = neighbours.nearest_in_features(constant[:2], neighbours.feature_bank(constant))
        assert list(found.relative_distance) == [1, 1]
