"""Any image file becomes gray or RGB, or a reason why not: modes, depths, transparency, orientation, damage."""

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import write_image
from tests.data.pictures import png_that_declares, saved, square_of
from xrgan.data.images import read_gray

EXIF_ORIENTATION = 0x0112


def ramp(height: int = 8, width: int = 16) -> NDArray[np.uint8]:
    """Dark at the left, bright at the right, a little brighter below: no two directions look alike."""
    return (np.linspace(0, 200, width)[None, :] + np.linspace(0, 55, height)[:, None]).astype(np.uint8)


@pytest.mark.parametrize("extension", ["png", "bmp", "tiff", "gif", "webp"])
def test_gray_comes_back_as_it_was(tmp_path: Path, extension: str) -> None:
    options = {"lossless": True} if extension == "webp" else {}
    file = saved(Image.fromarray(ramp()), tmp_path / f"a.{extension}", **options)
    gray = read_gray(file)
    assert (gray.dtype, gray.shape) == (np.uint8, (8, 16))
    assert np.abs(gray.astype(int) - ramp()).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "CMYK", "YCbCr"])
def test_a_gray_picture_is_the_same_in_any_mode(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(ramp())
    image = image.convert("RGB").convert(mode) if mode in {"CMYK", "YCbCr"} else image.convert(mode)
    file = saved(image, tmp_path / ("a.tiff" if mode in {"CMYK", "YCbCr"} else "a.png"))
    with Image.open(file) as opened:
        assert opened.mode == mode
    assert np.abs(read_gray(file).astype(int) - ramp()).max() <= 2


def test_black_and_white_spans_the_whole_range(tmp_path: Path) -> None:
    bits = ramp() > 100
    assert np.array_equal(read_gray(saved(Image.fromarray(bits), tmp_path / "a.png")), bits * np.uint8(255))


def test_colour_becomes_gray_by_its_luminance(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert read_gray(saved(Image.fromarray(colours), tmp_path / "a.png")).tolist() == [[76, 150, 29]]


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[..., 3] = [[255], [255], [0], [0]]
    for channels in (1, 3):
        square, _ = square_of(saved(Image.fromarray(pixels), tmp_path / "a.png"), 8, "stretch", channels)
        assert np.abs(square[:, 0].astype(int) - 200).max() < 10
        assert square[:, -1].max() < 10


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_what_is_as_transparent_everywhere_is_no_darker(tmp_path: Path, mode: str) -> None:
    gray = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    half = gray.convert(mode)
    half.putalpha(128)
    assert np.array_equal(read_gray(saved(half, tmp_path / "a.png")), np.asarray(gray))
    half.putalpha(0)
    assert read_gray(saved(half, tmp_path / "b.png")).max() == 0


@pytest.mark.parametrize(
    ("pixels", "extension"),
    [
        (np.array([[1000, 2000, 3000]], np.uint16), "png"),  # I;16
        (np.array([[1000, 2000, 3000]], np.uint16), "tiff"),
        (np.array([[-70_000, 0, 70_000]], np.int32), "tiff"),  # I
        (np.array([[-0.5, 0.0, 0.5]], np.float32), "tiff"),  # F
        (np.array([[0, 32768, 65535]], ">u2"), "tiff"),  # I;16B
    ],
)
def test_more_than_8_bits_are_scaled_by_their_whole_range(
    tmp_path: Path, pixels: NDArray[np.generic], extension: str
) -> None:
    file = saved(Image.fromarray(pixels), tmp_path / f"a.{extension}")
    gray = read_gray(file)
    assert gray.dtype == np.uint8
    assert gray[0].tolist() in ([0, 127, 255], [0, 128, 255])
    square, _ = square_of(file, 9, "stretch", 3)
    assert square.shape == (3, 9, 9)


def test_a_16_bit_ramp_keeps_its_order(tmp_path: Path) -> None:
    deep = np.arange(4096, dtype=np.uint16).reshape(64, 64)  # 12 of 16 bits, as scanners give them
    gray = read_gray(saved(Image.fromarray(deep), tmp_path / "a.png"))
    assert (np.diff(gray.ravel().astype(int)) >= 0).all()
    assert len(np.unique(gray)) == 256


@pytest.mark.parametrize("value", [0, 40_000])
def test_one_deep_value_everywhere_is_black(tmp_path: Path, value: int) -> None:
    assert not read_gray(saved(Image.fromarray(np.full((4, 4), value, np.uint16)), tmp_path / "a.png")).any()


def test_nan_is_a_reason(tmp_path: Path) -> None:
    file = saved(Image.fromarray(np.array([[0, np.nan]], np.float32)), tmp_path / "a.tiff")
    with pytest.raises(ValueError, match="NaN"):
        read_gray(file)


@pytest.mark.parametrize("extension", ["jpg", "png", "tiff"])
@pytest.mark.parametrize(
    ("orientation", "turned"),
    [(1, lambda a: a), (3, lambda a: a[::-1, ::-1]), (6, lambda a: np.rot90(a, -1)), (8, np.rot90), (2, np.fliplr)],
)
def test_the_orientation_that_a_camera_noted_is_heeded(
    tmp_path: Path, extension: str, orientation: int, turned: object
) -> None:
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    pixels = ramp(32, 48)
    file = saved(Image.fromarray(pixels), tmp_path / f"a.{extension}", exif=exif)
    expected = turned(pixels)  # type: ignore[operator]
    assert read_gray(file).shape == expected.shape
    assert np.abs(read_gray(file).astype(int) - expected).max() < 8


@pytest.mark.parametrize("extension", ["jpg", "png"])
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\1" * 40])
def test_a_broken_exif_block_spoils_no_picture(tmp_path: Path, extension: str, exif: bytes) -> None:
    file = saved(Image.fromarray(ramp(32, 48)), tmp_path / f"a.{extension}", exif=exif)
    assert np.abs(read_gray(file).astype(int) - ramp(32, 48)).max() < 8


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match="^empty file$"):
        read_gray(tmp_path / "a.png")


def test_a_text_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("a letter, not a picture")
    with pytest.raises(ValueError, match="^no image$"):
        square_of(tmp_path / "a.png", 8, "pad", 1)


@pytest.mark.parametrize("extension", ["png", "jpg", "bmp", "tiff"])
def test_half_a_file_is_torn(tmp_path: Path, extension: str) -> None:
    file = write_image(tmp_path / f"a.{extension}", 200, 150)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ValueError, match=r"\w+"):
        read_gray(file)


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_not_decoded(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "a.png").write_bytes(png_that_declares(width, height))
    with pytest.raises(ValueError, match="declares too many pixels"):
        read_gray(tmp_path / "a.png")


def test_an_absent_file_and_a_folder_are_reasons(tmp_path: Path) -> None:
    for path in (tmp_path / "a.png", tmp_path):
        with pytest.raises(ValueError, match=r"\w+"):
            square_of(path, 8, "pad", 1)


def test_a_mode_that_has_no_gray_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LAB"):
        read_gray(saved(Image.new("LAB", (4, 4)), tmp_path / "a.tiff"))


@pytest.mark.slow
def test_pillow_says_nothing_by_itself(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.tiff", mode="RGB")
    samples_per_pixel = struct.pack("<HHIHH", 277, 3, 1, 3, 0)
    assert samples_per_pixel in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(samples_per_pixel, struct.pack("<HHIHH", 277, 3, 1, 300, 0)))
    code = f"from pathlib import Path; from xrgan.data.images import read_gray; read_gray(Path({str(file)!r}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "ValueError: no image" in ended.stderr
    assert "amples per pixel" not in ended.stderr


@pytest.mark.parametrize(("width", "height"), [(1, 89_000_000), (89_000_000, 1), (65_536, 16)])
def test_a_side_that_no_radiograph_has_is_refused_before_it_is_decoded(tmp_path: Path, width: int, height: int) -> None:
    (tmp_path / "a.png").write_bytes(png_that_declares(width, height))
    with pytest.raises(ValueError, match="declares too many pixels on one side"):
        read_gray(tmp_path / "a.png")
