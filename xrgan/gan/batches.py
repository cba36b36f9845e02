"""Which images a step sees, and every other random number of it.

Everything random in step k is drawn from (seed, k), never from a running generator: that is why a resumed run equals an
uninterrupted one bit for bit.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from xrgan.data.packed import PackedDataset, read_rows
from xrgan.errors import XrganError
from xrgan.gan.plan import TrainingPlan

# Streams of random numbers within a step.
ORDER, LATENTS, AUGMENTED_REAL, AUGMENTED_FAKE, SUBSET = 0, 2, 3, 4, 6  # 1 and 5 were in use once
READ_AT_ONCE = 256  # images


@dataclass(frozen=True)
class Batches:
    """The training images and the order in which every epoch visits them."""

    dataset: PackedDataset
    indices: NDArray[np.int64]
    size: int
    seed: int
    masks: bool

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches only: images left over wait for the next epoch's order (BatchNorm dislikes small batches)."""
        return len(self.indices) // self.size

    @property
    def left_out(self) -> int:
        """Training images that no epoch visits: those without a label, where the generator is conditional."""
        return len(self.dataset.of_split("train")) - len(self.indices)

    def ends_epoch(self, step: int) -> bool:
        """Whether so many steps are whole epochs."""
        return step % self.steps_per_epoch == 0

    def random_subset(self, most: int, size: int) -> tuple[Tensor, Tensor]:
        """Read at most so many random training images, averaged to size × size, and their labels, on the CPU.

        Images (N, C + M, size, size) in [-1, 1], labels (N,).
        """
        chosen = np.sort(generator_at(self.seed, SUBSET, 0).permutation(self.indices)[:most])
        images = read_averaged(self.dataset.images, self.channels, chosen, size)
        return images, torch.from_numpy(self.dataset.labels[chosen])

    def chosen(self, step: int) -> NDArray[np.int64]:
        """The places in `indices` of the real images of a step: (B,)."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return _order(len(self.indices), self.seed, epoch)[place * self.size : (place + 1) * self.size]

    def read(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Read the images at those places of `indices`: uint8 (n, C + M, S, S)."""
        return read_rows(self.dataset.images, self.indices[places], self.channels)

    def labels(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The labels of the images at those places of `indices`: (n,)."""
        return self.dataset.labels[self.indices[places]]

    @property
    def channels(self) -> int:
        """Of an image, C, and of its masks, M, where they are drawn."""
        return self.dataset.channels + (len(self.dataset.masks) if self.masks else 0)


def read_averaged(images: NDArray[np.uint8], channels: int, chosen: NDArray[np.int64], size: int) -> Tensor:
    """Read the first channels of chosen images, averaged to size × size: (N, channels, size, size) in [-1, 1].

    A few are read at a time: thousands of large ones would take all memory.

    Args:
        images: pixels, uint8 (…, C, S, S): a dataset's, or any.
        chosen: one index at least.
    """
    parts = (chosen[k : k + READ_AT_ONCE] for k in range(0, len(chosen), READ_AT_ONCE))
    read = (to_range(torch.from_numpy(read_rows(images, part, channels))) for part in parts)
    return torch.cat([interpolate(some, size=(size, size), mode="area") for some in read])


def to_range(pixels: Tensor) -> Tensor:
    """Convert uint8 to float in [-1, 1], as the networks see images."""
    return pixels.float().div_(127.5).sub_(1)


@lru_cache(maxsize=2)  # what is read ahead may be of the next epoch
def _order(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return generator_at(seed, ORDER, epoch).permutation(images)


def generator_at(seed: int, stream: int, step: int) -> np.random.Generator:
    """A random generator that depends on nothing but its arguments: a step can be repeated."""
    return np.random.default_rng([seed, stream, step])


def make_batches(dataset: PackedDataset, plan: TrainingPlan) -> Batches:
    """The training split in batches; where the generator is conditional, its labelled images alone.

    Raises:
        XrganError: there are fewer images than one batch needs.
    """
    indices = dataset.of_split("train")
    if plan.model.conditional:
        indices = indices[dataset.labels[indices] >= 0]
    if len(indices) < plan.batch_size:
        smaller = max(2, len(indices) // 4)
        fits = smaller <= len(indices)
        raise XrganError(
            f"{dataset.name} has {len(indices)} training images, fewer than one batch of {plan.batch_size}.",
            f"Use `--batch-size {smaller}`, or prepare more images." if fits else "Prepare more images.",
        )
    return Batches(dataset, indices, plan.batch_size, plan.seed, plan.model.masks)
