"""Pictures that can't be X-rays: blank ones, narrow strips, and masks that nobody told from images."""

from pathlib import Path

import numpy as np

from xrgan.data.images import Pixels
from xrgan.data.reading.pictures import Picture, read_picture
from xrgan.option_syntax import MINMAX

LEAST_CONTRAST = 4  # gray values between the darkest and the brightest pixel, all but the few that stand out
FEW = 0.005  # share of the pixels, at each end
EXTREME = 0.06  # share of the range at each end; in a mask, also one saved as JPEG, nearly all pixels lie there
LABELS = 8  # gray values that a map of labels may have
TWO_VALUED, SUSPICIOUS = 0.98, 0.8  # shares of the pixels
NARROWEST = 8  # times as long as wide: no film is, and a square of it would be black but for a line
ASKS = "--mask-pattern says whose, --keep-blank packs it"
MAY_SHOW_MORE = "--window p1-p99 may show more; "


def refuse_blank(picture: Picture, path: Path) -> None:
    """Raise ValueError for a strip, or a picture of one gray value, or of few as masks and maps of labels have."""
    if max(picture.width, picture.height) > NARROWEST * min(picture.width, picture.height):
        raise ValueError(f"is a strip, more than {NARROWEST} times as long as wide (--keep-blank packs it)")
    gray = picture.image.convert("L")
    pixels, share = np.asarray(gray), np.cumsum(gray.histogram()) / (gray.width * gray.height)
    low, high = (int(np.searchsorted(share, end)) for end in (FEW, 1 - FEW))
    if high - low <= LEAST_CONTRAST:
        what = "black" if high <= LEAST_CONTRAST else "white" if low >= 255 - LEAST_CONTRAST else "of one gray value"
        few = np.ptp(pixels) > 2 * LEAST_CONTRAST
        if picture.kind == "DICOM":
            window = "its own window may miss its values: --window minmax; "
        else:
            window = MAY_SHOW_MORE if few else ""
        raise ValueError(f"is {what} {'but for a few pixels' if few else 'throughout'} ({window}--keep-blank packs it)")
    # A JPEG that was decoded at reduced size has softer edges: it is looked at once more, whole.
    if max(_extremes(pixels), _commonest(pixels)) >= SUSPICIOUS:
        whole = _whole(path)
        count = "two" if _extremes(whole) >= TWO_VALUED else "few" if _commonest(whole) >= TWO_VALUED else ""
        if count:
            window = MAY_SHOW_MORE if picture.bits else ""  # a marker of 16 bits leaves an image of 12 bits no gray
            raise ValueError(f"has {count} gray values, as a mask has ({window}{ASKS})")


def _extremes(pixels: Pixels) -> float:
    """The share of the pixels that are about as dark or as bright as any."""
    low, high = int(pixels.min()), int(pixels.max())
    near = (high - low) * EXTREME
    return float(np.mean((pixels <= low + near) | (pixels >= high - near)))


def _commonest(pixels: Pixels) -> float:
    """The share of the pixels that have one of the commonest gray values: of a label map, nearly all."""
    return float(np.sort(np.bincount(pixels.ravel(), minlength=256))[-LABELS:].sum() / pixels.size)


def _whole(path: Path) -> Pixels:
    return np.asarray(read_picture(path, 1, MINMAX).image)
