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

from xrgan import console
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError

# Streams of random numbers within a step.
ORDER, LATENTS, AUGMENTED_REAL, AUGMENTED_FAKE, AUGMENTED_AGAIN, SUBSET = 0, 2, 3, 4, 5, 6  # 1 was in use once
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
        """Steps an epoch; what is left over waits for the next epoch's order (BatchNorm dislikes small batches)."""
        return len(self.indices) // self.size

    def random_subset(self, most: int, size: int) -> tuple[Tensor, Tensor]:
        """At most so many training images, drawn at random, averaged to size × size, and their labels: on the CPU.

        Images (N, C + M, size, size) in [-1, 1], labels (N,). A few are read at a time: thousands of large ones would
        take all memory.
        """
        chosen = np.sort(generator_at(self.seed, SUBSET, 0).permutation(self.indices)[:most])
        parts = (chosen[k : k + READ_AT_ONCE] for k in range(0, len(chosen), READ_AT_ONCE))
        small = [interpolate(to_range(self._read(part)), size=(size, size), mode="area") for part in parts]
        return torch.cat(small), torch.from_numpy(self.dataset.labels[chosen])

    def batch(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Real images, with their masks if wanted, (B, C + M, S, S) in [-1, 1], and labels (B,) of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        order = _order(len(self.indices), self.seed, epoch)
        chosen = self.indices[order[place * self.size : (place + 1) * self.size]]
        images = to_range(self._read(chosen).to(device, non_blocking=True))
        return images, torch.from_numpy(self.dataset.labels[chosen]).to(device, non_blocking=True)

    def _read(self, chosen: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self.dataset.images[chosen] if self.masks else self.dataset.xrays(chosen))


def to_range(pixels: Tensor) -> Tensor:
    """uint8 → float in [-1, 1], as the networks see images."""
    return pixels.float().div_(127.5).sub_(1)


@lru_cache(maxsize=1)
def _order(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return generator_at(seed, ORDER, epoch).permutation(images)


def generator_at(seed: int, stream: int, step: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments: a step can be repeated."""
    return np.random.default_rng([seed, stream, step])


def make_batches(dataset: PackedDataset, config: Config) -> Batches:
    """The training split, in batches.

    Raises:
        XrganError: there are fewer images than one batch needs.
    """
    indices = dataset.of_split("train")
    if config.model.conditional is True:
        labelled = indices[dataset.labels[indices] >= 0]
        if len(labelled) < len(indices):
            console.notice(f"{len(indices) - len(labelled)} training images have no label and are left out.")
        indices = labelled
    train, size = config.train, int(config.train.batch_size)
    if len(indices) < size:
        raise XrganError(
            f"{dataset.name} has {len(indices)} training images, fewer than one batch of {size}.",
            f"Use `--batch-size {max(2, len(indices) // 4)}`, or prepare more images.",
        )
    return Batches(dataset, indices, size, train.seed, masks=config.model.masks is True)
