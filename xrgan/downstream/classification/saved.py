"""A trained classifier as a file, and back."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xrgan.downstream.checkpoints import FOLDER, UNREADABLE, abouts_of, is_kept, keep_best, weights_of
from xrgan.downstream.classification.networks import Classifier, build
from xrgan.errors import XrganError
from xrgan.files import sha256


@dataclass(frozen=True)
class About:
    """What a classifier is, beside its weights."""

    arch: str
    channels: int
    size: int  # pixels of the images that it learned from
    classes: tuple[str, ...]
    arm: str
    fold: int  # 0 = the dataset's own split
    fraction: float  # of the real training images
    seed: int
    auroc: float  # of the validation images
    study: str  # what else decides the weights
    options: dict[str, Any]  # of `prepare`: how its images were made

    @property
    def rank(self) -> tuple[float, float]:
        return self.fraction, self.auroc


@dataclass(frozen=True)
class Saved:
    network: Classifier
    about: About
    sha256: str

    @property
    def features(self) -> int:
        """Of the penultimate layer."""
        last = [part for part in self.network.head.modules() if isinstance(part, torch.nn.Linear)][-1]
        return last.in_features


def save_classifier(folder: Path, network: Classifier, about: About) -> None:
    """Keep a classifier of its arm and fold in `folder`, a run's classify/, unless a better one of its study is there.

    Better is what learned from more real images; among equals, what has the higher AUROC on its validation images.
    """
    keep_best(folder, network, about, _about)


def is_saved(folder: Path, arm: str, fold: int, study: str, rank: tuple[float, float]) -> bool:
    """Whether a classifier of that study is in `folder` that is as good, or better."""
    return is_kept(folder, arm, fold, _about, study, rank)


def load_classifier(folder: Path, arm: str = "") -> Saved:
    """The best classifier that `classify` kept in a run's classify/, on the CPU, ready to answer.

    Args:
        arm: one that learned as this arm does; any without one. Always of the latest study of its arm.

    Raises:
        XrganError: there is none, or its file is damaged.
    """
    files, abouts = sorted((folder / FOLDER).glob("*.pt")), abouts_of(folder, _about)
    if files and not abouts:
        raise _damaged(files[0], "it says nothing of itself")
    latest: dict[str, str] = {}
    for about in abouts.values():
        latest.setdefault(about.arm, about.study)  # the latest file first
    fitting = {
        file: about
        for file, about in abouts.items()
        if about.arm == (arm or about.arm) and about.study == latest[about.arm]
    }
    if not fitting:
        of_arm = f" of the arm {arm}" if arm else ""
        asked = f" --arms {arm}" if arm else ""
        raise XrganError(
            f"There is no classifier{of_arm} in {folder}.", f"`xrgan classify --run {folder.parent}{asked}` trains one."
        )
    file = max(fitting, key=lambda file: fitting[file].rank)
    try:
        network = _rebuilt(fitting[file], weights_of(file))
    except UNREADABLE as error:
        raise _damaged(file, " ".join(str(error).split())[:200]) from error
    return Saved(network.eval().requires_grad_(False), fitting[file], sha256(file))


def _about(fields: dict[str, Any]) -> About:
    return About(**fields | {"classes": tuple(fields["classes"])})


def _damaged(file: Path, reason: str) -> XrganError:
    return XrganError(f"The classifier {file} is damaged: {reason}.", "`xrgan classify` trains another.")


def _rebuilt(about: About, state: dict[str, Tensor]) -> Classifier:
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = build(about.arch, about.channels, len(about.classes), "none", unfreeze=True)
    network.load_state_dict(state)
    return network
