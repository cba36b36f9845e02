"""Any image file ↔ a uint8 array; sheets of many images.

Shapes: H, W are pixels; C is 1 (gray) or 3 (RGB). An image in memory is uint8 (C, H, W).
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from xrgan.errors import XrganError
from xrgan.files import replacing

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
DEEP_EXTENSIONS = frozenset({".dcm", ".dicom", ".img"})  # .img: JSRT's own raw files
GAP = 2  # pixels between the images of a grid
Pixels = NDArray[np.uint8]

logging.getLogger("PIL").addHandler(logging.NullHandler())  # of torn files it would write lines of its own to stderr


def read_gray(path: Path) -> Pixels:
    """Read one image file of any mode as uint8 (H, W).

    Raises:
        ValueError: the file is no image, is torn, or declares absurdly many pixels; the message says which.
    """
    with _reasons(path):
        gray: Pixels = _to_array(_open(path, None), channels=1)[0]
    return gray


def read_square(path: Path, size: int, fit: str, channels: int) -> tuple[Pixels, tuple[int, int]]:
    """Read one image file and bring it to size × size.

    Args:
        fit: pad (whole image, black margins), crop (centre) or stretch.
        channels: 1 = gray, 3 = RGB.

    Returns:
        uint8 (C, size, size), and the file's own (width, height).

    Raises:
        ValueError: as `read_gray`.
    """
    with _reasons(path):
        image = _open(path, size)
        width, height = image.info["full_size"]
        return _fit(image, size, fit, channels), (width, height)


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
    except Exception as error:  # of torn files Pillow lets struct.error, zlib.error, SyntaxError … through
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error


def _open(path: Path, size: int | None) -> Image.Image:
    """Open and decode; a JPEG that will shrink to `size` pixels is decoded at reduced size, 3–4× faster."""
    # Not by its name: Pillow would map a plain TIFF into memory, and scramble one that is noted as lying on its side.
    with path.open("rb") as opened, Image.open(opened) as file:
        full_size = file.size
        if size is not None:
            file.draft(None, (2 * size, 2 * size))  # never below that: the last halving is antialiased
        file.load()
        try:
            image = ImageOps.exif_transpose(file)
        except Exception:  # the EXIF block is broken, the pixels are whole
            image = file.copy()
    image.info["full_size"] = full_size
    return image


def _fit(image: Image.Image, size: int, fit: str, channels: int) -> Pixels:
    image = to_pil(_to_array(image, channels))
    if fit == "stretch":
        square = image.resize((size, size), Image.Resampling.LANCZOS)
    elif fit == "crop":
        square = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    else:
        square = ImageOps.pad(image, (size, size), Image.Resampling.LANCZOS, color=0 if channels == 1 else (0, 0, 0))
    pixels = np.asarray(square)
    return pixels[None] if channels == 1 else np.moveaxis(pixels, -1, 0)


def _to_array(image: Image.Image, channels: int) -> Pixels:
    """uint8 (C, H, W) of any mode; more than 8 bits are scaled by the whole range, never cut to the low byte."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.float64)
        if not np.isfinite(deep).all():
            raise ValueError("holds NaN or infinite values")
        low, high = deep.min(), deep.max()
        gray = np.rint((deep - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
        return np.repeat(gray[None], channels, axis=0)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        # What is transparent is background: black, as in a radiograph.
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else np.moveaxis(pixels, -1, 0)


def save_png(path: Path, image: Pixels) -> None:
    """Write uint8 (C, H, W) or (H, W) as a gray or RGB PNG; nobody ever reads half of one."""
    with replacing(path, sync=False) as temporary:
        to_pil(image).save(temporary, format="PNG")


def to_pil(image: Pixels) -> Image.Image:
    """uint8 (C, H, W) or (H, W) → a Pillow image of mode L or RGB."""
    if image.ndim == 3:
        image = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    return Image.fromarray(np.ascontiguousarray(image))


def grid(images: Pixels, columns: int) -> Pixels:
    """Lay uint8 (N, C, H, W) out row by row: uint8 (C, rows · (H + gap) + gap, columns · (W + gap) + gap)."""
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = -(-n // columns)
    sheet = np.zeros((channels, rows * (height + GAP) + GAP, columns * (width + GAP) + GAP), np.uint8)
    for k, image in enumerate(images):
        top, left = (k // columns) * (height + GAP) + GAP, (k % columns) * (width + GAP) + GAP
        sheet[:, top : top + height, left : left + width] = image
    return sheet


def is_image(path: Path) -> bool:
    """By its extension; DICOM files often have none (or a part of a number), but say `DICM` after a preamble."""
    if path.suffix.lower() in EXTENSIONS | DEEP_EXTENSIONS:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder, by name; hidden files and the Mac's `__MACOSX` copies are no images."""
    return sorted(
        path
        for path in folder.rglob("*")
        if not any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
        and path.is_file()
        and is_image(path)
    )


def read_files(files: list[Path]) -> Pixels:
    """Equal-sized images: uint8 (N, C, H, W), RGB where the first file is RGB.

    Raises:
        XrganError: a file is no image, or the sizes differ.
    """
    arrays: list[Pixels] = []
    channels = 0
    for file in files:
        try:
            with _reasons(file):
                image = _open(file, None)
                channels = channels or (3 if image.mode in {"RGB", "RGBA", "P", "CMYK", "YCbCr"} else 1)
                arrays.append(_to_array(image, channels))
        except ValueError as error:
            raise XrganError(f"{file} can't be read: {error}.") from error
    for file, array in zip(files, arrays, strict=True):
        if array.shape != arrays[0].shape:
            _, height, width = array.shape
            _, first_height, first_width = arrays[0].shape
            raise XrganError(
                f"{file} is {width}×{height}, {files[0].name} is {first_width}×{first_height}.",
                "`xrgan prepare` brings a folder to one size.",
            )
    return np.stack(arrays)
