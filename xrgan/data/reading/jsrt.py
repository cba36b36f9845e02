"""Raw files of the JSRT database: films digitised to 2048 × 2048 pixels of 12 bits, without a header."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IMG_SIZE = 2048  # pixels a side
IMG_WHITE = 4095


def read_img(path: Path) -> NDArray[np.uint16]:
    """Read a raw file of the JSRT database (Shiraishi et al., AJR 174, 2000): no header, big-endian, 12 bits, inverted.

    Returns:
        (2048, 2048), 0–4095, larger is brighter.

    Raises:
        ValueError: the file has another size, or holds more than 12 bits.
    """
    size = path.stat().st_size
    if size != 2 * IMG_SIZE**2:
        raise ValueError(f"has {size} bytes, a raw file of JSRT {2 * IMG_SIZE**2}")
    stored = np.fromfile(path, ">u2").reshape(IMG_SIZE, IMG_SIZE)
    if stored.max() > IMG_WHITE:
        raise ValueError("holds more than 12 bits: no raw file of JSRT")
    return (IMG_WHITE - stored).astype(np.uint16)
