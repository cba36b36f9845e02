"""More than 8 bits → 8, by the whole range or by percentiles, never by the low byte.

Shapes: H, W are pixels. This module knows no DICOM: the processes that read JPEGs import it too.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.option_syntax import parse_window

LUMA = np.array([19595, 38470, 7471])  # red, green, blue in 65536ths (ITU-R BT.601): the weights of Pillow's "L"
_TOO_LARGE = 1e300  # beyond it, the difference of two gray values would overflow


def luminance(values: NDArray[Any]) -> NDArray[Any]:
    """Colours (H, W, 3) → gray (H, W), gray as it is; where the channels are equal, their value."""
    if values.ndim == 2:
        return values
    if values.dtype.kind == "f":
        return np.asarray(values @ (LUMA / LUMA.sum()))
    return np.asarray((values.astype(np.int64) @ LUMA + 2**15) >> 16)


def to_8_bits(values: NDArray[Any], window: str, valid: NDArray[np.bool_] | None = None) -> NDArray[np.uint8]:
    """Scale gray values to 0–255; a constant image becomes 0.

    Args:
        values: (H, W) of any integer or floating type; larger is brighter.
        window: minmax, or dicom for a file without a window of its own: the whole range of the values.
            pA-pB: those percentiles become 0 and 255, and what lies beyond is clipped; where the two are one value
            (an almost empty image), the whole range.
        valid: (H, W), False where a pixel is padding: it becomes 0 and counts in no range; None = all are valid.

    Raises:
        ValueError: a valid pixel is NaN or infinite, or `window` is no window.
    """
    share = values.astype(np.float64)
    counted = values if valid is None else values[valid]
    if counted.size == 0:
        return np.zeros(values.shape, np.uint8)
    if not np.issubdtype(values.dtype, np.integer):
        counted = counted.astype(np.float64)
        if not (np.abs(counted) < _TOO_LARGE).all():
            raise ValueError("holds NaN or infinite values")
    low, high = _range(counted, window)
    if valid is not None:
        share[~valid] = low
    if high == low:
        return np.zeros(values.shape, np.uint8)
    share -= low
    share /= high - low  # and not times the inverse, which is infinite where the range is tiny
    np.clip(share, 0, 1, out=share)
    return np.rint(255 * share).astype(np.uint8)


def cut_to_8_bits(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Scale whole numbers of so many bits to 0–255: a picture of 16 bits is what it is in 8, however dark."""
    share = values.astype(np.float64) / (2**bits - 1)
    return np.asarray(np.rint(255 * np.clip(share, 0, 1)), np.uint8)


def _range(counted: NDArray[Any], window: str) -> tuple[float, float]:
    """The values that become 0 and 255."""
    percentiles = parse_window(window)
    if percentiles != (0, 100):
        low, high = np.percentile(counted, percentiles)
        if high > low:
            return float(low), float(high)
    return float(counted.min()), float(counted.max())
