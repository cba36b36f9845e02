"""The nearest training image by features."""

import numpy as np
import pytest

from xrgan.evaluation.memorisation import neighbours


def normal(n: int, seed: int, features: int = 30) -> np.ndarray:
    """Features (N, 30) of which the first ones vary far more than the others."""
    scale = np.geomspace(100, 1, features)
    return (np.random.default_rng(seed).standard_normal((n, features)) * scale).astype(np.float32)


def test_an_image_that_is_there_several_times_is_found_too() -> None:
    features = np.concatenate([np.repeat(normal(1, 7), 6, axis=0), normal(40, 0)])
    assert neighbours.nearest_in_features(features[:1], neighbours.feature_bank(features)).relative_distance[0] < 0.01


def test_a_search_in_blocks_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, others = neighbours.feature_bank(normal(40, 0)), normal(9, 1)
    whole = neighbours.nearest_in_features(others, bank)
    monkeypatch.setattr(neighbours, "BLOCK_NUMBERS", 100)
    parts = neighbours.nearest_in_features(others, bank)
    assert list(parts.index) == list(whole.index)
    assert parts.distance == pytest.approx(whole.distance, rel=1e-3)
    assert parts.local_scale == pytest.approx(whole.local_scale, rel=1e-3)


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
