"""The images of a study in memory: real ones with their targets, synthetic ones, and both for one fold."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.data.images import shape_in_words
from xrgan.data.packed import PackedDataset
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.errors import XrganError


@dataclass(frozen=True)
class Pool:
    """The real images of a study; indices (n,) into `images`, ascending.

    Attributes:
        targets: what networks learn: int64 labels (N,), or uint8 masks (N, M, H, W), 0 or 255.
        names: of the K classes that labels index, or of the M structures.
        strata: (N,), of which all folds and fractions hold as equal shares as can be.
        groups: (N,), whose images may not be parted.
        rows: (N,), their places in the dataset.
        training, validation: the dataset's train and val.
    """

    images: Tensor  # uint8 (N, C, H, W)
    targets: Tensor
    names: tuple[str, ...]
    strata: Indices
    groups: Indices
    rows: Indices
    training: Indices
    validation: Indices
    test: Indices

    @property
    def learned_from(self) -> Indices:
        """What folds are made of: everything but the test split."""
        return np.sort(np.concatenate([self.training, self.validation]))

    @property
    def test_groups(self) -> Indices:
        """The patient of each test image."""
        return self.groups[self.test]


@dataclass(frozen=True)
class SyntheticImages:
    """Synthetic images to learn from.

    Attributes:
        targets: as the pool's.
        seen: what their generators learned from, one record per generator; None = nobody knows.
        digest: of images and targets.
        made_by: what names all generators of a study that has one for each fraction and seed; else empty.
    """

    images: Tensor  # uint8 (S, C, H, W)
    targets: Tensor
    seen: tuple[TrainingProvenance, ...] | None
    digest: str
    made_by: str = ""


def synthetic_images(
    images: NDArray[np.uint8], targets: NDArray[np.generic], seen: tuple[TrainingProvenance, ...] | None
) -> SyntheticImages:
    """Arrays as `SyntheticImages`, named by their bytes."""
    digest = hashlib.sha256(images.tobytes() + targets.tobytes()).hexdigest()
    return SyntheticImages(torch.from_numpy(images), torch.from_numpy(targets), seen, digest)


@dataclass(frozen=True)
class External:
    """Another hospital's images, which networks are asked of and never learn from; `pool.test` are all of them.

    Attributes:
        name: of its dataset.
        digest: of the images, their targets and which they are.
        left_out: images of its dataset that are not among them.
    """

    name: str
    pool: Pool
    digest: str
    left_out: int


def check_shape(dataset: PackedDataset, images: NDArray[np.uint8]) -> None:
    """Refuse synthetic images (S, C, H, W) of another shape than the dataset's.

    Raises:
        XrganError: they are, or there are none.
    """
    if len(images) == 0:
        raise XrganError("There are no synthetic images.", "`xrgan sample --n 1000` draws some.")
    real = dataset.xrays(np.arange(1))
    if images.shape[1:] != real.shape[1:]:
        raise XrganError(
            f"The synthetic images are {shape_in_words(images)}, those of {dataset.name} are {shape_in_words(real)}.",
            "Take the images of a run that was trained on this dataset.",
        )


@dataclass(frozen=True)
class FoldData:
    """One fold of a study with its real and synthetic images; indices are into `images`, the pool's and then these."""

    dataset: PackedDataset
    pool: Pool
    fold: Fold
    synthetic: SyntheticImages | None
    external: External | None = None

    @cached_property
    def images(self) -> Tensor:
        """uint8 (N + S, C, H, W)."""
        return torch.cat([self.pool.images, self.synthetic.images]) if self.synthetic else self.pool.images

    @cached_property
    def targets(self) -> Tensor:
        """Of all images."""
        return torch.cat([self.pool.targets, self.synthetic.targets]) if self.synthetic else self.pool.targets
