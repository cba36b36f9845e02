"""The sets of images that are compared: as many of each, sampled at random."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xrgan.data.images import shape_in_words
from xrgan.errors import XrganError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]

HELD_OUT, TRAIN = "held-out", "train"
LEAST_DIFFERENCE = 0.05  # of the share of a class: less is not worth a word


@dataclass(frozen=True)
class ImageSet:
    """Images of one kind, uint8 (N, C, H, W), and their classes (N,), -1 = none; C = 1 or 3."""

    images: Images
    labels: Labels | None = None
    patients: Labels | None = None  # (N,): a number for each; None = not known, so each image counts as one's own

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: NDArray[np.int64] | slice) -> "ImageSet":
        labels, patients = (None if of is None else of[indices] for of in (self.labels, self.patients))
        return ImageSet(self.images[indices], labels, patients)

    def places_of_class(self, index: int) -> NDArray[np.int64]:
        """The indices of a class's images, ascending; none where there are no labels."""
        return np.flatnonzero(self.labels == index) if self.labels is not None else np.zeros(0, np.int64)

    def of_class(self, index: int) -> "ImageSet":
        return self.take(self.places_of_class(index))


@dataclass(frozen=True)
class Comparison:
    """N real and N synthetic images, in random order, and what their scores are read beside."""

    real: ImageSet
    synthetic: ImageSet
    floor: tuple[ImageSet, ImageSet]
    """two sets of real images: what they score is what a perfect generator would; N each where there are enough"""
    training: ImageSet | None
    """all that is known of what the generator learned from, and may have copied"""
    held_out: ImageSet
    """real images that it never saw: what no copy looks like"""
    classes: tuple[str, ...]
    reference: str
    """what `real` is: HELD_OUT, or TRAIN"""

    @property
    def n(self) -> int:
        return len(self.synthetic)

    @property
    def floor_n(self) -> int:
        return min(map(len, self.floor))

    @property
    def channels(self) -> int:
        return int(self.real.images.shape[1])

    @property
    def size(self) -> str:
        _, _, height, width = self.real.images.shape
        return f"{width}×{height}"

    @property
    def pixels(self) -> int:
        """The shorter side's."""
        return int(min(self.real.images.shape[2:]))

    def unequal_class(self) -> tuple[str, float, float] | None:
        """Find the class whose share differs most: its name, its share of the synthetic and of the real images.

        None where a set has no labels, or the shares differ by less than LEAST_DIFFERENCE, or than two standard errors.
        """
        worst, most = None, 0.0
        for index, name in enumerate(self.classes):
            ours, theirs = (_share_of_class(of_set, index) for of_set in (self.synthetic, self.real))
            if ours is None or theirs is None:
                return None
            pooled = (ours + theirs) / 2
            error = math.sqrt(pooled * (1 - pooled) * (1 / len(self.synthetic) + 1 / len(self.real)))
            if (difference := abs(ours - theirs)) >= max(LEAST_DIFFERENCE, 2 * error) and difference > most:
                worst, most = (name, ours, theirs), difference
        return worst


def sample_comparison(
    held_out: ImageSet,
    synthetic: ImageSet,
    training: ImageSet,
    n: int,
    seed: int,
    classes: Sequence[str] = (),
    reference: str = HELD_OUT,
) -> Comparison:
    """Sample N held-out and N synthetic images; N = the smaller of these sets, `n` at most.

    The floor is theirs and as many training images', or of fewer where there are no more. Which images come first
    depends on the seed and on the set alone: with another N, they are the same ones, whose features are known.

    Args:
        reference: what the synthetic images are compared with: HELD_OUT, or TRAIN, as some papers do.

    Raises:
        XrganError: the sets differ in size or channels, or one has less than two images.
    """
    _check({"held-out real": held_out, "synthetic": synthetic, "training": training})
    n = min(len(held_out), len(synthetic), n, *([len(training)] if reference == TRAIN else []))
    held_out, chosen, training = (
        one.take(_order(one, seed)[:most]) for one, most in ((held_out, n), (synthetic, n), (training, None))
    )
    first = training.take(slice(n))
    if reference == TRAIN:
        return Comparison(first, chosen, (first, held_out), training, held_out, tuple(classes), reference)
    floor = held_out if len(first) == n else held_out.take(slice(len(first))), first
    return Comparison(held_out, chosen, floor, training, held_out, tuple(classes), reference)


def sample_comparison_without_training(
    real: ImageSet, synthetic: ImageSet, n: int, seed: int, classes: Sequence[str] = ()
) -> Comparison:
    """Sample N images of each of two sets, where nothing is known of what the generator learned from.

    The floor comes from the real images that are left. Where they are too few it is that of two halves of the real
    ones, which is higher, because each has fewer images.

    Raises:
        XrganError: the sets differ in size or channels, or one has less than two images.
    """
    _check({"real": real, "synthetic": synthetic})
    n = min(len(real), len(synthetic), n)
    real, chosen = real.take(_order(real, seed)), synthetic.take(_order(synthetic, seed)[:n])
    of_floor = min(n, len(real) // 2)
    floor = real.take(slice(of_floor)), real.take(slice(of_floor, 2 * of_floor))
    first = real.take(slice(n))
    return Comparison(first, chosen, floor, None, first, tuple(classes), HELD_OUT)


def _share_of_class(of_set: ImageSet, index: int) -> float | None:
    """Among the images that have a label; None where none has."""
    if of_set.labels is None or not (of_set.labels >= 0).any():
        return None
    return float((of_set.labels == index).sum() / (of_set.labels >= 0).sum())


def _order(one: ImageSet, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, len(one)]).permutation(len(one))


def _check(sets: dict[str, ImageSet]) -> None:
    for name, one in sets.items():
        if len(one) < 2:
            count = {0: "no", 1: "only one"}[len(one)]
            raise XrganError(
                f"There is {count} {name} image to compare.",
                "Scores need two or more of each kind, and mean something from some hundreds on.",
            )
    (first, real), *others = sets.items()
    for name, one in others:
        if one.images.shape[1:] != real.images.shape[1:]:
            raise XrganError(
                f"The {name} images are {shape_in_words(one.images)}, the {first} ones {shape_in_words(real.images)}.",
                "`xrgan evaluate --size N` brings two folders to one size, and `xrgan prepare --size N` a dataset.",
            )
