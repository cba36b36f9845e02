"""Any image file becomes gray or RGB squares of bytes, or a reason why not."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.pictures import png_that_declares, saved
from xrgan.data.images import GAP, grid, read_files, read_gray, save_png, shape_in_words, to_pil
from xrgan.errors import XrganError

# --- modes and depths


# --- bringing to one size


# --- what is no image


# --- writing and laying out


@pytest.mark.parametrize(("shape", "mode"), [((6, 5), "L"), ((1, 6, 5), "L"), ((3, 6, 5), "RGB"), ((1, 1, 1), "L")])
def test_a_png_keeps_every_pixel_and_gray_stays_gray(tmp_path: Path, shape: tuple[int, ...], mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    save_png(tmp_path / "deep" / "a.png", pixels)
    image = Image.open(tmp_path / "deep" / "a.png")
    assert (image.format, image.mode, image.size) == ("PNG", mode, (shape[-1], shape[-2]))
    expected = np.moveaxis(pixels, 0, -1) if mode == "RGB" else pixels.reshape(shape[-2:])
    assert np.array_equal(np.asarray(image), expected)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.png"]


def test_an_image_in_memory_is_the_one_in_the_file() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    file = io.BytesIO()
    to_pil(pixels).save(file, "PNG")
    assert np.array_equal(np.asarray(Image.open(file)), np.moveaxis(pixels, 0, -1))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("n", "columns", "rows"), [(1, 4, 1), (4, 4, 1), (5, 4, 2), (6, 2, 3), (3, 1, 3)])
def test_a_grid_shows_every_image_row_by_row(channels: int, n: int, columns: int, rows: int) -> None:
    images = np.random.default_rng(0).integers(1, 256, (n, channels, 5, 7), dtype=np.uint8)
    sheet = grid(images, columns)
    shown = min(columns, n)
    assert sheet.shape == (channels, rows * (5 + GAP) + GAP, shown * (7 + GAP) + GAP)
    for k, image in enumerate(images):
        top, left = GAP + k // columns * (5 + GAP), GAP + k % columns * (7 + GAP)
        assert np.array_equal(sheet[:, top : top + 5, left : left + 7], image)
    assert (sheet > 0).sum() == images.size  # the gaps are black


# --- folders


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


@pytest.mark.parametrize(("channels", "words"), [(1, "6×4 gray"), (3, "6×4 RGB"), (5, "6×4 with 5 channels")])
def test_a_shape_is_said_as_width_by_height_and_colour(channels: int, words: str) -> None:
    assert shape_in_words(np.zeros((2, channels, 4, 6), np.uint8)) == words
