"""How far apart are the perceptual hashes of different X-rays, and of one X-ray under another compression or exposure?

    python tests/benchmarks/duplicate_distances.py DATASET [--copies 300]

DATASET is a prepared one, such as data/prepared/kermany_64. Prints the smallest distances between different pictures
(equal pixels aside), with the highest correlation of their pixels, and for each change of a picture the distances from
its original: what NEAR_BITS and LEAST_CORRELATION in xrgan/data/preparing/duplicates.py have to separate.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from xrgan.data.packed import open_packed
from xrgan.data.preparing.duplicates import BITS, BLOCK, LEAST_CORRELATION, NEAR_BITS, perceptual_hash

LOOKED_AT = 44  # bits


def jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file)


def noisy(picture: Image.Image) -> Image.Image:
    pixels = np.asarray(picture) + np.random.default_rng(0).normal(0, 5, (picture.height, picture.width))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


CHANGES = {
    "JPEG, quality 90": lambda picture: jpeg(picture, 90),
    "JPEG, quality 30": lambda picture: jpeg(picture, 30),
    "brightness × 1.2": lambda picture: ImageEnhance.Brightness(picture).enhance(1.2),
    "brightness × 0.8": lambda picture: ImageEnhance.Brightness(picture).enhance(0.8),
    "contrast × 1.3": lambda picture: ImageEnhance.Contrast(picture).enhance(1.3),
    "gamma 0.8": lambda picture: picture.point([round(255 * (value / 255) ** 0.8) for value in range(256)]),
    "half the size": lambda picture: picture.resize((picture.width // 2, picture.height // 2)).resize(picture.size),
    "noise of 5 gray levels": noisy,
    "cut by 1 %": lambda picture: picture.crop((1, 1, picture.width - 1, picture.height - 1)).resize(picture.size),
}


def signs(hashes: list[str]) -> NDArray[np.float32]:
    packed = np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(len(hashes), -1)
    return np.unpackbits(packed, axis=1).astype(np.float32) * 2 - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--copies", type=int, default=300)
    options = parser.parse_args()
    dataset = open_packed(options.dataset)
    _, distinct = np.unique(dataset.xrays(np.arange(len(dataset.images))), axis=0, return_index=True)
    xrays = dataset.xrays(np.sort(distinct))
    hashes = signs([perceptual_hash(xray) for xray in xrays])
    histogram, highest = between(hashes, xrays)
    smallest = [f"{bits} bits: {histogram[bits]}" for bits in np.flatnonzero(histogram)[:5]]
    print(f"{len(xrays):,} different pictures at {dataset.size}², {histogram.sum():,} pairs; {', '.join(smallest)}")
    print(f"of those within {LOOKED_AT} bits, the highest correlation is {highest:.4f}")
    chosen = np.random.default_rng(0).permutation(len(xrays))[: options.copies]
    for name, change in CHANGES.items():
        changed = [np.asarray(change(Image.fromarray(xrays[index, 0])))[None] for index in chosen]
        distances = (signs([perceptual_hash(xray) for xray in changed]) != hashes[chosen]).sum(axis=1)
        correlations = np.array([correlation(xrays[index], copy) for index, copy in zip(chosen, changed, strict=True)])
        found = ((distances <= NEAR_BITS) & (correlations >= LEAST_CORRELATION)).mean()
        print(
            f"{name:24s} bits: median {np.median(distances):2.0f}, largest {distances.max():2d}; "
            f"correlation: least {correlations.min():.4f}; found {found:.1%}"
        )


def between(hashes: NDArray[np.float32], xrays: NDArray[np.uint8]) -> tuple[NDArray[np.int64], float]:
    """How many pairs are so many bits apart, and the highest correlation of those within LOOKED_AT bits."""
    histogram, highest = np.zeros(BITS + 1, np.int64), 0.0
    for start in range(0, len(hashes), BLOCK):
        distances = ((BITS - hashes[start : start + BLOCK] @ hashes.T) / 2).astype(int)
        after = np.arange(len(hashes)) > np.arange(start, start + len(distances))[:, None]
        histogram += np.bincount(distances[after], minlength=BITS + 1)
        for row, column in zip(*np.nonzero(after & (distances <= LOOKED_AT)), strict=True):
            highest = max(highest, correlation(xrays[start + row], xrays[column]))
    return histogram, highest


def correlation(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


if __name__ == "__main__":
    main()
