"""Picture files of all kinds, for tests."""

import struct
import zlib
from pathlib import Path

from PIL import Image

from xrgan.data.images import Pixels
from xrgan.data.preparing.resize import ImageFormat, read_resized


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its data hold."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def square_of(path: Path, size: int, fit: str, channels: int) -> tuple[Pixels, tuple[int, int]]:
    """The square, and the file's own width and height."""
    pixels, picture = read_resized(path, ImageFormat(size, fit, channels, "minmax", False))
    return pixels, (picture.width, picture.height)
