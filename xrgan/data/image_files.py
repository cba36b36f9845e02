"""Image files → one array, all scaled alike: of 8 and of 16 bits, on one side of a comparison and on the other.

Shapes: H, W are pixels; C is 1 (gray) or 3 (RGB).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from xrgan.data.images import Pixels, from_pil, to_pil
from xrgan.data.reading.pictures import Picture, read_picture
from xrgan.errors import XrganError
from xrgan.option_syntax import DICOM

COLOURLESS = 3  # gray values between the channels of a pixel that is gray
DEPTHS = (8, 10, 12, 14, 16)  # bits that detectors have
WIDEST = 16  # bits


@dataclass(frozen=True)
class ImageFiles:
    """Files whose pictures are read, but not yet stacked; those of more than 8 bits as if they had `WIDEST`."""

    files: Sequence[Path]
    pictures: Sequence[Picture]


def open_files(files: Sequence[Path]) -> ImageFiles:
    """Read image files of any kind, mode, depth and size.

    Raises:
        XrganError: a file is no image.
    """
    return ImageFiles(files, [_read(file, WIDEST) for file in files])


def depth_of(sides: Sequence[ImageFiles], brightness: Sequence[float] = ()) -> int:
    """The depth, in bits, of the pictures of more than 8 bits, which no file tells; 0 where there are none.

    Their largest value needs some depth; a picture of 16 bits that is dark throughout needs less than it has. Where
    there are pictures of 8 bits, too, it is the depth at which both are about equally bright.

    Args:
        sides: the files that are to be scaled alike.
        brightness: means of other images that are to be compared with these, 0 (black) to 1 (white).
    """
    deep = [picture for side in sides for picture in side.pictures if picture.bits]
    if not deep:
        return 0
    shallow = [picture for side in sides for picture in side.pictures if not picture.bits]
    known = [float(np.asarray(picture.image).mean()) / 255 for picture in shallow] + list(brightness)
    deepest = max(picture.bits for picture in deep)
    fitting = [depth for depth in DEPTHS if depth >= deepest] or [deepest]
    value, target = float(np.mean([picture.mean for picture in deep])), float(np.mean(known)) if known else 0.0
    if not value or not target:
        return fitting[0]
    return min(fitting, key=lambda depth: abs(math.log(value / (2**depth - 1) / target)))


def pixels_of(opened: ImageFiles, depth: int, channels: int = 1, size: int = 0) -> Pixels:
    """Stack pictures: uint8 (N, C, H, W), RGB where any shows colours; gray that is saved as RGB is gray.

    Args:
        depth: in bits, of the pictures of more than 8 bits.
        channels: at least so many: 3 = RGB whatever they show.
        size: bring them to size × size pixels, with margins where one is oblong; 0 = they are equal.

    Raises:
        XrganError: the sizes differ.
    """
    files, pictures = opened.files, opened.pictures
    if depth not in {0, WIDEST}:
        pictures = [_read(file, depth) if one.bits else one for file, one in zip(files, pictures, strict=True)]
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
        return read_picture(file, 3, DICOM, bits=bits)
    except ValueError as error:
        raise XrganError(f"{file} can't be read: {error}.") from error


def _resized(image: Image.Image, size: int) -> Image.Image:
    return ImageOps.pad(image, (size, size), Image.Resampling.LANCZOS) if size else image


def _gray_if_gray(pixels: Pixels) -> Pixels:
    """(3, H, W) → (1, H, W) where no pixel has a colour that one would see."""
    spread = pixels.max(axis=0).astype(np.int16) - pixels.min(axis=0)
    return pixels[:1] if spread.max(initial=0) <= COLOURLESS else pixels
