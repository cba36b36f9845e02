import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from xrgan.evaluation import features
from xrgan.evaluation.extractors import inception
from xrgan.evaluation.features import content_hash, extract
from xrgan.evaluation.inception_weights import FULL, WITHOUT_LOGITS

from ..gan.in_ranks import finished, started
from . import in_ranks
from .conftest import FakeNetwork

EXTRACTOR = inception(Path(WITHOUT_LOGITS.name), "cpu")
Draw = Callable[..., np.ndarray]


def test_every_layer_from_one_pass_whatever_the_batches(
    fake_network: FakeNetwork, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = draw(70, seed=0)
    found = extract(images, EXTRACTOR, "images")
    assert {layer: array.shape for layer, array in found.items()} == {k: (70, k) for k in (64, 192, 768, 2048)}
    assert sum(fake_network.images_seen) == 70
    monkeypatch.setattr(features, "BATCH_IMAGES", 9)
    again = extract(np.concatenate([images, images[:1]]), EXTRACTOR, "images")
    np.testing.assert_allclose(again[2048][:70], found[2048], rtol=1e-5, atol=1e-6)


def test_second_time_extracts_nothing(fake_network: FakeNetwork, draw: Draw) -> None:
    images = draw(5, seed=0)
    first = extract(images, EXTRACTOR, "images")
    second = extract(images.copy(), EXTRACTOR, "images")
    assert sum(fake_network.images_seen) == 5
    assert all(np.array_equal(first[layer], second[layer]) for layer in first)


def test_other_pixels_or_weights_are_extracted(fake_network: FakeNetwork, draw: Draw) -> None:
    images = draw(5, seed=0)
    extract(images, EXTRACTOR, "images")
    images[4, 0, 3, 3] ^= 1
    extract(images, EXTRACTOR, "images")
    extract(images, inception(Path(FULL.name), "cpu"), "images")
    assert sum(fake_network.images_seen) == 15


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "text", "other images'"])
def test_damaged_file_is_made_anew(fake_network: FakeNetwork, draw: Draw, own_cache: Path, damage: str) -> None:
    images = draw(5, seed=0)
    first = extract(images, EXTRACTOR, "images")
    (file,) = (own_cache / "features").iterdir()
    whole = file.read_bytes()
    half = len(whole) // 2
    if damage == "other images'":
        extract(draw(6, seed=1), EXTRACTOR, "images")
        (other,) = set((own_cache / "features").iterdir()) - {file}
        other.replace(file)
    else:
        content = {
            "truncated": whole[:half],
            "flipped": whole[:half] + bytes([whole[half] ^ 255]) + whole[half + 1 :],
            "empty": b"",
            "text": b"features",
        }
        file.write_bytes(content[damage])
    fake_network.images_seen.clear()
    again = extract(images, EXTRACTOR, "images")
    assert fake_network.images_seen == [5]
    assert np.array_equal(first[768], again[768])
    assert file.read_bytes() == whole


def test_cache_that_cannot_be_written_costs_a_notice_only(
    fake_network: FakeNetwork,
    draw: Draw,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "file"))
    assert extract(draw(3, seed=0), EXTRACTOR, "images")[64].shape == (3, 64)
    assert fake_network.images_seen == [3]
    assert "are not kept" in capsys.readouterr().err


def test_least_recently_used_features_go_first(
    fake_network: FakeNetwork, draw: Draw, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = [draw(4, seed=seed) for seed in range(3)]
    files = []
    for age, images in enumerate(sets[:2]):
        extract(images, EXTRACTOR, "images")
        (new,) = set((own_cache / "features").iterdir()) - set(files)
        os.utime(new, ns=(age, age))
        files.append(new)
    extract(sets[0], EXTRACTOR, "images")  # the older file is used again
    monkeypatch.setattr(features, "CACHE_BYTES", int(2.5 * files[0].stat().st_size))
    extract(sets[2], EXTRACTOR, "images")
    assert files[0].exists() and not files[1].exists()
    assert len(list((own_cache / "features").iterdir())) == 2


def test_what_is_no_set_of_images_is_refused() -> None:
    for images in (np.zeros((2, 1, 8, 8), np.float32), np.zeros((2, 2, 8, 8), np.uint8), np.zeros((8, 8), np.uint8)):
        with pytest.raises(ValueError, match="uint8"):
            extract(images, EXTRACTOR, "images")


def test_content_hash_knows_shape_and_order(draw: Draw) -> None:
    images = draw(40, seed=0)
    hashes = {content_hash(images), content_hash(images[::-1]), content_hash(images.reshape(40, 1, 16, 64))}
    assert len(hashes) == 3
    assert content_hash(np.asfortranarray(images)) == content_hash(images)


@pytest.mark.slow
def test_gray_is_three_equal_channels(weights: Path, draw: Draw) -> None:
    gray = draw(2, seed=0, size=40)
    features_of_gray = extract(gray, inception(weights, "cpu"), "images")
    features_of_rgb = extract(np.repeat(gray, 3, axis=1), inception(weights, "cpu"), "images")
    np.testing.assert_allclose(features_of_gray[2048], features_of_rgb[2048], rtol=1e-4, atol=1e-5)
    assert np.abs(features_of_gray[2048][0] - features_of_gray[2048][1]).max() > 1e-3


@pytest.mark.slow
def test_two_processes_extract_what_one_does(own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(started(["-m", "tests.evaluation.in_ranks", str(tmp_path / "of_two.npy")], 2))
    files = {file.name: file.read_bytes() for file in (own_cache / "features").iterdir()}
    assert len(files) == 3
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "of_one"))
    alone = extract(in_ranks.images(), in_ranks.extractor(), "images")[in_ranks.FEATURES]
    assert np.array_equal(np.load(tmp_path / "of_two.npy"), alone)
    assert files == {file.name: file.read_bytes() for file in (tmp_path / "of_one" / "features").iterdir()}
