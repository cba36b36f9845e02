"""Images in memory ↔ files; sheets of many images.

Shapes: H, W are pixels; C is 1 (gray) or 3 (RGB). An image in memory is uint8 (C, H, W).
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.reading.pictures import read_picture
from xrgan.files import replacing
from xrgan.marks import Mark, png_info
from xrgan.option_syntax import DICOM

GAP = 2  # pixels between the images of a grid
Pixels = NDArray[np.uint8]


def read_gray(path: Path) -> Pixels:
    """Read one image file of any kind, mode and depth as uint8 (H, W).

    Raises:
        ValueError: as `read_picture`.
    """
    return np.asarray(read_picture(path, channels=1, window=DICOM).image)


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


def shape_in_words(images: Pixels) -> str:
    """Say the shape of uint8 (N, C, H, W), as in "64×64 gray"."""
    _, channels, height, width = images.shape
    return f"{width}×{height} {'gray' if channels == 1 else 'RGB' if channels == 3 else f'with {channels} channels'}"
