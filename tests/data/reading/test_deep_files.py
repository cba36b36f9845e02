"""What Pillow would cut to 8 bits, turn round or not open shows the same picture as 16-bit gray."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.data.phantoms import deep
from xrgan.data.reading.pictures import read_picture

VALUES = deep(12).astype(np.uint16)  # 12 bits of 16, as most detectors give them


def write_png(path: Path, pixels: NDArray[np.uint16]) -> Path:
    """A 16-bit PNG of 1 to 4 channels, which Pillow can't write."""
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    height, width, channels = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels.astype(">u2").reshape(height, -1))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 16, (0, 4, 2, 6)[channels - 1], 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def read(path: Path, channels: int = 1, window: str = "minmax") -> NDArray[np.uint8]:
    return np.asarray(read_picture(path, channels, window).image)


@pytest.fixture
def gray(tmp_path: Path) -> NDArray[np.uint8]:
    """What the picture is as 16-bit gray."""
    return read(write_png(tmp_path / "gray.png", VALUES))


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_16_bit_pngs_with_several_channels(tmp_path: Path, gray: NDArray[np.uint8], channels: int) -> None:
    pixels = np.stack([VALUES] * channels, axis=-1)
    if channels in {2, 4}:
        pixels[..., -1] = 65535
    file = write_png(tmp_path / "a.png", pixels)
    assert np.array_equal(read(file), gray)
    assert np.array_equal(read(file, channels=3), np.stack([gray] * 3, axis=-1))


def test_what_is_transparent_is_black_in_16_bits_too(tmp_path: Path) -> None:
    pixels = np.stack([VALUES, np.full_like(VALUES, 65535)], axis=-1)
    pixels[:10, :, 1] = 0
    assert not read(write_png(tmp_path / "a.png", pixels))[:10].any()


def test_colours_of_16_bits_become_gray_by_their_luminance(tmp_path: Path) -> None:
    pixels = np.zeros((1, 5, 3), np.uint16)
    pixels[0, :3] = 60000 * np.eye(3, dtype=np.uint16)
    pixels[0, 3] = 60000
    assert read(write_png(tmp_path / "a.png", pixels)).tolist() == [[76, 150, 29, 255, 0]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiffs_whose_white_is_0(tmp_path: Path, gray: NDArray[np.uint8], order: str) -> None:
    for name, values in (("a", 4095 - VALUES), ("b", 65535 - VALUES)):
        file = tmp_path / f"{name}.tif"
        tifffile.imwrite(file, values.astype(f"{order}u2"), photometric="miniswhite", byteorder=order)
        assert np.array_equal(read(file), gray)


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (np.stack([VALUES] * 3, axis=-1), {"photometric": "rgb"}),
        (np.stack([VALUES] * 3), {"photometric": "rgb", "planarconfig": "separate"}),
        (np.stack([VALUES, VALUES * 0 + 65535], axis=-1), {"extrasamples": ["unassalpha"], "planarconfig": "contig"}),
        (VALUES.astype(np.float64), {}),
        (VALUES.astype(np.float32), {}),
        (VALUES.astype(np.int16) - 2048, {}),
        (VALUES.astype(np.uint32), {}),
    ],
)
def test_tiffs_of_any_depth(
    tmp_path: Path, gray: NDArray[np.uint8], pixels: NDArray[np.uint16], options: dict[str, object]
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels, **{"photometric": "minisblack"} | options)
    assert np.abs(read(tmp_path / "a.tif").astype(int) - gray).max() <= 1


def test_signed_bytes_keep_their_order(tmp_path: Path) -> None:
    values = np.linspace(-128, 127, 256).astype(np.int8).reshape(16, 16)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    assert read(tmp_path / "a.tif").ravel().tolist() == list(range(256))


def test_bytes_that_are_called_signed_and_are_not_are_taken_as_what_they_are(tmp_path: Path) -> None:
    values = np.linspace(0, 255, 400).astype(np.uint8).reshape(20, 20)
    tifffile.imwrite(tmp_path / "a.tif", values.view(np.int8), photometric="minisblack")
    assert np.array_equal(read(tmp_path / "a.tif"), values)


def test_inks_and_channels_that_are_no_alpha(tmp_path: Path, gray: NDArray[np.uint8]) -> None:
    top = VALUES.max()
    full = np.rint(VALUES / top * 65535).astype(np.uint16)
    inks = np.stack([0 * full, 0 * full, 0 * full, 65535 - full], axis=-1)
    tifffile.imwrite(tmp_path / "inks.tif", inks, photometric="separated")
    assert np.abs(read(tmp_path / "inks.tif").astype(int) - gray).max() <= 1
    extra = np.stack([VALUES, 0 * VALUES], axis=-1)
    tifffile.imwrite(tmp_path / "b.tif", extra, photometric="minisblack", extrasamples=[0], planarconfig="contig")
    assert np.array_equal(read(tmp_path / "b.tif"), gray)


def test_16_bit_colours_that_tifffile_cannot_unpack_are_read_by_pillow(
    tmp_path: Path, gray: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.stack([VALUES] * 3, axis=-1), photometric="rgb", compression="zlib")

    def refuse(page: tifffile.TiffPage) -> None:
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    assert np.array_equal(read(tmp_path / "a.tif"), gray)


def test_absurdly_many_pixels_are_refused_before_they_are_read(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", shape=(30_000, 30_000), dtype="int8", photometric="minisblack")
    with pytest.raises(ValueError, match="^declares too many pixels$"):
        read(tmp_path / "a.tif")


def test_several_pictures_in_a_file_are_refused_and_a_smaller_copy_is_none(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.stack([VALUES] * 3), photometric="minisblack")
    with pytest.raises(ValueError, match="^has 3 pages$"):
        read(tmp_path / "a.tif")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(
        tmp_path / "a.gif", save_all=True, append_images=[Image.fromarray(np.full((8, 8), 200, np.uint8))]
    )
    with pytest.raises(ValueError, match="^has 2 frames$"):
        read(tmp_path / "a.gif")
    with tifffile.TiffWriter(tmp_path / "b.tif") as file:
        file.write(VALUES, photometric="minisblack")
        file.write(VALUES[::4, ::4], photometric="minisblack", subfiletype=1)
    assert read(tmp_path / "b.tif").shape == VALUES.shape
