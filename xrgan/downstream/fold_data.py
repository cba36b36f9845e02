"""A fold of any study on the bench: its real and synthetic images, which of them a training takes, and its name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import results_cache
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance, check_generator
from xrgan.downstream.trial import TrialKey

DECIDE = {"k_folds", "gan_per_fold", "leaks", "ratio", "pretraining", "epochs", "patience", "batch_size", "lr", "seed"}
"""The options of any study that decide what a training gives."""


class RealImages(Protocol):
    """What every study knows of its real images; indices (n,) into `images`."""

    @property
    def images(self) -> Tensor:
        """uint8 (N, C, H, W)."""

    @property
    def groups(self) -> Indices:
        """(N,): whose images may not be parted."""

    @property
    def rows(self) -> Indices:
        """(N,): their places in the dataset."""

    @property
    def test(self) -> Indices: ...


class SyntheticImages(Protocol):
    """What every study knows of its synthetic images."""

    @property
    def images(self) -> Tensor:
        """uint8 (M, C, H, W)."""

    @property
    def seen(self) -> tuple[TrainingProvenance, ...] | None:
        """What their generators learned from, a record a generator; None = nobody knows."""

    @property
    def digest(self) -> str:
        """Of the images, and of what belongs to them."""


Pool = TypeVar("Pool", bound=RealImages)
Supply = TypeVar("Supply", bound=SyntheticImages)
Config = TypeVar("Config", bound=StudyConfig)


@dataclass(frozen=True)
class Bench(Generic[Pool, Supply, Config]):
    """One fold's images, and what names the trainings on them.

    Attributes:
        decide: the options that only this kind of study has, and that decide what a training gives.
    """

    dataset: PackedDataset
    pool: Pool
    fold: Fold
    supply: Supply | None
    config: Config
    device: torch.device
    decide: frozenset[str]

    @cached_property
    def images(self) -> Tensor:
        """uint8 (N + M, C, H, W): the pool's, then the supply's."""
        return torch.cat([self.pool.images, self.supply.images]) if self.supply else self.pool.images

    def study_of(self, arm: str) -> str:
        """The name of everything that decides an arm's networks, but their fold, fraction and seed."""
        synthetic = self.supply.digest if self.supply and ARMS[arm].synthetic != "none" else ""
        options = self.config.model_dump(include=DECIDE | self.decide)
        return results_cache.digest_of(dataset=self.dataset.content_hash, config=options, synthetic=synthetic)

    def digest_of(self, place: TrialKey) -> str:
        """The name of everything that decides a training's result."""
        fold, test = self.fold.at(self.pool.rows), self.pool.rows[self.pool.test]
        rows = [part.tolist() for part in (fold.training, fold.validation, fold.test, test)]
        return results_cache.digest_of(study=self.study_of(place.arm), rows=rows, place=place)

    def synthetic(
        self, fold: Fold, arm: Arm, seed: int, choose: Callable[[Indices, Supply, np.random.Generator], Indices]
    ) -> Indices:
        """The synthetic images that a training uses, as indices into `images`: none, or chosen by the seed.

        Beside real images, `ratio` for each of them. By themselves, `ratio` for each real one of fraction 1: who has
        few real images isn't short of synthetic ones.

        Args:
            fold: the bench's, as the training's fraction leaves it.
            choose: from the supply, for these real images.
        """
        if arm.synthetic == "none":
            return fold.training[:0]
        assert self.supply is not None, "an arm needs synthetic images"
        real = fold.training if arm.synthetic == "beside" else self.fold.training
        return choose(real, self.supply, np.random.default_rng(seed)) + len(self.pool.images)


def supply_for(fold: Fold, pool: RealImages, supply_of: Callable[[Fold], Supply] | None) -> Supply | None:
    """The synthetic images for a fold.

    Args:
        supply_of: asked for a fold whose indices are rows of the dataset; None = no arm needs any.

    Raises:
        XrganError: their generator learned from a patient in the fold's left-out part.
    """
    supply = supply_of(fold.at(pool.rows)) if supply_of else None
    for seen in (supply.seen or ()) if supply else ():
        check_generator(seen, fold, pool.groups)
    return supply
