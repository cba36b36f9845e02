"""Any image file becomes gray or RGB squares of bytes, or a reason why not."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.conftest import write_image
from xrgan.data.images import GAP, Pixels, grid, read_files, read_gray, save_png, to_pil
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.preparing.resize import read_resized as read_any
from xrgan.data.reading.kinds import find_images
from xrgan.errors import XrganError

EXIF_ORIENTATION = 0x0112
FITS = ("pad", "crop", "stretch")


def ramp(height: int = 8, width: int = 16) -> NDArray[np.uint8]:
    """Dark at the left, bright at the right, a little brighter below: no two directions look alike."""
    return (np.linspace(0, 200, width)[None, :] + np.linspace(0, 55, height)[:, None]).astype(np.uint8)


def read_resized(path: Path, size: int, fit: str, channels: int) -> tuple[Pixels, tuple[int, int]]:
    """The square, and the file's own width and height."""
    pixels, picture = read_any(path, ImageFormat(size, fit, channels, "minmax", False))
    return pixels, (picture.width, picture.height)


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its data hold."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


# --- modes and depths


@pytest.mark.parametrize("extension", ["png", "bmp", "tiff", "gif", "webp"])
def test_gray_comes_back_as_it_was(tmp_path: Path, extension: str) -> None:
    options = {"lossless": True} if extension == "webp" else {}
    file = save(Image.fromarray(ramp()), tmp_path / f"a.{extension}", **options)
    gray = read_gray(file)
    assert (gray.dtype, gray.shape) == (np.uint8, (8, 16))
    assert np.abs(gray.astype(int) - ramp()).max() <= 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA", "CMYK", "YCbCr"])
def test_a_gray_picture_is_the_same_in_any_mode(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(ramp())
    image = image.convert("RGB").convert(mode) if mode in {"CMYK", "YCbCr"} else image.convert(mode)
    file = save(image, tmp_path / ("a.tiff" if mode in {"CMYK", "YCbCr"} else "a.png"))
    with Image.open(file) as saved:
        assert saved.mode == mode
    assert np.abs(read_gray(file).astype(int) - ramp()).max() <= 2


def test_black_and_white_spans_the_whole_range(tmp_path: Path) -> None:
    bits = ramp() > 100
    assert np.array_equal(read_gray(save(Image.fromarray(bits), tmp_path / "a.png")), bits * np.uint8(255))


def test_colour_becomes_gray_by_its_luminance(tmp_path: Path) -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert read_gray(save(Image.fromarray(colours), tmp_path / "a.png")).tolist() == [[76, 150, 29]]


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 4), 200, np.uint8)
    pixels[..., 3] = [[255], [255], [0], [0]]
    for channels in (1, 3):
        square, _ = read_resized(save(Image.fromarray(pixels), tmp_path / "a.png"), 8, "stretch", channels)
        assert np.abs(square[:, 0].astype(int) - 200).max() < 10
        assert square[:, -1].max() < 10


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
    file = save(Image.fromarray(pixels), tmp_path / f"a.{extension}")
    gray = read_gray(file)
    assert gray.dtype == np.uint8
    assert gray[0].tolist() in ([0, 127, 255], [0, 128, 255])
    square, _ = read_resized(file, 9, "stretch", 3)
    assert square.shape == (3, 9, 9)


def test_a_16_bit_ramp_keeps_its_order(tmp_path: Path) -> None:
    deep = np.arange(4096, dtype=np.uint16).reshape(64, 64)  # 12 of 16 bits, as scanners give them
    gray = read_gray(save(Image.fromarray(deep), tmp_path / "a.png"))
    assert (np.diff(gray.ravel().astype(int)) >= 0).all()
    assert len(np.unique(gray)) == 256


@pytest.mark.parametrize("value", [0, 40_000])
def test_one_deep_value_everywhere_is_black(tmp_path: Path, value: int) -> None:
    assert not read_gray(save(Image.fromarray(np.full((4, 4), value, np.uint16)), tmp_path / "a.png")).any()


def test_nan_is_a_reason(tmp_path: Path) -> None:
    file = save(Image.fromarray(np.array([[0, np.nan]], np.float32)), tmp_path / "a.tiff")
    with pytest.raises(ValueError, match="NaN"):
        read_gray(file)


# --- bringing to one size


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("width", "height"), [(30, 20), (20, 30), (7, 7), (1, 1), (1, 9), (9, 1), (200, 1)])
def test_every_fit_gives_a_square(tmp_path: Path, fit: str, channels: int, width: int, height: int) -> None:
    file = write_image(tmp_path / "a.png", width, height)
    square, size = read_resized(file, 16, fit, channels)
    assert (square.dtype, square.shape) == (np.uint8, (channels, 16, 16))
    assert size == (width, height)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_three_channels_of_a_gray_picture_are_equal(tmp_path: Path, mode: str) -> None:
    square, _ = read_resized(write_image(tmp_path / "a.png", mode=mode), 16, "pad", 3)
    assert np.array_equal(square[0], square[1])
    assert np.array_equal(square[0], square[2])


def test_three_channels_keep_the_colours_in_their_order(tmp_path: Path) -> None:
    colour = np.empty((8, 8, 3), np.uint8)
    colour[:] = (10, 100, 200)
    square, _ = read_resized(save(Image.fromarray(colour), tmp_path / "a.png"), 8, "pad", 3)
    assert square.reshape(3, -1).T.tolist() == [[10, 100, 200]] * 64


def bright_picture(folder: Path, width: int, height: int) -> Path:
    """White with a frame of gray: what is cut off or squeezed shows."""
    pixels = np.full((height, width), 250, np.uint8)
    pixels[:8], pixels[-8:], pixels[:, :8], pixels[:, -8:] = 120, 120, 120, 120
    return save(Image.fromarray(pixels), folder / "a.png")


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128)])
def test_pad_keeps_the_whole_picture_and_its_aspect(tmp_path: Path, width: int, height: int) -> None:
    square, _ = read_resized(bright_picture(tmp_path, width, height), 64, "pad", 1)
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
    square, _ = read_resized(bright_picture(tmp_path, width, height), 64, "crop", 1)
    upright = square[0] if width > height else square[0].T
    assert upright[2].max() < 135  # the frame above is there
    assert upright[20:44].min() > 240  # the frame left and right is cut off


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 128)])
def test_stretch_fills_the_square_with_the_whole_picture(tmp_path: Path, width: int, height: int) -> None:
    square, _ = read_resized(bright_picture(tmp_path, width, height), 64, "stretch", 1)
    assert all(edge.max() < 140 for edge in (square[0, 1], square[0, -2], square[0, :, 1], square[0, :, -2]))
    assert square[0, 16:48, 16:48].min() > 240


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize(("width", "height"), [(1600, 1200), (900, 1400)])
def test_a_large_jpeg_is_decoded_small_with_the_same_result(tmp_path: Path, fit: str, width: int, height: int) -> None:
    as_png = write_image(tmp_path / "a.png", width, height)
    as_jpeg = save(Image.open(as_png), tmp_path / "a.jpg", quality=95)
    fast, size = read_resized(as_jpeg, 64, fit, 1)
    plain, _ = read_resized(as_png, 64, fit, 1)
    difference = np.abs(fast.astype(int) - plain)
    assert size == (width, height)
    assert difference.mean() < 1
    assert difference.max() < 12


def test_a_fine_pattern_in_a_large_jpeg_is_averaged_and_makes_no_moire(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (1024, 512))
    square, _ = read_resized(save(Image.fromarray(stripes), tmp_path / "a.jpg", quality=95), 64, "pad", 1)
    assert np.abs(square.astype(int) - 127).max() < 8


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
    file = save(Image.fromarray(pixels), tmp_path / f"a.{extension}", exif=exif)
    expected = turned(pixels)  # type: ignore[operator]
    assert read_gray(file).shape == expected.shape
    assert np.abs(read_gray(file).astype(int) - expected).max() < 8


@pytest.mark.parametrize("extension", ["jpg", "png"])
@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\1" * 40])
def test_a_broken_exif_block_spoils_no_picture(tmp_path: Path, extension: str, exif: bytes) -> None:
    file = save(Image.fromarray(ramp(32, 48)), tmp_path / f"a.{extension}", exif=exif)
    assert np.abs(read_gray(file).astype(int) - ramp(32, 48)).max() < 8


# --- what is no image


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    with pytest.raises(ValueError, match="^empty file$"):
        read_gray(tmp_path / "a.png")


def test_a_text_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("a letter, not a picture")
    with pytest.raises(ValueError, match="^no image$"):
        read_resized(tmp_path / "a.png", 8, "pad", 1)


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
            read_resized(path, 8, "pad", 1)


def test_a_mode_that_has_no_gray_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LAB"):
        read_gray(save(Image.new("LAB", (4, 4)), tmp_path / "a.tiff"))


def test_pillow_says_nothing_by_itself(tmp_path: Path) -> None:
    file = write_image(tmp_path / "a.tiff", mode="RGB")
    samples_per_pixel = struct.pack("<HHIHH", 277, 3, 1, 3, 0)
    assert samples_per_pixel in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(samples_per_pixel, struct.pack("<HHIHH", 277, 3, 1, 300, 0)))
    code = f"from pathlib import Path; from xrgan.data.images import read_gray; read_gray(Path({str(file)!r}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "ValueError: no image" in ended.stderr
    assert "amples per pixel" not in ended.stderr


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


def test_images_are_found_by_name_and_what_is_hidden_is_none(tmp_path: Path) -> None:
    shown = ["a/1.PNG", "a/2.jpeg", "b.TIF", "c.bmp"]
    hidden = ["a/._1.png", ".thumbs/1.png", "__MACOSX/a/1.png", "notes.txt", "d.png.part"]
    for name in (*shown, *hidden):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)] == shown


def test_a_folder_below_a_hidden_one_is_searched(tmp_path: Path) -> None:
    file = write_image(tmp_path / ".cache" / "scans" / "a.png")
    assert find_images(file.parent) == [file]


def test_equal_files_become_one_array(tmp_path: Path) -> None:
    files = [write_image(tmp_path / f"{k}.png", 6, 5, seed=k) for k in range(3)]
    images = read_files(files)
    assert (images.dtype, images.shape) == (np.uint8, (3, 1, 5, 6))
    assert np.array_equal(images[2, 0], read_gray(files[2]))


def test_they_are_rgb_where_the_first_is(tmp_path: Path) -> None:
    files = [write_image(tmp_path / "0.png", mode="RGB"), write_image(tmp_path / "1.png", mode="L")]
    assert read_files(files).shape == (2, 3, 20, 24)
    assert read_files(files[::-1]).shape == (2, 1, 20, 24)


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
