"""How much of the real images' variety, direction by direction, is there in what a generator draws?

    python tests/benchmarks/variance_kept.py DATASET RUN … [--n 1000]

Along the principal components of the training images (at 64 pixels, each class about its own mean), the variance of
drawn images over that of training images, by bands of components: 1 = as varied, 0 = all alike. The first few are
light, size and place of the body, the later ones its shape and detail. Held-out real images show what is chance.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xrgan.data.packed import PackedDataset, open_packed
from xrgan.gan.batches import read_averaged
from xrgan.gan.sampler import BLOCK, load_sampler, sample_block
from xrgan.rundir import RunDir

SIZE = 64
BANDS = (0, 8, 64, 256)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--n", type=int, default=1000)
    options = parser.parse_args()
    dataset = open_packed(options.dataset)
    training = about_class_means(*of_splits(dataset, options.n * 5, "train"))
    components = np.linalg.svd(training, full_matrices=False)[2][: BANDS[-1]]
    real = (training @ components.T).var(axis=0)
    print(f"| | {' | '.join(f'{a + 1}–{b}' for a, b in pairwise(BANDS))} |\n|---|{'---|' * 3}")
    show("held-out real images", about_class_means(*of_splits(dataset, options.n, "val", "test")), components, real)
    for run in options.runs:
        show(run.name, about_class_means(*drawn(RunDir(run), options.n)), components, real)


def show(name: str, images: NDArray[np.float32], components: NDArray[np.float32], real: NDArray[np.float32]) -> None:
    """Print a row: the variance of images along the components over that of the training images, band by band."""
    ratio = (images @ components.T).var(axis=0) / real
    print(f"| {name} | {' | '.join(f'{ratio[a:b].mean():.2f}' for a, b in pairwise(BANDS))} |")


def of_splits(dataset: PackedDataset, n: int, *splits: str) -> tuple[torch.Tensor, NDArray[np.int64]]:
    chosen = dataset.some_of(splits, n, 0)
    return averaged(dataset.xrays(chosen)), dataset.labels[chosen]


def drawn(run: RunDir, n: int) -> tuple[torch.Tensor, NDArray[np.int64]]:
    """The first n images of seed 1."""
    sampler = load_sampler(run, "cpu")
    blocks = [sample_block(sampler, 1, k) for k in range(-(-n // BLOCK))]
    images = np.concatenate([images for images, _ in blocks])[:n, : sampler.spec.channels]
    return averaged(images), np.concatenate([labels for _, labels in blocks])[:n]


def averaged(images: NDArray[np.uint8]) -> torch.Tensor:
    return read_averaged(images, images.shape[1], np.arange(len(images)), SIZE)


def about_class_means(images: torch.Tensor, labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """What sets each image apart from the mean of its class in this set: (N, pixels)."""
    rest = images.flatten(1).numpy()
    for label in np.unique(labels):
        rest[labels == label] -= rest[labels == label].mean(axis=0)
    return rest


if __name__ == "__main__":
    main()
