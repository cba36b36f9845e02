"""One picture under several names: equal pixels, and what a new compression, exposure or scale left nearly equal."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from xrgan.data.preparing.fingerprint import BITS

# Of 5,856 X-rays of children at 64², no two that show different pictures were nearer than 24 bits, while JPEG at
# quality 30, brightness × 1.2, gamma 0.8, contrast × 1.3, noise of 5 gray levels and half the size stay within 20.
NEAR_BITS = 20
BLOCK = 1024  # hashes compared at a time


def find_groups(exact: NDArray[np.object_], perceptual: NDArray[np.object_]) -> NDArray[np.int64]:
    """Gather what shows one picture: equal content, or perceptual hashes at most NEAR_BITS apart.

    Args:
        exact: content hashes (N,).
        perceptual: `perceptual_hash` of each image (N,).

    Returns:
        The index of each image's first copy (N,): its own where there is none before it.
    """
    _, content = np.unique(exact, return_inverse=True)
    first = np.full(content.max() + 1, len(exact))
    np.minimum.at(first, content, np.arange(len(exact)))
    distinct = np.sort(first)
    left, right = _near_pairs(_packed(perceptual[distinct]))
    links = coo_array((np.ones(len(left)), (left, right)), shape=(len(distinct), len(distinct)))
    _, group = connected_components(links, directed=False)
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
            left.append(rows + start)
            right.append(columns + other)
    return np.concatenate(left), np.concatenate(right)


def _signs(packed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """±1 (n, BITS), so that a product of two is BITS − 2 × their Hamming distance."""
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1
