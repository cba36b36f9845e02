"""The images with masks of a study of segmenters: what is refused, which are used, and how they are cut."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.packed import PackedDataset
from xrgan.data.reading.masks import LUNGS, SIDES
from xrgan.downstream import folds
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance, usable_rows
from xrgan.downstream.pool import Pool, SyntheticImages, check_shape, synthetic_images
from xrgan.downstream.segmentation.segmenter import SMALLEST_IMAGE
from xrgan.errors import XrganError

ORGANS = {LUNGS, *SIDES, "heart"}  # every chest has them; other structures may rightly be absent
BLOCK = 1024  # images read at a time
SMALL_CLASSES = -2  # stratum of the classes that are too small for one of their own


def check_real(dataset: PackedDataset) -> None:
    """Refuse a dataset that no segmenter can be trained on.

    Raises:
        XrganError: it has no masks, or its images are too small.
    """
    if not dataset.masks:
        raise XrganError(
            f"{dataset.name} has no masks that a segmenter could learn.",
            "Prepare it with masks: `xrgan prepare SOURCE --masks lungs,heart --name NEW`; and train on that.",
        )
    if dataset.size < SMALLEST_IMAGE:
        raise XrganError(
            f"A segmenter needs images of {SMALLEST_IMAGE} pixels or more; {dataset.name} has {dataset.size}.",
            f"Prepare larger ones: `xrgan prepare SOURCE --size {2 * SMALLEST_IMAGE}`; and train on that.",
        )


def gather(
    dataset: PackedDataset, k: int, drop_leaked: bool = False, seen: tuple[TrainingProvenance, ...] = ()
) -> Pool:
    """Read the images of a dataset that have masks into memory.

    `prepare` leaves images out for which no mask is named; those whose masks show none of the organs are left out here.

    Args:
        k: folds that will be cut; 0 = the dataset's own split.
        drop_leaked: leave test images of patients out who are learned from; else refuse the study.
        seen: what generators learned from whose images the study uses.

    Raises:
        XrganError: patients stand on both sides, there is no test image, or there are too few patients to learn from.
    """
    usable = _shows_organs(dataset)
    if left := int(np.count_nonzero(~usable)):
        console.notice(f"{left:,} of {len(usable):,} images of {dataset.name} are left out: their masks show no organ.")
    parts = usable_rows(dataset, usable, drop_leaked, seen)
    rows = np.sort(np.concatenate(parts))
    training, validation, test = (np.searchsorted(rows, part) for part in parts)
    groups = dataset.groups[rows]
    learned_from = np.sort(np.concatenate([training, validation]))
    _check_enough(dataset, len(np.unique(groups[learned_from])), len(test), k)
    strata = _strata(dataset.labels[rows], groups, learned_from, k)
    both = torch.from_numpy(dataset.images[rows])
    images, masks = both[:, : dataset.channels], both[:, dataset.channels :]
    return Pool(images, masks, dataset.masks, strata, groups, rows, training, validation, test)


def gather_external(dataset: PackedDataset, rows: Indices, pool: Pool) -> Pool:
    """Read those images of another dataset whose masks show an organ, with the masks of the study's structures.

    Raises:
        XrganError: it lacks one of them, or no image is left.
    """
    absent = [name for name in pool.names if name not in dataset.masks]
    rows = rows[_shows_organs(dataset)[rows]] if dataset.masks else rows[:0]
    if absent or not len(rows):
        lacks = f"has no masks of {absent[0]}" if absent else "has no image with masks"
        raise XrganError(f"{dataset.name} {lacks}.", f"Prepare it with `--masks {','.join(pool.names)}`.")
    both = torch.from_numpy(dataset.images[rows])
    chosen = [dataset.channels + dataset.masks.index(name) for name in pool.names]
    everything, none = np.arange(len(rows)), np.empty(0, np.int64)
    images, masks, groups = both[:, : dataset.channels], both[:, chosen], dataset.groups[rows]
    return Pool(images, masks, pool.names, dataset.labels[rows], groups, rows, none, none, everything)


def paired_images(
    dataset: PackedDataset,
    images: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    seen: tuple[TrainingProvenance, ...] | None,
) -> SyntheticImages:
    """Synthetic pairs for a study on that dataset.

    Args:
        images: uint8 (S, C, H, W).
        masks: uint8 (S, M, H, W), 0 or 255, the dataset's structures in their order.

    Raises:
        XrganError: they are not what a study needs.
    """
    assert images.dtype == masks.dtype == np.uint8 and len(images) == len(masks)
    check_shape(dataset, images)
    for k, name in enumerate(dataset.masks):
        if not masks[:, k].any():
            raise XrganError(
                f"No synthetic mask shows any {name}: nothing can be learned from them.",
                "Train the run longer (`xrgan resume --epochs N`), and draw anew (`xrgan sample --overwrite`).",
            )
    return synthetic_images(images, masks, seen)


def cut(pool: Pool, k: int, seed: int) -> list[Fold]:
    """Cut k folds; k = 0 is the dataset's own split (a part of its train picks epochs if it has no val).

    Raises:
        XrganError: there are too few images.
    """
    if k:
        return folds.group_folds(pool.learned_from, pool.strata, pool.groups, k, seed)
    own = Fold(0, pool.training, pool.validation, pool.test[:0])
    if not len(own.training) or not len(own.validation):
        training, validation = folds.hold_out(pool.learned_from, pool.strata, pool.groups, seed)
        own = replace(own, training=training, validation=validation)
    return [own]


def choose_synthetic(real: int, synthetic: SyntheticImages, ratio: float, rng: np.random.Generator) -> Indices:
    """Choose `ratio` synthetic pairs per real image, fewer where there are no more, never none: int64 (n,)."""
    wanted = min(max(1, round(ratio * real)), len(synthetic.images))
    return np.sort(rng.choice(len(synthetic.images), size=wanted, replace=False))


def covered(pool: Pool) -> dict[str, float]:
    """Of each structure's pixels, the share where a later one is, too: a coded mask file shows the later one."""
    masks = pool.targets
    shares, later = {}, torch.zeros_like(masks[:, 0], dtype=torch.bool)
    for name, mask in reversed([*zip(pool.names, (masks > 127).unbind(1), strict=True)]):
        shares[name] = float((mask & later).sum() / mask.sum().clamp(min=1))
        later |= mask
    return {name: shares[name] for name in pool.names}


def _shows_organs(dataset: PackedDataset) -> NDArray[np.bool_]:
    """Which images have a mask that shows an organ; all, where masks are of other things: (N,)."""
    organs = [dataset.channels + k for k, name in enumerate(dataset.masks) if name in ORGANS]
    if not organs:
        return np.ones(len(dataset.labels), np.bool_)
    starts = range(0, len(dataset.labels), BLOCK)
    return np.concatenate([dataset.images[k : k + BLOCK, organs].any(axis=(1, 2, 3)) for k in starts])


def _check_enough(dataset: PackedDataset, patients: int, test: int, k: int) -> None:
    if test == 0:
        raise XrganError(
            f"{dataset.name} has no test images with masks to score a segmenter on.",
            "Prepare it anew with a share for test: `xrgan prepare --force --set 'prepare.split=[0.8,0.1,0.1]'`.",
        )
    if patients < max(k, 4 if k == 2 else 2):  # what is left of two folds must be two patients, one to pick the epoch
        few = f"{patients} patient{'' if patients == 1 else 's'}"
        raise XrganError(
            f"{dataset.name} has images of {few} to learn from: too few for"
            f" {f'{k} folds' if k else 'training and validation'}.",
            "Use the dataset's own split: `--k-folds 0`." if k and patients >= 2 else "Prepare it with more images.",
        )


def _strata(labels: Indices, groups: Indices, learned_from: Indices, k: int) -> Indices:
    """Each image's class, where folds can share its patients out; images without a label are a class like any other.

    Smaller classes are one stratum together, or, if that is still too small, part of the largest.
    """
    people = {
        int(label): len(np.unique(groups[learned_from][labels[learned_from] == label]))
        for label in np.unique(labels[learned_from])
    }
    least = 2 * max(k, 2)  # each fold's share must be parted once more
    large = {label: count for label, count in people.items() if count >= least}
    strata = np.where(np.isin(labels, list(large)), labels, SMALL_CLASSES)
    rest = learned_from[strata[learned_from] == SMALL_CLASSES]
    if large and len(np.unique(groups[rest])) < least:
        strata[strata == SMALL_CLASSES] = max(large, key=lambda label: large[label])
    return strata
