"""The perceptual hash of an X-ray."""

import imagehash
import numpy as np

from xrgan.data.images import Pixels, to_pil

SIDE = 16  # signs of 16 × 16 frequencies of the cosine transform are kept
BITS = SIDE * SIDE


def perceptual_hash(xray: Pixels) -> str:
    """The pHash (Zauner 2010) of uint8 (C, H, W), C = 1 or 3: 64 hexadecimal digits, near where pictures look alike."""
    return np.packbits(imagehash.phash(to_pil(xray), hash_size=SIDE).hash).tobytes().hex()
