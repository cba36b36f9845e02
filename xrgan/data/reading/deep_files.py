"""PNG and TIFF files that Pillow would cut to 8 bits, scramble or not open: 16-bit colour, alpha, white at 0, signed.

Shapes: H, W are pixels; C is 1 (gray) or 3 (RGB).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

Values = NDArray[Any]
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Values of TIFF's PhotometricInterpretation, SampleFormat, PlanarConfiguration and ExtraSamples.
WHITE_IS_ZERO, RGB, CMYK, SIGNED, SEPARATE, NO_ALPHA = 0, 2, 5, 2, 2, 0
REDUCED = 1  # bit of NewSubfileType: a page that is a smaller copy of another
# Pillow's names of 16-bit pixels that it opens as 8 bits: the high byte of each. Read in the other order of bytes, the
# same file gives the low bytes.
OTHER_ORDER = {"RGB;16B": "RGB;16L", "RGB;16L": "RGB;16B", "RGBA;16B": "RGBA;16L", "RGBA;16L": "RGBA;16B"}
GRAY_AND_ALPHA = "LA;16B"


def read_deep(path: Path, file: Image.Image) -> Values | None:
    """The values of a file that Pillow's own way would spoil: (H, W) or (H, W, 3); None where it doesn't.

    Args:
        file: opened by Pillow, its pixels not yet loaded.

    Raises:
        ValueError: it can't be read so either.
    """
    if isinstance(file, TiffImageFile):
        tags = file.tag_v2
        deep, signed = max(tags.get(258, (1,))) > 8, SIGNED in tags.get(339, ())
        spoiled = len(file.getbands()) > 1 or tags.get(262) == WHITE_IS_ZERO if deep else signed
        return read_tiff(path) if spoiled else None
    rawmode = str(file.tile[0].args) if isinstance(file, PngImageFile) and file.tile else ""
    if rawmode not in {*OTHER_ORDER, GRAY_AND_ALPHA}:
        return None
    return _plain(_read_png(path, rawmode))


def read_tiff(path: Path) -> Values:
    """The first page of a TIFF of any depth and sign, larger is brighter: (H, W) or (H, W, 3).

    Raises:
        ValueError: it has several pages, or is packed in a way that needs a package which isn't here.
    """
    import tifffile  # a third of a second, for few files

    with tifffile.TiffFile(path) as file:
        pages = [page for page in file.pages if not int(getattr(page, "subfiletype", 0)) & REDUCED]
        refuse_several(len(pages), "pages")
        page = pages[0].aspage()
        if page.imagewidth * page.imagelength * page.imagedepth > (Image.MAX_IMAGE_PIXELS or np.inf):
            raise ValueError("declares too many pixels")
        try:
            values = _signed_or_not(np.asarray(page.asarray()))
        except (ValueError, KeyError) as error:
            if page.photometric != RGB or page.samplesperpixel != 3 or page.planarconfig == SEPARATE:
                raise ValueError(_unreadable(page.compression)) from error
            values = _both_bytes(path, "RGB", "RGB;16N", "RGB;16B")
        if page.photometric == WHITE_IS_ZERO:
            values = ~values if values.dtype.kind in "iu" else -values
        if page.planarconfig == SEPARATE and values.ndim == 3:
            values = np.moveaxis(values, 0, -1)
        if page.photometric == CMYK and values.ndim == 3:
            values = _from_cmyk(values)
        if values.ndim == 3 and page.extrasamples and page.extrasamples[0] == NO_ALPHA:
            values = values[..., : -len(page.extrasamples)]
        return _turned(_plain(values), int(page.tags[274].value) if 274 in page.tags else 1)


def _unreadable(compression: object) -> str:
    packing = getattr(compression, "name", str(compression))
    return "no image" if packing == "NONE" else f"is packed by {packing}, which needs the package imagecodecs"


def _signed_or_not(values: Values) -> Values:
    """Values that a file calls signed, as what they are: read wrongly, a picture jumps at the middle gray."""
    if values.dtype.kind != "i" or values.size == 0:
        return values
    other = values.view(f"u{values.dtype.itemsize}")
    return other if _roughness(other) < _roughness(values) else values


def _roughness(values: Values) -> float:
    return float(np.abs(np.diff(values.astype(np.float64), axis=-1)).sum())


def _from_cmyk(values: Values) -> Values:
    """Inks (H, W, 4) → colours (H, W, 3)."""
    top = np.iinfo(values.dtype).max
    light = (top - values.astype(np.float64)) / top
    return np.rint(top * light[..., :3] * light[..., 3:4]).astype(values.dtype)


def is_tiff(path: Path) -> bool:
    """By its first bytes."""
    with path.open("rb") as file:
        return file.read(4) in TIFF_STARTS


def refuse_several(count: int, what: str) -> None:
    """Raise ValueError for a file of several pictures: which one is meant, nobody says."""
    if count > 1:
        raise ValueError(f"has {count} {what}")


def _read_png(path: Path, rawmode: str) -> Values:
    """A 16-bit PNG with several channels, (H, W, 2 to 4)."""
    if rawmode == GRAY_AND_ALPHA:  # its four bytes of a pixel as four channels
        pairs = _as(path, "RGBA", "RGBA").astype(np.uint16)
        return np.stack([pairs[..., k] << 8 | pairs[..., k + 1] for k in (0, 2)], axis=-1)
    return _both_bytes(path, rawmode.partition(";")[0], rawmode, OTHER_ORDER[rawmode])


def _both_bytes(path: Path, mode: str, high: str, low: str) -> NDArray[np.uint16]:
    """16-bit colours, of which Pillow gives one byte at a time."""
    return (_as(path, mode, high).astype(np.uint16) << 8 | _as(path, mode, low)).astype(np.uint16)


def _as(path: Path, mode: str, rawmode: str) -> NDArray[np.uint8]:
    with path.open("rb") as opened, Image.open(opened) as file:
        file._mode = mode
        file.tile = [
            tile._replace(args=(rawmode, *tile.args[1:]) if isinstance(tile.args, tuple) else rawmode)
            for tile in file.tile
        ]
        return np.asarray(file)


def _plain(values: Values) -> Values:
    """Without alpha: what is transparent is black, as in a radiograph."""
    if values.ndim == 2:
        return values
    if values.shape[2] in {2, 4}:
        top = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1.0
        colour, alpha = values[..., :-1], values[..., -1:] / top
        values = np.rint(colour * alpha).astype(values.dtype) if values.dtype.kind in "iu" else colour * alpha
    return values[..., 0] if values.shape[2] == 1 else values[..., :3]


def _turned(values: Values, orientation: int) -> Values:
    """As TIFF's Orientation says that the picture is to be seen."""
    if orientation in {5, 6, 7, 8}:
        values = np.swapaxes(values, 0, 1)
    if orientation in {2, 3, 6, 7}:
        values = values[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        values = values[::-1]
    return np.ascontiguousarray(values)
