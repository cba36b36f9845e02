"""A trained segmenter as a file, and back."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xrgan.downstream.checkpoints import UNREADABLE, abouts_of, is_kept, keep_best, weights_of
from xrgan.downstream.segmentation.segmenter import Segmenter, build
from xrgan.downstream.trial import TrialKey


@dataclass(frozen=True)
class About:
    """What a segmenter is, beside its weights."""

    channels: int
    size: int  # pixels of the images that it learned from
    structures: tuple[str, ...]
    width: int
    arm: str
    fold: int  # 0 = the dataset's own split
    fraction: float  # of the real training images
    seed: int
    dice: float  # of the validation images
    study: str  # what else decides the weights
    options: dict[str, Any]  # of `prepare`: how its images were made

    @property
    def rank(self) -> tuple[float, float]:
        return self.fraction, self.dice


def save_segmenter(folder: Path, network: Segmenter, about: About) -> None:
    """Keep a segmenter of its arm and fold in `folder`, a run's segment/, unless a better one of its study is there.

    Better is what learned from more real images; among equals, what has the higher Dice on its validation images.
    """
    keep_best(folder, network, about, _about)


def is_saved(folder: Path, arm: str, fold: int, study: str, rank: tuple[float, float]) -> bool:
    """Whether a segmenter of that study is in `folder` that is as good, or better."""
    return is_kept(folder, arm, fold, _about, study, rank)


def load_segmenters(folder: Path, studies: Collection[str], places: Collection[TrialKey]) -> dict[str, Segmenter]:
    """The best segmenter of each arm, of all folds, on the CPU; none that is damaged, or of another study or place."""
    best: dict[str, tuple[About, Path]] = {}
    for file, about in abouts_of(folder, _about).items():
        if about.study not in studies or TrialKey(about.arm, about.fraction, about.fold, about.seed) not in places:
            continue
        if about.arm not in best or about.rank > best[about.arm][0].rank:
            best[about.arm] = about, file
    made = {}
    for arm, (about, file) in best.items():
        network = build(about.channels, len(about.structures), about.width, about.seed)
        try:
            network.load_state_dict(weights_of(file))
        except UNREADABLE:
            continue
        made[arm] = network.eval().requires_grad_(False)
    return made


def _about(fields: dict[str, Any]) -> About:
    return About(**fields | {"structures": tuple(fields["structures"])})
