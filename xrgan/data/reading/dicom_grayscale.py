"""From the stored values of a DICOM image to gray: the grayscale pipeline of PS3.3 C.11 and C.7.6.3.

    stored values → modality LUT or rescale → VOI LUT or window → 8 bits, padding black

Shapes: an array is (H, W), or (V,) where each value of an image is treated once. This module reads no file.
"""

from collections.abc import Sequence
from types import EllipsisType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xrgan.data.reading.bit_depth import to_8_bits

if TYPE_CHECKING:
    from pydicom import Dataset

Values = NDArray[Any]


class TagError(ValueError):
    """A reason that names a tag, and nothing of what it holds."""


def to_gray(stored: Values, dataset: "Dataset", bits: int, window: str) -> NDArray[np.uint8]:
    """The 8-bit image that a file shows.

    Args:
        stored: (H, W), the stored values, colours already gray.
        dataset: the header.
        bits: how many bits of a stored value are used.
        window: dicom, minmax or pA-pB, as in `dicom.read_dicom`.

    Returns:
        (H, W), larger is brighter.

    Raises:
        ValueError: a value is NaN or infinite. Of a broken table, pydicom's and numpy's own errors come through.
    """
    valid = _valid(stored, dataset, bits)
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    if window == "dicom":
        levels, where = _levels(stored)
        share = _presented(levels, dataset, bits)
        if share is not None:
            gray: NDArray[np.uint8] = np.rint(255 * (1 - share if inverted else share)).astype(np.uint8)[where]
            gray[~valid] = 0
            return gray
    values = _modality(stored, dataset)
    if inverted:
        values = ~values if values.dtype.kind in "iu" else -values  # both turn the order round within the type
    return to_8_bits(values, window, valid)


def _is_gray(dataset: "Dataset") -> bool:
    return dataset.PhotometricInterpretation in {"MONOCHROME1", "MONOCHROME2"}


def _levels(stored: Values) -> tuple[Values, Values | EllipsisType]:
    """Levels and an index, with stored = levels[index]: a film of 5 million pixels has few thousand levels."""
    if stored.dtype.kind in "iu":
        low, high = int(stored.min()), int(stored.max())
        if high - low < 2**16:
            return np.arange(low, high + 1), np.subtract(stored, low, dtype=np.int64)
    return stored, ...


def _valid(stored: Values, dataset: "Dataset", bits: int) -> NDArray[np.bool_]:
    """False where a pixel is padding, C.7.5.1.1.2; it is told by its stored value.

    A header may give a negative padding value as unsigned, or with more bits than a pixel has: both are wrapped.
    """
    padding = dataset.get("PixelPaddingValue")
    if padding is None or stored.dtype.kind not in "iu" or not _is_gray(dataset):
        return np.ones(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted(
        (int(value) + half) % 2**bits - half
        for half in [2 ** (bits - 1) if dataset.PixelRepresentation else 0]
        for value in (padding, padding if limit is None else limit)
    )
    valid: NDArray[np.bool_] = (stored < low) | (stored > high)
    return valid


def _modality(values: Values, dataset: "Dataset") -> Values:
    """Stored values → the modality's own, C.11.1: by a table, by slope and intercept, or as they are."""
    if not _is_gray(dataset):
        return values
    if dataset.get("ModalityLUTSequence"):
        return _look_up(values, dataset.ModalityLUTSequence[0], dataset)
    slope, intercept = _rescale(dataset)
    return values if (slope, intercept) == (1, 0) else values * slope + intercept


def _rescale(dataset: "Dataset") -> tuple[float, float]:
    """Slope and intercept; an empty one changes nothing, and neither does a slope of 0, which would leave no image."""
    return _number(dataset, "RescaleSlope") or 1, _number(dataset, "RescaleIntercept") or 0


def _number(dataset: "Dataset", keyword: str) -> float | None:
    """The first value of a tag that holds numbers, also where a comma stands for the point; None = it is empty.

    Raises:
        TagError: it is no number.
    """
    try:
        value = dataset.get(keyword)
    except ValueError:  # pydicom converts it when it is asked for
        value = bytes(dataset.get_item(keyword).value).decode("ascii", "replace")
    first = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and len(value) else value
    text = str("" if first is None else first).split("\\")[0].strip().replace(",", ".")
    try:
        return float(text) if text and text != "[]" else None
    except ValueError:
        raise TagError(f"has a {keyword} that is no number") from None


def _presented(levels: Values, dataset: "Dataset", bits: int) -> Values | None:
    """What the file itself makes of its stored values, 0–1 (C.11.2); None where it leaves that to the viewer."""
    values, share = _modality(levels, dataset), None
    if _is_gray(dataset):
        share = _through_table(values, dataset)
        if share is None:
            share = _through_window(values, dataset)
    if share is None:
        signed = _is_gray(dataset) and dataset.PixelRepresentation
        untouched = not _is_gray(dataset) or (not dataset.get("ModalityLUTSequence") and _rescale(dataset) == (1, 0))
        if bits > 8 or signed or not untouched:
            return None
        share = np.clip(values / (2**bits - 1), 0, 1)
    if not np.isfinite(share).all():
        raise ValueError("a NaN in the header")
    return share


def _through_table(values: Values, dataset: "Dataset") -> Values | None:
    """The first VOI LUT, C.11.2.1.1. Its white is the largest number of as many bits as its entries take.

    Mostly the descriptor says so too, but some tables of 12 bits are said to have 16: all would be black.
    """
    for item in dataset.get("VOILUTSequence") or []:
        if item.get("LUTDescriptor") is not None and item.get("LUTData") is not None:
            white = 2 ** max(int(_entries(item, dataset).max()).bit_length(), 1) - 1
            share: Values = _look_up(values, item, dataset) / white
            return share
    return None


def _through_window(values: Values, dataset: "Dataset") -> Values | None:
    """The first window, by pydicom: LINEAR, LINEAR_EXACT or SIGMOID (C.11.2.1.2 and C.11.2.1.3).

    A header of one stored bit and no rescale makes the output range 0–1. None where there is no window, or one that
    the standard forbids (a width of 0).
    """
    from pydicom import Dataset
    from pydicom.pixels.processing import apply_windowing

    centre, width = _number(dataset, "WindowCenter"), _number(dataset, "WindowWidth")
    if centre is None or width is None:
        return None
    window = Dataset()
    window.PhotometricInterpretation, window.BitsStored, window.PixelRepresentation = "MONOCHROME2", 1, 0
    window.WindowCenter, window.WindowWidth = centre, width
    window.VOILUTFunction = dataset.get("VOILUTFunction") or "LINEAR"
    try:
        return apply_windowing(values, window)
    except ValueError:
        return None


def _look_up(values: Values, item: "Dataset", dataset: "Dataset") -> Values:
    """Values through the table of a LUT item; what lies beyond its ends takes the first or the last entry.

    pydicom's own functions index a table of 8-bit entries with 8-bit numbers, and know no entries packed as bytes.
    """
    first = int(item.LUTDescriptor[1])
    if first >= 2**15 and (dataset.get("PixelRepresentation") or _rescale(dataset)[1] < 0):
        first -= 2**16  # a negative number that the header gives as unsigned
    entries = _entries(item, dataset)
    index = np.clip(np.rint(values) - first, 0, len(entries) - 1).astype(np.int64)
    mapped: Values = entries[index]
    return mapped


def _entries(item: "Dataset", dataset: "Dataset") -> Values:
    """The entries of a LUT item, int64 (N,)."""
    count = int(item.LUTDescriptor[0]) % 2**16 or 2**16
    data = item.LUTData
    if isinstance(data, bytes):  # words in the file's byte order, or single bytes
        word = "u1" if len(data) < 2 * count else "<u2" if dataset.original_encoding[1] else ">u2"
        return np.frombuffer(data, word, count).astype(np.int64)
    return np.atleast_1d(np.asarray(data, np.int64))[:count] % 2**16
