"""Any image file → an 8-bit gray or RGB picture, or the reason why not: PNG, JPEG, TIFF …, DICOM, JSRT's raw files."""

import contextlib
import logging
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from xrgan.data.reading.arrays import read_array
from xrgan.data.reading.bit_depth import cut_to_8_bits, luminance, to_8_bits
from xrgan.data.reading.deep_files import REDUCED, is_tiff, read_deep, read_tiff, refuse_several
from xrgan.data.reading.jsrt import read_img
from xrgan.data.reading.kinds import (
    ARRAY_EXTENSIONS,
    DICOM_EXTENSIONS,
    EXTENSIONS,
    extension,
    may_be_dicom,
    says_dicom,
)

ONE_PICTURE = {"JPEG", "MPO", "PNG", "BMP", "PPM", "JPEG2000"}  # MPO: a camera's JPEG with a second, smaller picture

logging.getLogger("PIL").addHandler(logging.NullHandler())  # of torn files it would write lines of its own to stderr


LONGEST_SIDE = 65_535  # pixels, as in JPEG: to resize a longer one would fill the memory


class Picture(NamedTuple):
    """What was read: an image of mode L or RGB, the file's own width and height in pixels, and its kind."""

    image: Image.Image
    width: int
    height: int
    kind: str  # Pillow's mode (L, RGB, I;16 …), DICOM or IMG
    bits: int = 0  # that the largest of its values takes, where they are whole numbers of more than 8 bits
    mean: float = 0  # of those values


def read_picture(path: Path, channels: int, window: str, at_least: int = 0, bits: int = 0) -> Picture:
    """Read one image file of any kind, mode and depth.

    Args:
        channels: 1 = gray, 3 = RGB.
        window: how more than 8 bits become 8, as `prepare.window`.
        at_least: pixels of the shorter side that are enough: a larger JPEG is decoded at reduced size, 3–4× faster;
            0 = all of them.
        bits: scale values of more than 8 bits by all that so many can hold, as if they were 8; 0 = by `window`.

    Raises:
        ValueError: the file is no image, is torn, or declares absurdly many pixels; the message says which.
    """
    with _reasons(path):
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for ever
            raise ValueError("no regular file")
        suffix = extension(path)
        if suffix in ARRAY_EXTENSIONS:
            return _from_deep(read_array(path), window, channels, suffix.strip(".").upper(), bits)
        if suffix == ".img" and not says_dicom(path):
            return _from_deep(read_img(path), window, channels, "IMG", bits)
        if suffix not in EXTENSIONS and says_dicom(path):
            return _from_dicom(path, window, channels)
        try:
            return _from_pillow(path, channels, window, at_least, bits)
        except UnidentifiedImageError:
            if suffix in DICOM_EXTENSIONS or may_be_dicom(path):  # an old file without the mark, or a wrong name
                return _from_dicom(path, window, channels)
            if is_tiff(path):
                return _from_deep(read_tiff(path), window, channels, "TIFF", bits)
            raise


def read_values(path: Path) -> NDArray[np.integer]:
    """Read the gray values of a mask as they are stored, (H, W): of 16 bits too, and the numbers of a coloured palette.

    Raises:
        ValueError: as `read_picture`.
    """
    with _reasons(path), contextlib.suppress(UnidentifiedImageError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("no regular file")
        if extension(path) in ARRAY_EXTENSIONS and (values := read_array(path)).dtype.kind in "iu" and values.ndim == 2:
            return values.astype(np.int64)
        with path.open("rb") as opened, Image.open(opened) as file:
            if file.mode.startswith("I") or file.mode == "P":
                file.load()
            if file.mode.startswith("I"):
                return np.asarray(file).astype(np.int64)
            if file.mode == "P" and not _is_gray_palette(file):
                return np.asarray(file)
    return np.asarray(read_picture(path, channels=1, window="dicom").image)


def _is_gray_palette(file: Image.Image) -> bool:
    colours = np.asarray(file.getpalette("RGB"), np.uint8).reshape(-1, 3)
    used = colours[[value for value in np.unique(np.asarray(file)) if value < len(colours)]]
    return bool((used == used[:, :1]).all())


def _from_dicom(path: Path, window: str, channels: int) -> Picture:
    from xrgan.data.reading.dicom import read_dicom  # pydicom is only waited for where there is DICOM

    gray = Image.fromarray(read_dicom(path, window))
    return Picture(_with_channels(gray, channels), *gray.size, "DICOM")


def _from_deep(values: NDArray[Any], window: str, channels: int, kind: str, bits: int) -> Picture:
    gray = luminance(values) if channels == 1 else values
    plain = values.dtype.kind in "iu" and values.min() >= 0
    if values.dtype == np.uint8:
        image = Image.fromarray(gray.astype(np.uint8))
        return Picture(_with_channels(image, channels), *image.size, kind)
    if values.dtype.kind == "f" and bits and 0 <= values.min() <= values.max() <= 1:  # shares of white
        image = Image.fromarray(np.rint(255 * gray).astype(np.uint8))
    else:
        image = Image.fromarray(cut_to_8_bits(gray, bits) if bits and plain else to_8_bits(gray, window))
    used = int(values.max()).bit_length() if plain else 0
    return Picture(_with_channels(image, channels), *image.size, kind, used, float(values.mean()) if plain else 0)


def _from_pillow(path: Path, channels: int, window: str, at_least: int, bits: int) -> Picture:
    # Not by its name: Pillow would map a plain TIFF into memory, and scramble one that is noted as lying on its side.
    with path.open("rb") as opened, Image.open(opened) as file:
        (width, height), mode = file.size, file.mode
        if max(width, height) > LONGEST_SIDE:
            raise ValueError("declares too many pixels on one side")
        if file.format not in ONE_PICTURE:
            refuse_several(_count_pictures(file), "pages" if file.format == "TIFF" else "frames")
        if (values := read_deep(path, file)) is not None:
            return _from_deep(values, window, channels, f"{mode};16" if mode in {"RGB", "RGBA", "LA"} else mode, bits)
        if at_least or channels == 1:
            # Colour is not even decoded where gray is wanted.
            file.draft("L" if channels == 1 else None, (at_least, at_least) if at_least else file.size)
        file.load()
        image: Image.Image = file
        with contextlib.suppress(Exception):  # where the EXIF block is broken, the pixels are whole
            image = ImageOps.exif_transpose(file) if "exif" in file.info or file.format != "JPEG" else file
        if (image.width > image.height) != (file.width > file.height):  # it lay on its side
            width, height = height, width
    if mode in {"I", "F"} or mode.startswith("I;16"):
        return _from_deep(np.asarray(image), window, channels, mode, bits)
    return Picture(_with_channels(_opaque(image), channels), width, height, mode)


def _count_pictures(file: Image.Image) -> int:
    """Frames, or pages of a TIFF without those that are smaller copies of another."""
    count = int(getattr(file, "n_frames", 1))
    if count == 1 or file.format != "TIFF":
        return count
    whole = 0
    for page in range(count):
        file.seek(page)
        whole += not int(file.tag_v2.get(254, 0)) & REDUCED  # type: ignore[attr-defined]
    file.seek(0)
    return whole


def _opaque(image: Image.Image) -> Image.Image:
    """What is transparent is background: black, as in a radiograph; but not where all is alike, and only darker."""
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        rgba = image.convert("RGBA")
        least, most = rgba.getchannel("A").getextrema()
        if least == most != 0:
            return rgba.convert("RGB")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
    return image


def _with_channels(image: Image.Image, channels: int) -> Image.Image:
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


@contextmanager
def _reasons(path: Path) -> Iterator[None]:
    """Whatever goes wrong with a file becomes a ValueError that says why, and no warning of Pillow's is shown."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except UnidentifiedImageError:
        raise ValueError("empty file" if path.stat().st_size == 0 else "no image") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError("declares too many pixels") from None
    except OSError as error:
        raise ValueError(error.strerror or " ".join(str(error).split()) or type(error).__name__) from error
    except Exception as error:  # of torn files Pillow lets struct.error, zlib.error, SyntaxError … through
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
