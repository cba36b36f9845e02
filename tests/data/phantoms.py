"""One phantom picture that every format of gray must bring back."""

import numpy as np
from numpy.typing import NDArray

from xrgan.data import phantom


def _picture() -> NDArray[np.uint8]:
    drawn = phantom.draw(patient=1, study=1, label="NORMAL", size=64).image[:, :60].astype(float)
    return np.rint((drawn - drawn.min()) / np.ptp(drawn) * 255).astype(np.uint8)


PICTURE = _picture()  # (64, 60), 0–255, and both of them occur: its whole range is the whole range


def deep(bits: int) -> NDArray[np.int64]:
    """The picture with its white at 2 ** bits − 1, and something in every bit."""
    return np.rint(PICTURE * ((2**bits - 1) / 255)).astype(np.int64)
