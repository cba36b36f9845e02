"""The nearest training image by pixels, as a whole and in halves."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import skimage.transform

from tests.evaluation.chests import CHANGES, chests
from xrgan.evaluation.memorisation import pixels

pytestmark = pytest.mark.slow


def _moved(turn: float = 0, zoom: float = 1) -> Callable[[np.ndarray], np.ndarray]:
    def move(images: np.ndarray) -> np.ndarray:
        rotated = [skimage.transform.rotate(image[0] / 255, turn, mode="edge") for image in images]
        centre = (images.shape[-1] - 1) / 2
        about = skimage.transform.SimilarityTransform(scale=1 / zoom, translation=centre * (1 - 1 / zoom))
        zoomed = [skimage.transform.warp(image, about, mode="edge") for image in rotated]
        return (255 * np.stack(zoomed)[:, None]).astype(np.uint8)

    return move


MOVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "turned left": _moved(turn=10),
    "turned right": _moved(turn=-7),
    "zoomed in": _moved(zoom=1.15),
    "zoomed out": _moved(zoom=0.88),
    "turned and zoomed": _moved(turn=-5, zoom=1.08),
    "mirrored": lambda images: images[:, :, :, ::-1],
    "mirrored and turned": lambda images: _moved(turn=6)(images[:, :, :, ::-1]),
    "inverted": lambda images: 255 - images,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("size", "channels"), [(32, 1), (64, 3), (100, 1)])
def test_a_changed_copy_is_nearest_to_its_original(change: str, size: int, channels: int) -> None:
    training = chests(60, 0, size, channels)
    chosen = np.arange(20, 25)
    copies = CHANGES[change](training[chosen], np.random.default_rng(1))
    found = pixels.nearest_in_pixels(copies, pixels.pixel_bank(training))
    assert list(found.index) == list(chosen)
    genuine = pixels.nearest_in_pixels(chests(10, 5, size, channels), pixels.pixel_bank(training))
    assert found.relative_distance.max() < 0.7 * genuine.relative_distance.min()


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_copy_is_as_near_as_one_in_place(move: str) -> None:
    training = chests(60, 0, 64)
    found = pixels.nearest_in_pixels(MOVES[move](training[20:24]), pixels.pixel_bank(training))
    assert list(found.index) == list(range(20, 24))
    assert found.relative_distance.max() < 0.25


def test_neither_brightness_nor_contrast_nor_inversion_matters() -> None:
    training = chests(40, 0, 64)
    for same in (training[:5], 255 - training[:5], training[:5] // 2 + 100):
        found = pixels.nearest_in_pixels(same, pixels.pixel_bank(training))
        assert found.distance == pytest.approx(0, abs=0.02)


def test_a_shift_is_found_in_every_direction_and_no_further() -> None:
    training = chests(30, 0, 64)
    bank = pixels.pixel_bank(training)
    for down, right in itertools.product((-4, -1, 0, 3), repeat=2):
        moved = np.roll(training[:1], (down, right), axis=(2, 3))
        assert pixels.nearest_in_pixels(moved, bank).relative_distance.max() < 0.2, (down, right)
    far = np.roll(training[:3], 16, axis=3)
    assert pixels.nearest_in_pixels(far, bank).relative_distance.min() > 0.5


def test_half_of_a_copy_is_found_in_that_half_alone() -> None:
    training = chests(60, 0, 64)
    bank = pixels.pixel_bank(training)
    for half in (np.s_[..., :32], np.s_[..., 32:], np.s_[..., :32, :], np.s_[..., 32:, :]):
        mixed = chests(4, 9, 64)
        mixed[half] = training[10:14][half]
        found = pixels.nearest_in_halves(mixed, bank)
        assert list(found.index) == [10, 11, 12, 13] and found.relative_distance.max() < 0.1
    assert pixels.nearest_in_pixels(mixed, bank).relative_distance.min() > 0.4
    assert pixels.nearest_in_halves(chests(10, 5, 64), bank).relative_distance.min() > 0.4


def test_an_image_that_is_there_several_times_is_found_too() -> None:
    for times in (6, 30):
        training = np.concatenate([np.repeat(chests(1, 7), times, axis=0), chests(40, 0)])
        for nearest in (pixels.nearest_in_pixels, pixels.nearest_in_halves):
            found = nearest(training[:1], pixels.pixel_bank(training))
            assert found.index[0] < times and found.relative_distance[0] < 0.02


def test_a_search_in_batches_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    training, queries = chests(40, 0), chests(9, 1)
    whole = pixels.nearest_in_pixels(queries, pixels.pixel_bank(training))
    monkeypatch.setattr(pixels, "BATCH_IMAGES", 7)
    parts = pixels.nearest_in_pixels(queries, pixels.pixel_bank(training))
    assert list(parts.index) == list(whole.index)
    assert parts.distance == pytest.approx(whole.distance, rel=1e-3)
    assert parts.local_scale == pytest.approx(whole.local_scale, rel=1e-3)


def test_images_without_details_are_near_to_nothing() -> None:
    flat = np.full((3, 1, 32, 32), 90, np.uint8)
    for training, images in ((chests(20, 0), flat), (flat, chests(4, 1)), (flat, flat)):
        bank = pixels.pixel_bank(training)
        assert pixels.nearest_in_pixels(images, bank).relative_distance.min() > 0.5
        assert pixels.nearest_in_halves(images, bank).relative_distance.min() > 0.5


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 40, 24), (1, 8, 8)])
def test_any_shape_and_one_image_will_do(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    training = rng.integers(0, 256, (1, *shape), dtype=np.uint8)
    found = pixels.nearest_in_pixels(np.repeat(training, 2, axis=0), pixels.pixel_bank(training))
    assert list(found.index) == [0, 0] and found.relative_distance == pytest.approx(0, abs=0.01)
