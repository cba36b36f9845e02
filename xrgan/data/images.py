"""Images in memory ↔ files; sheets of many images.

Shapes: H, W are pixels; C is 1 (gray) or 3 (RGB). An image in memory is uint8 (C, H, W).
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from xrgan.data.reading.pictures import Picture, read_picture
from xrgan.errors import XrganError
from xrgan.files import replacing
from xrgan.marks import Mark, png_info
from xrgan.option_syntax import MINMAX

GAP = 2  # pixels between the images of a grid
COLOURLESS = 3  # gray values between the channels of a pixel that is gray
DEPTHS = (8, 10, 12, 14, 16)  # bits that detectors have
Pixels = NDArray[np.uint8]


def read_gray(path: Path) -> Pixels:
    """Read one image file of any kind, mode and depth as uint8 (H, W).

    Raises:
        ValueError: as `read_picture`.
    """
    return np.asarray(read_picture(path, channels=1, window=MINMAX).image)


def save_png(path: Path, image: Pixels, mark: Mark | None = None) -> None:
    """Write uint8 (C, H, W) or (H, W) as a gray or RGB PNG; nobody ever reads half of one.

    Args:
        mark: of a synthetic image: what the file says of itself, beside the pixels.
    """
    with replacing(path, sync=False) as temporary:
        to_pil(image).save(temporary, format="PNG", pnginfo=png_info(mark) if mark else None)


def to_pil(image: Pixels) -> Image.Image:
    """uint8 (C, H, W) or (H, W) → a Pillow image of mode L or RGB."""
    if image.ndim == 3:
        image = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    return Image.fromarray(np.ascontiguousarray(image))


def from_pil(image: Image.Image) -> Pixels:
    """A Pillow image of mode L or RGB → uint8 (C, H, W)."""
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)


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


def read_files(files: Sequence[Path], channels: int = 1, size: int = 0) -> Pixels:
    """Equal-sized images: uint8 (N, C, H, W), RGB where any file shows colours; gray that is saved as RGB is gray.

    All are scaled alike: values of more than 8 bits by as many bits as the largest of all files takes.

    Args:
        channels: at least so many: 3 = RGB whatever they show.
        size: bring them to size × size pixels, with margins where one is oblong; 0 = they are equal.

    Raises:
        XrganError: a file is no image, or the sizes differ.
    """
    pictures = [_read(file, 0) for file in files]
    deepest = max((picture.bits for picture in pictures), default=0)
    if deepest:
        bits = next((depth for depth in DEPTHS if depth >= deepest), deepest)
        pictures = [_read(file, bits) if one.bits else one for file, one in zip(files, pictures, strict=True)]
    arrays = [_gray_if_gray(from_pil(_resized(picture.image, size))) for picture in pictures]
    channels = max([channels, *(len(array) for array in arrays)])
    for file, array in zip(files, arrays, strict=True):
        if array.shape[1:] != arrays[0].shape[1:]:
            (height, width), (first_height, first_width) = array.shape[1:], arrays[0].shape[1:]
            raise XrganError(
                f"{file} is {width}×{height}, {files[0].name} is {first_width}×{first_height}.",
                "`xrgan prepare` brings a folder to one size, and `xrgan evaluate --size N` does so for a comparison.",
            )
    return np.stack([np.broadcast_to(array, (channels, *array.shape[1:])) for array in arrays])


def resize_all(images: Pixels, size: int) -> Pixels:
    """uint8 (N, C, H, W) → (N, C, size, size); 0 = as they are."""
    if not size or images.shape[2:] == (size, size):
        return images
    return np.stack([from_pil(_resized(to_pil(image), size)) for image in images])


def _read(file: Path, bits: int) -> Picture:
    try:
        return read_picture(file, 3, MINMAX, bits=bits)
    except ValueError as error:
        raise XrganError(f"{file} can't be read: {error}.") from error


def _resized(image: Image.Image, size: int) -> Image.Image:
    return ImageOps.pad(image, (size, size), Image.Resampling.LANCZOS) if size else image


def _gray_if_gray(pixels: Pixels) -> Pixels:
    """(3, H, W) → (1, H, W) where no pixel has a colour that one would see."""
    spread = pixels.max(axis=0).astype(np.int16) - pixels.min(axis=0)
    return pixels[:1] if spread.max(initial=0) <= COLOURLESS else pixels


def shape_in_words(images: Pixels) -> str:
    """Say the shape of uint8 (N, C, H, W), as in "64×64 gray"."""
    _, channels, height, width = images.shape
    return f"{width}×{height} {'gray' if channels == 1 else 'RGB' if channels == 3 else f'with {channels} channels'}"
