"""Image files become one array, scaled alike whatever their depths."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.pictures import png_that_declares, saved
from xrgan.data.image_files import depth_of, open_files, pixels_of
from xrgan.data.images import Pixels, read_gray
from xrgan.errors import XrganError


def read_files(files: Sequence[Path], channels: int = 1, size: int = 0) -> Pixels:
    """Files that are compared with no others: (N, C, H, W)."""
    opened = open_files(files)
    return pixels_of(opened, depth_of([opened]), channels, size)


def test_equal_files_become_one_array(tmp_path: Path) -> None:
    files = [write_image(tmp_path / f"{k}.png", 6, 5, seed=k) for k in range(3)]
    images = read_files(files)
    assert (images.dtype, images.shape) == (np.uint8, (3, 1, 5, 6))
    assert np.array_equal(images[2, 0], read_gray(files[2]))


@pytest.mark.parametrize("order", [1, -1])
def test_they_are_rgb_where_any_shows_colours(tmp_path: Path, order: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    files = [saved(Image.fromarray(noise), tmp_path / "0.png"), write_image(tmp_path / "1.png", mode="L")]
    assert read_files(files[::order]).shape == (2, 3, 20, 24)


@pytest.mark.parametrize("order", [1, -1])
def test_gray_is_gray_whatever_the_file_holds(tmp_path: Path, order: int) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (20, 24), dtype=np.uint8)
    files = [saved(Image.fromarray(gray), tmp_path / "0.png")]
    files += [saved(Image.fromarray(np.dstack([gray] * 3)), tmp_path / name) for name in ("1.png", "2.bmp")]
    images = read_files(files[::order])
    assert images.shape == (3, 1, 20, 24)
    assert all(np.array_equal(image[0], gray) for image in images)
    assert read_files(files, channels=3).shape == (3, 3, 20, 24)


@pytest.mark.parametrize(("scale", "error"), [(257, 0), (16, 1)])
def test_the_same_pictures_in_8_and_16_bits_are_the_same(tmp_path: Path, scale: int, error: int) -> None:
    faint = np.random.default_rng(0).integers(90, 160, (2, 20, 24), dtype=np.uint8)
    faint[0, 0, 0] = 255  # the whole range is of the folder, not of each picture
    eight = [saved(Image.fromarray(image), tmp_path / f"a{k}.png") for k, image in enumerate(faint)]
    deep = [
        saved(Image.fromarray(image.astype(np.uint16) * scale), tmp_path / f"b{k}.png") for k, image in enumerate(faint)
    ]
    assert np.abs(read_files(eight).astype(int) - read_files(deep)).max() <= error


def dark(tmp_path: Path, scale: int) -> tuple[Pixels, list[Path], list[Path]]:
    """Dark pictures, and files of them in 8 bits and, times `scale`, in 16."""
    pictures = np.random.default_rng(1).integers(5, 40, (3, 20, 24), dtype=np.uint8)
    eight = [saved(Image.fromarray(picture), tmp_path / f"a{k}.png") for k, picture in enumerate(pictures)]
    deep = [
        saved(Image.fromarray(picture.astype(np.uint16) * scale), tmp_path / f"b{k}.png")
        for k, picture in enumerate(pictures)
    ]
    return pictures[:, None], eight, deep


@pytest.mark.parametrize("scale", [257, 256, 64, 16, 4])
def test_dark_pictures_of_a_depth_that_no_file_tells_are_as_bright_as_those_of_the_other_side(
    tmp_path: Path, scale: int
) -> None:
    pictures, *files = dark(tmp_path, scale)
    eight, deep = map(open_files, files)
    depth = depth_of([eight, deep])
    assert np.abs(pixels_of(deep, depth).astype(int) - pictures).max() <= 1
    assert np.array_equal(pixels_of(eight, depth), pictures)
    assert depth_of([deep], brightness=[float(pictures.mean()) / 255]) == depth


def test_two_deep_sides_are_scaled_by_one_depth(tmp_path: Path) -> None:
    _, _, deep = dark(tmp_path, 64)
    bright = [saved(Image.fromarray(np.full((20, 24), 60_000, np.uint16)), tmp_path / "c.png")]
    assert depth_of([open_files(deep), open_files(bright)]) == 16
    assert depth_of([open_files(deep)]) == 12
    assert depth_of([]) == 0


def test_shares_of_white_are_scaled_as_such(tmp_path: Path) -> None:
    share = np.linspace(0.1, 0.4, 480, dtype=np.float32).reshape(20, 24)
    file = saved(Image.fromarray(share), tmp_path / "a.tif")
    assert np.array_equal(read_files([file])[0, 0], np.rint(255 * share).astype(np.uint8))


def test_files_of_any_size_are_brought_to_one(tmp_path: Path) -> None:
    files = [write_image(tmp_path / "a.png", 30, 40), write_image(tmp_path / "b.png", 64, 20)]
    assert read_files(files, size=32).shape == (2, 1, 32, 32)


def test_files_of_other_sizes_are_named(tmp_path: Path) -> None:
    files = [write_image(tmp_path / "a.png", 6, 5), write_image(tmp_path / "b.png", 7, 5)]
    with pytest.raises(XrganError, match="b.png is 7×5, a.png is 6×5.*xrgan prepare"):
        read_files(files)


@pytest.mark.parametrize("content", [b"", b"a letter", png_that_declares(20_000, 20_000)])
@pytest.mark.parametrize("first", [True, False])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, first: bool) -> None:
    bad, good = tmp_path / "bad.png", write_image(tmp_path / "good.png")
    bad.write_bytes(content)
    with pytest.raises(XrganError, match="bad.png can't be read: (empty file|no image|declares too many pixels)"):
        read_files([bad, good] if first else [good, bad])
