"""The nearest training image, by pixels and by features."""

import itertools

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.evaluation.chests import CHANGES, chests
from xrgan.evaluation import nearest


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3), (100, 1)])
def test_a_changed_copy_is_nearest_to_its_original(change: str, size: int, channels: int) -> None:
    training = chests(60, 0, size, channels)
    chosen = np.arange(20, 30)
    copies = CHANGES[change](training[chosen], np.random.default_rng(1))
    found = nearest.nearest_in_pixels(copies, nearest.pixel_bank(training))
    assert list(found.index) == list(chosen)
    honest = nearest.nearest_in_pixels(chests(20, 5, size, channels), nearest.pixel_bank(training))
    assert found.relative.max() < 0.7 * honest.relative.min()


def test_distances_in_pixels_are_what_they_are_said_to_be() -> None:
    training = chests(40, 0, 64)
    exact = nearest.nearest_in_pixels(training[:5], nearest.pixel_bank(training))
    assert exact.distance == pytest.approx(0, abs=1e-3) and exact.relative == pytest.approx(0, abs=1e-3)
    negative = nearest.nearest_in_pixels(255 - training[:5], nearest.pixel_bank(training))
    assert negative.distance.min() > 0.4 and negative.relative.min() > 0.8, "a negative is no copy"
    dimmer = nearest.nearest_in_pixels(training[:5] // 2 + 100, nearest.pixel_bank(training))
    assert dimmer.distance == pytest.approx(0, abs=0.02), "neither brightness nor contrast matters"


def test_a_shift_is_found_in_every_direction_and_no_further() -> None:
    training = chests(30, 0, 64)
    bank = nearest.pixel_bank(training)
    for down, right in itertools.product(range(-4, 5), repeat=2):
        moved = np.roll(training[:2], (down, right), axis=(2, 3))
        assert nearest.nearest_in_pixels(moved, bank).relative.max() < 0.2, (down, right)
    far = np.roll(training[:3], 12, axis=3)
    assert nearest.nearest_in_pixels(far, bank).relative.min() > 0.5


def test_at_half_the_resolution_no_shift_falls_between() -> None:
    """Half a pixel off in both directions, fine details would correlate at 0.52."""
    fine = gaussian_filter(np.random.default_rng(0).standard_normal((4, 1, 64, 64)), (0, 0, 0.8, 0.8))
    fine = np.clip(120 + 30 * fine / fine.std(), 0, 255).astype(np.uint8)
    coarse = nearest.pixel_bank(fine).coarse
    for shift in itertools.product(range(-4, 5), repeat=2):
        moved = nearest._unit(nearest._halved_windows(nearest._details(np.roll(fine, shift, axis=(2, 3)))))
        assert np.einsum("qsf,qf->qs", moved, coarse).max(axis=1).min() > 0.7, shift


def test_an_image_that_is_there_several_times_is_found_too() -> None:
    for times in (6, 30):
        training = np.concatenate([np.repeat(chests(1, 7), times, axis=0), chests(40, 0)])
        found = nearest.nearest_in_pixels(training[:1], nearest.pixel_bank(training))
        assert found.index[0] < times and found.relative[0] < 0.02
    features = np.concatenate([np.repeat(normal(1, 7), 6, axis=0), normal(40, 0)])
    assert nearest.nearest_in_features(features[:1], nearest.feature_bank(features)).relative[0] < 0.01


def test_a_search_in_blocks_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    training, queries = chests(40, 0), chests(9, 1)
    features, others = normal(40, 0), normal(9, 1)

    def search() -> list[nearest.Neighbours]:
        bank = nearest.feature_bank(features)
        in_features = nearest.nearest_in_features(others, bank)
        return [nearest.nearest_in_pixels(queries, nearest.pixel_bank(training)), in_features]

    whole = search()
    monkeypatch.setattr(nearest, "BLOCK_NUMBERS", 100)
    monkeypatch.setattr(nearest, "BATCH_IMAGES", 7)
    for one, other in zip(whole, search(), strict=True):
        assert list(one.index) == list(other.index)
        assert one.distance == pytest.approx(other.distance, rel=1e-3)
        assert one.usual == pytest.approx(other.usual, rel=1e-3)


def test_images_without_details_are_near_to_nothing() -> None:
    flat = np.full((3, 1, 32, 32), 90, np.uint8)
    for training, images in ((chests(20, 0), flat), (flat, chests(4, 1)), (flat, flat)):
        assert nearest.nearest_in_pixels(images, nearest.pixel_bank(training)).relative.min() > 0.5


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 40, 24), (1, 8, 8)])
def test_any_shape_and_one_image_will_do(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    training = rng.integers(0, 256, (1, *shape), dtype=np.uint8)
    found = nearest.nearest_in_pixels(np.repeat(training, 2, axis=0), nearest.pixel_bank(training))
    assert list(found.index) == [0, 0] and found.relative == pytest.approx(0, abs=0.01)


def normal(n: int, seed: int, features: int = 30) -> np.ndarray:
    """Features (N, 30) of which the first ones vary far more than the others."""
    scale = np.geomspace(100, 1, features)
    return (np.random.default_rng(seed).standard_normal((n, features)) * scale).astype(np.float32)


@pytest.mark.parametrize("offset", [0, 1e4])
def test_the_nearest_in_features_is_the_nearest(offset: float) -> None:
    features, others = normal(400, 0) + offset, normal(7, 1) + offset
    bank = nearest.feature_bank(features)
    distances = np.linalg.norm(others[:, None] - features, axis=2)
    found = nearest.nearest_in_features(others, bank)
    assert list(found.index) == list(distances.argmin(axis=1))
    assert found.distance == pytest.approx(distances.min(axis=1), rel=1e-3)
    assert found.usual == pytest.approx(np.sort(distances, axis=1)[:, 8:16].mean(axis=1), rel=1e-3)
    assert nearest.nearest_in_features(features[5:6], bank).relative[0] < 0.01


def test_an_image_can_be_left_out_of_its_own_search() -> None:
    features = normal(100, 0)
    chosen = np.array([3, 50])
    found = nearest.nearest_in_features(features[chosen], nearest.feature_bank(features), leave_out=chosen)
    assert not set(found.index) & {3, 50} and found.distance.min() > 1


def test_features_that_hold_nan_or_nothing_are_near_to_nothing() -> None:
    broken = normal(80, 0)
    broken[5, 2], broken[6, 1] = np.nan, np.inf
    bank = nearest.feature_bank(broken)
    found = nearest.nearest_in_features(broken[4:9], bank)
    assert found.relative == pytest.approx([0, 1, 1, 0, 0], abs=0.01)
    assert list(found.index[[0, 3, 4]]) == [4, 7, 8], "numbers of all training images"
    for constant in (np.zeros((20, 4)), np.full((20, 4), np.nan)):
        found = nearest.nearest_in_features(constant[:2], nearest.feature_bank(constant))
        assert list(found.relative) == [1, 1]
