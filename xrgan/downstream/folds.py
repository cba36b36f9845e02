"""Which images a network learns from, which pick its epoch, and which it has never met: by patient, never by image."""

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from xrgan.errors import XrganError

VALIDATION_PARTS = 7  # one part in seven of what a fold may learn from picks the epoch
LEAST_IMAGES = 2  # of a class, however small the fraction

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Indices (n,) of real images, ascending; no patient (and no picture) is in two of the three.

    Attributes:
        test: the left-out part; none in the fixed split, whose test images are the dataset's.
    """

    number: int  # from 1; 0 = the fixed split
    training: Indices
    validation: Indices
    test: Indices

    def at(self, rows: Indices) -> "Fold":
        """The same images by other numbers: that of image k is rows[k]."""
        return Fold(self.number, rows[self.training], rows[self.validation], rows[self.test])


class Part(NamedTuple):
    """The real images that one generator may learn from: a fold's, or what one fraction and seed of a study has of it.

    Attributes:
        whole: training images of the fold at fraction 1.
        seed: of the study's trainings; 0 = of all of them.
    """

    fold: Fold
    whole: int
    fraction: float = 1.0
    seed: int = 0


def stratified_folds(items: Indices, labels: Indices, groups: Indices, k: int, seed: int) -> list[Fold]:
    """Cut those images into k folds by group, with a class mix as equal as can be (StratifiedGroupKFold).

    Args:
        items: the images (n,).
        labels, groups: of every image, (N,).

    Raises:
        XrganError: the groups can't be cut so that every part of a fold holds every class.
    """
    folds = group_folds(items, labels, groups, k, seed)
    for fold in folds:
        check_classes(fold, items, labels, k)
    return folds


def group_folds(items: Indices, labels: Indices, groups: Indices, k: int, seed: int) -> list[Fold]:
    """Cut those images into k folds as `stratified_folds` does, even where a part of a fold lacks a class.

    Raises:
        XrganError: there are too few images of every class.
    """
    folds = []
    for number, (rest, test) in enumerate(_parts(items, labels, groups, k, seed), start=1):
        training, validation = hold_out(rest, labels, groups, seed, k)
        folds.append(Fold(number, training, validation, test))
    return folds


def hold_out(items: Indices, labels: Indices, groups: Indices, seed: int, k: int = 0) -> tuple[Indices, Indices]:
    """Part those images by group into training and validation ones.

    Args:
        k: of the folds that they are what is left of.

    Raises:
        XrganError: there are too few.
    """
    parts = min(VALIDATION_PARTS, max(2, _fewest_groups(items, labels, groups)))
    try:
        return _parts(items, labels, groups, parts, seed)[0]
    except ValueError:  # every class has one image
        raise _cannot_be_cut(k) from None


def check_classes(fold: Fold, items: Indices, labels: Indices, k: int) -> None:
    """Raise XrganError where a part of a fold lacks a class that those images have."""
    for part in (fold.training, fold.validation, *((fold.test,) if k else ())):
        if set(labels[part]) != set(labels[items]):
            raise _cannot_be_cut(k, f": fold {fold.number} lacks one" if k else "")


def _cannot_be_cut(k: int, why: str = "") -> XrganError:
    return XrganError(
        f"The patients can't be cut into {k or 'training and validation'}{' folds' if k else ' images'} that hold every"
        f" class each{why}.",
        "Use fewer folds (`--k-folds 2`) or another seed (`--seed 1`)." if k else "Add images of every class.",
    )


def subsample(fold: Fold, labels: Indices, groups: Indices, fraction: float, seed: int) -> Fold:
    """Keep a share of a fold's training and validation images, class by class and group by group.

    Who has few images has few to validate on, too. A larger fraction of the same seed holds all that a smaller one
    does; the left-out part stays whole.
    """
    if fraction == 1:
        return fold
    rng = np.random.default_rng([seed, fold.number])
    training, validation = (_thinned(part, labels, groups, fraction, rng) for part in (fold.training, fold.validation))
    return replace(fold, training=training, validation=validation)


def _thinned(items: Indices, labels: Indices, groups: Indices, fraction: float, rng: np.random.Generator) -> Indices:
    kept = []
    for label in np.unique(labels[items]):
        of_class = items[labels[items] == label]
        wanted = max(LEAST_IMAGES, round(fraction * len(of_class)))
        people = rng.permutation(np.unique(groups[of_class]))
        images = np.array([np.count_nonzero(groups[of_class] == person) for person in people])
        enough = int(np.searchsorted(images.cumsum(), wanted)) + 1  # the first so many people have them
        kept.append(of_class[np.isin(groups[of_class], people[:enough])])
    return np.sort(np.concatenate(kept))


def _parts(items: Indices, labels: Indices, groups: Indices, k: int, seed: int) -> list[tuple[Indices, Indices]]:
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # whoever minds looks for himself
        return [(items[rest], items[part]) for rest, part in splitter.split(items, labels[items], groups[items])]


def _fewest_groups(items: Indices, labels: Indices, groups: Indices) -> int:
    return min(len(np.unique(groups[items][labels[items] == label])) for label in np.unique(labels[items]))
