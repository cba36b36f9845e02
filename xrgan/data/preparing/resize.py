"""A picture and its masks → one square array: fitted, evened out, organ by organ."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from xrgan.data.images import Pixels, from_pil
from xrgan.data.preparing.blank import refuse_blank
from xrgan.data.reading import masks
from xrgan.data.reading.marked import REFUSED, SYNTHETIC, mark_in
from xrgan.data.reading.pictures import Picture, read_picture
from xrgan.option_syntax import parse_mask_values

# A JPEG is decoded at a half, a quarter or an eighth, but not below this many times the size that is wanted: there the
# result would visibly differ (by 1.3 gray levels on average against 0.8, on full-size radiographs brought to 64²).
SMALLEST_DRAFT = 1.5


@dataclass(frozen=True)
class ImageFormat:
    """What every image becomes: uint8 (channels + structures, size, size). The fields are those of PrepareConfig."""

    size: int
    fit: str
    channels: int
    window: str
    clahe: bool
    structures: tuple[str, ...] = ()  # the masks' channels, 0 or 255, behind the image's own
    mask_values: str = ""  # of masks that show several structures
    box_frame: int = 0  # pixels a side of the pictures that boxes were drawn in; 0 = of the images
    keep_blank: bool = True  # whether an image of one or two gray values is an image
    allow_synthetic: bool = True  # whether one that says it is synthetic is taken


def read_resized(path: Path, image_format: ImageFormat) -> tuple[Pixels, Picture]:
    """Read one image file and bring it to size × size, without masks.

    Returns:
        uint8 (channels, size, size), and the picture as it was; SYNTHETIC ends its kind where the file says so.

    Raises:
        ValueError: as `read_picture`; or the image is blank, or synthetic, and such ones are not taken.
    """
    is_marked = mark_in(path) is not None
    if is_marked and not image_format.allow_synthetic:
        raise ValueError(REFUSED)
    at_least = round(SMALLEST_DRAFT * image_format.size)
    picture = read_picture(path, image_format.channels, image_format.window, at_least)
    if not image_format.keep_blank:
        refuse_blank(picture, path)
    image = _fitted(picture.image, image_format, picture.width, picture.height, Image.Resampling.LANCZOS)
    if image_format.clahe:
        image = _equalised(image)
    if image.size != (image_format.size, image_format.size):
        image = ImageOps.pad(image, (image_format.size, image_format.size))
    return from_pil(image), picture._replace(kind=picture.kind + SYNTHETIC) if is_marked else picture


def read_masks(
    files: Sequence[Path], boxes: str, image_format: ImageFormat, width: int, height: int, root: Path | None = None
) -> Pixels:
    """The masks of an image of width × height pixels, fitted as the image is: uint8 (structures, size, size), 0 or 255.

    Raises:
        ValueError: there is none, or a file can't be read.
    """
    values = parse_mask_values(image_format.mask_values)
    read = masks.read(files, boxes, image_format.structures, width, height, values, image_format.box_frame, root)
    return np.stack([_fit_mask(mask, image_format, width, height) for mask in read])


def _fit_mask(mask: Image.Image, image_format: ImageFormat, width: int, height: int) -> Pixels:
    # A mask may be smaller than its image, and rarely of another aspect: then it was squashed, and is set right here.
    if abs(mask.width * height - mask.height * width) > max(width, height):
        mask = mask.resize((width, height), Image.Resampling.NEAREST)
    fitted = _fitted(mask, image_format, width, height, Image.Resampling.BOX)
    whole = ImageOps.pad(fitted, (image_format.size, image_format.size), Image.Resampling.BOX)
    return np.where(np.asarray(whole) > 127, 255, 0).astype(np.uint8)


def _fitted(
    image: Image.Image, image_format: ImageFormat, width: int, height: int, resampling: Image.Resampling
) -> Image.Image:
    """Resized to the square, or, where it is to be padded, into it: by the aspect of the whole picture, because one
    that was decoded at reduced size is rounded."""
    size = image_format.size
    if image_format.fit == "crop":
        return ImageOps.fit(image, (size, size), resampling)
    longer = max(width, height) if image_format.fit == "pad" else 0
    inside = (max(1, round(width * size / longer)), max(1, round(height * size / longer))) if longer else (size, size)
    return image.resize(inside, resampling)


def _equalised(image: Image.Image) -> Image.Image:
    """CLAHE at the library's own clip limit, before the black margins are there: they would darken their neighbours."""
    from skimage import exposure  # takes a second to import

    even = exposure.equalize_adapthist(np.asarray(image))
    return Image.fromarray(np.rint(255 * even).astype(np.uint8))
