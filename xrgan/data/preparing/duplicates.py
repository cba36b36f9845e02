"""One picture under several names: equal pixels, and what a new compression, exposure or scale left nearly equal."""

from collections.abc import Callable

import imagehash
import numpy as np
from numpy.typing import NDArray

from xrgan.data.groups import group_by_links
from xrgan.data.images import Pixels, to_pil

SIDE = 16  # signs of 16 × 16 frequencies of the cosine transform are kept
BITS = SIDE * SIDE  # of a perceptual hash
# tests/benchmarks/duplicate_distances.py shows both against real X-rays: changed copies come within these bits and
# above this correlation. Of many thousands of pictures some come within the bits by chance: then their pixels decide.
NEAR_BITS = 28
LEAST_CORRELATION = 0.98  # of the pixels of the packed images
BLOCK = 1024  # hashes compared at a time


def perceptual_hash(xray: Pixels) -> str:
    """The pHash (Zauner 2010) of uint8 (C, H, W), C = 1 or 3: 64 hexadecimal digits, near where pictures look alike."""
    return np.packbits(imagehash.phash(to_pil(xray), hash_size=SIDE).hash).tobytes().hex()


def find_groups(
    exact: NDArray[np.object_], perceptual: NDArray[np.object_], read: Callable[[int], NDArray[np.uint8]]
) -> NDArray[np.int64]:
    """Gather what shows one picture: equal content; or perceptual hashes near one another, and pixels that agree.

    Args:
        exact: content hashes (N,).
        perceptual: `perceptual_hash` of each image (N,).
        read: gives an image (C, H, W) by its number; only those are read whose hashes are near another's.

    Returns:
        The index of each image's first copy (N,): its own where there is none before it.
    """
    _, content = np.unique(exact, return_inverse=True)
    first = np.full(content.max() + 1, len(exact))
    np.minimum.at(first, content, np.arange(len(exact)))
    distinct = np.sort(first)
    left, right = _near_pairs(_packed(perceptual[distinct]))
    agree = np.array([_agree(read(distinct[i]), read(distinct[j])) for i, j in zip(left, right, strict=True)], bool)
    left, right = left[agree], right[agree]
    group = group_by_links(left, right, len(distinct))
    leader = np.full(group.max() + 1, len(exact))
    np.minimum.at(leader, group, distinct)
    of_distinct = dict(zip(distinct, leader[group], strict=True))
    return np.array([of_distinct[index] for index in first[content]], np.int64)


def _packed(hashes: NDArray[np.object_]) -> NDArray[np.uint8]:
    """Hexadecimal hashes as bits, eight a byte: (N, BITS / 8)."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashes), -1)


def _near_pairs(packed: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pairs within NEAR_BITS, by blocks, so that memory doesn't grow with the square of N."""
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, len(packed), BLOCK):
        here = _signs(packed[start : start + BLOCK])
        for other in range(start, len(packed), BLOCK):  # each pair is seen once
            products = here @ _signs(packed[other : other + BLOCK]).T
            rows, columns = np.nonzero(products >= BITS - 2 * NEAR_BITS)
            ordered = rows + start < columns + other
            left.append(rows[ordered] + start)
            right.append(columns[ordered] + other)
    return np.concatenate(left), np.concatenate(right)


def _signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """±1 (n, BITS), so that a product of two is BITS − 2 × their Hamming distance."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


def _agree(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether two images, whatever their exposure, show the same: the correlation of their pixels."""
    a, b = (image.astype(np.float64).ravel() - image.mean() for image in (one, other))
    return bool(a @ b >= LEAST_CORRELATION * np.sqrt((a @ a) * (b @ b)))
