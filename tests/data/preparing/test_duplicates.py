"""One picture is known again after JPEG, another exposure or another size; two patients are never taken for one."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from xrgan.data.phantom import _studies, draw
from xrgan.data.preparing.duplicates import find_groups, perceptual_hash
from xrgan.data.reading.kinds import find_images
from xrgan.data.reading.pictures import read_picture

Picture = Image.Image


def jpeg(picture: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def noisy(picture: Picture) -> Picture:
    pixels = np.asarray(picture) + np.random.default_rng(0).normal(0, 5, (picture.height, picture.width))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


CHANGES = {
    "jpeg": lambda picture: jpeg(picture, 50),
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "darker": lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
    "contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(1.2),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)),
    "noise": noisy,
}


def small(picture: Picture, size: int = 64) -> NDArray[np.uint8]:
    return np.asarray(picture.convert("L").resize((size, size), Image.Resampling.LANCZOS))[None]


def groups(images: list[NDArray[np.uint8]]) -> list[int]:
    exact = np.array([image.tobytes().hex() for image in images], object)
    perceptual = np.array([perceptual_hash(image) for image in images], object)
    return find_groups(exact, perceptual, lambda number: images[number]).tolist()


@pytest.fixture(scope="module")
def phantoms() -> list[Picture]:
    """Different patients and different studies of the same one."""
    studies = itertools.islice(_studies(0), 60)
    return [Image.fromarray(draw(patient, study, label, 128).image) for patient, study, label in studies]


@pytest.mark.parametrize("change", list(CHANGES))
@pytest.mark.slow
def test_a_changed_copy_is_known_again(phantoms: list[Picture], change: str) -> None:
    originals = [small(picture) for picture in phantoms]
    copies = [small(CHANGES[change](picture)) for picture in phantoms]
    found = np.array(groups(originals + copies)[len(originals) :])
    assert (found == np.arange(len(originals))).mean() >= 0.95


@pytest.mark.parametrize("size", [16, 32, 64])
def test_different_studies_are_not_taken_for_one(phantoms: list[Picture], size: int) -> None:
    assert groups([small(picture, size) for picture in phantoms]) == list(range(len(phantoms)))


def test_equal_pixels_are_one_picture_and_the_first_is_named(phantoms: list[Picture]) -> None:
    a, b = small(phantoms[0]), small(phantoms[1])
    assert groups([b, a, a, b, a]) == [0, 1, 1, 0, 1]


def test_a_chain_of_copies_is_one_group(phantoms: list[Picture]) -> None:
    picture = phantoms[0]
    chain = [small(picture), small(jpeg(picture, 50)), small(jpeg(jpeg(picture, 50), 30))]
    assert groups([small(phantoms[1]), *chain]) == [0, 1, 1, 1]


def test_many_images_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch, phantoms: list[Picture]) -> None:
    images = [small(picture) for picture in phantoms] * 2
    whole = groups(images)
    monkeypatch.setattr("xrgan.data.preparing.duplicates.BLOCK", 7)
    assert groups(images) == whole


def test_one_image_alone(phantoms: list[Picture]) -> None:
    assert groups([small(phantoms[0])]) == [0]


@pytest.mark.slow
def test_no_two_of_jsrts_patients_are_taken_for_one(real_data: Path) -> None:
    files = find_images(real_data / "jsrt_224" / "images")
    pictures = [read_picture(file, 1, "minmax").image for file in files]
    assert groups([small(picture) for picture in pictures]) == list(range(247))


@pytest.mark.slow
def test_kermanys_exact_copies_are_found_and_no_others(real_data: Path) -> None:
    files = find_images(real_data / "kermany_224" / "train" / "NORMAL")
    images = [small(read_picture(file, 1, "minmax").image) for file in files]
    first = groups(images)
    copies = [(index, leader) for index, leader in enumerate(first) if leader != index]
    assert copies
    assert all(np.array_equal(images[index], images[leader]) for index, leader in copies)
