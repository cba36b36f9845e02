"""Images in memory, in files, and laid out as sheets."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xrgan.data.images import GAP, grid, save_png, shape_in_words, to_pil


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


@pytest.mark.parametrize(("channels", "words"), [(1, "6×4 gray"), (3, "6×4 RGB"), (5, "6×4 with 5 channels")])
def test_a_shape_is_said_as_width_by_height_and_colour(channels: int, words: str) -> None:
    assert shape_in_words(np.zeros((2, channels, 4, 6), np.uint8)) == words
