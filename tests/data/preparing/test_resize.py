"""Masks and boxes follow their image through every fit, and CLAHE brings out what is faint."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import write_image
from tests.data.pictures import saved, square_of
from xrgan.data.preparing.resize import ImageFormat, read_masks, read_resized


def image_format(
    size: int = 32, fit: str = "pad", clahe: bool = False, structures: tuple[str, ...] = ("lungs",)
) -> ImageFormat:
    return ImageFormat(size, fit, 1, "minmax", clahe, structures)


def save(path: Path, pixels: NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def of(files: list[Path], wanted: ImageFormat, width: int = 64, height: int = 64, boxes: str = "") -> NDArray[np.uint8]:
    return read_masks(files, boxes, wanted, width, height)


@pytest.mark.parametrize("fit", ["pad", "crop", "stretch"])
@pytest.mark.parametrize(("width", "height"), [(90, 60), (60, 90), (64, 64)])
def test_a_mask_stays_upon_its_image(tmp_path: Path, fit: str, width: int, height: int) -> None:
    """A bright disc as image, the same disc as mask, at another scale: after any fit they cover one another."""
    y, x = np.mgrid[:height, :width]
    disc = ((x - 0.45 * width) ** 2 + (y - 0.55 * height) ** 2 < (0.3 * min(width, height)) ** 2) * np.uint8(255)
    image = save(tmp_path / "image.png", disc)
    mask = save(tmp_path / "mask.png", np.asarray(Image.fromarray(disc).resize((width * 2 // 3, height * 2 // 3), 0)))
    wanted = image_format(48, fit)
    pixels, picture = read_resized(image, wanted)
    shown = of([mask], wanted, picture.width, picture.height)[0]
    bright = pixels[0] > 127
    assert bright.sum() > 100
    assert ((shown == 255) != bright).sum() <= 0.1 * bright.sum()


def test_a_mask_of_another_aspect_was_squashed(tmp_path: Path) -> None:
    pixels = np.zeros((100, 200), np.uint8)
    pixels[20:60, 40:160] = 255
    straight = save(tmp_path / "a.png", pixels)
    squashed = save(tmp_path / "b.png", np.asarray(Image.fromarray(pixels).resize((64, 64), 0)))
    one, other = (of([file], image_format(50), 200, 100)[0] for file in (straight, squashed))
    assert (one != other).mean() < 0.05


# --- which structures become channels


# --- CLAHE


def test_clahe_spreads_faint_contrast_and_leaves_the_margins_black(tmp_path: Path) -> None:
    faint = (100 + 8 * np.random.default_rng(0).random((60, 90))).astype(np.uint8)
    file = save(tmp_path / "a.png", faint)
    plain, _ = read_resized(file, image_format(90))
    even, _ = read_resized(file, image_format(90, clahe=True))
    inside, margin = even[0, 15:75], even[0, :15]
    assert inside.std() > 5 * plain[0, 15:75].std()
    assert margin.max() == 0


FITS = ("pad", "crop", "stretch")


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("width", "height"), [(30, 20), (20, 30), (7, 7), (1, 1), (1, 9), (9, 1), (200, 1)])
def test_every_fit_gives_a_square(tmp_path: Path, fit: str, channels: int, width: int, height: int) -> None:
    file = write_image(tmp_path / "a.png", width, height)
    square, size = square_of(file, 16, fit, channels)
    assert (square.dtype, square.shape) == (np.uint8, (channels, 16, 16))
    assert size == (width, height)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_three_channels_of_a_gray_picture_are_equal(tmp_path: Path, mode: str) -> None:
    square, _ = square_of(write_image(tmp_path / "a.png", mode=mode), 16, "pad", 3)
    assert np.array_equal(square[0], square[1])
    assert np.array_equal(square[0], square[2])


def test_three_channels_keep_the_colours_in_their_order(tmp_path: Path) -> None:
    colour = np.empty((8, 8, 3), np.uint8)
    colour[:] = (10, 100, 200)
    square, _ = square_of(saved(Image.fromarray(colour), tmp_path / "a.png"), 8, "pad", 3)
    assert square.reshape(3, -1).T.tolist() == [[10, 100, 200]] * 64


def bright_picture(folder: Path, width: int, height: int) -> Path:
    """White with a frame of gray: what is cut off or squeezed shows."""
    pixels = np.full((height, width), 250, np.uint8)
    pixels[:8], pixels[-8:], pixels[:, :8], pixels[:, -8:] = 120, 120, 120, 120
    return saved(Image.fromarray(pixels), folder / "a.png")


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128)])
def test_pad_keeps_the_whole_picture_and_its_aspect(tmp_path: Path, width: int, height: int) -> None:
    square, _ = square_of(bright_picture(tmp_path, width, height), 64, "pad", 1)
    upright = square[0] if width > height else square[0].T
    assert not upright[:15].any()
    assert not upright[-15:].any()
    content = upright[17:47]
    assert (content > 100).all()
    for edge in (content[1], content[-2], content[:, 1], content[:, -2]):
        assert np.median(edge) == pytest.approx(120, abs=25)
    assert content[10:20, 10:54].min() > 240


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128)])
def test_crop_keeps_the_aspect_and_cuts_the_ends(tmp_path: Path, width: int, height: int) -> None:
    square, _ = square_of(bright_picture(tmp_path, width, height), 64, "crop", 1)
    upright = square[0] if width > height else square[0].T
    assert upright[2].max() < 135  # the frame above is there
    assert upright[20:44].min() > 240  # the frame left and right is cut off


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128)])
def test_stretch_fills_the_square_with_the_whole_picture(tmp_path: Path, width: int, height: int) -> None:
    square, _ = square_of(bright_picture(tmp_path, width, height), 64, "stretch", 1)
    assert all(edge.max() < 140 for edge in (square[0, 1], square[0, -2], square[0, :, 1], square[0, :, -2]))
    assert square[0, 16:48, 16:48].min() > 240


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), [(1600, 1200), (900, 1400)])
def test_a_large_jpeg_is_decoded_small_with_the_same_result(tmp_path: Path, fit: str, width: int, height: int) -> None:
    as_png = write_image(tmp_path / "a.png", width, height)
    as_jpeg = saved(Image.open(as_png), tmp_path / "a.jpg", quality=95)
    fast, size = square_of(as_jpeg, 64, fit, 1)
    plain, _ = square_of(as_png, 64, fit, 1)
    difference = np.abs(fast.astype(int) - plain)
    assert size == (width, height)
    assert difference.mean() < 1
    assert difference.max() < 12


def test_a_fine_pattern_in_a_large_jpeg_is_averaged_and_makes_no_moire(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (1024, 512))
    square, _ = square_of(saved(Image.fromarray(stripes), tmp_path / "a.jpg", quality=95), 64, "pad", 1)
    assert np.abs(square.astype(int) - 127).max() < 8
