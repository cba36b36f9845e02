"""A study's trained classifier: find the best one of a run, load it, and ask it of images that it has never met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.downstream.checkpoints import FOLDER, UNREADABLE, Metadata, all_metadata, read_weights
from xrgan.downstream.classification.classifier import predict
from xrgan.downstream.classification.networks import Classifier, build
from xrgan.errors import XrganError
from xrgan.files import sha256

NO_DEVICE = "A study's classifier, and no medical device: no diagnosis may rest on it."


@dataclass(frozen=True, kw_only=True)
class ClassifierMetadata(Metadata):
    """What a classifier is, beside its weights."""

    arch: str
    classes: tuple[str, ...]
    auroc: float  # of the validation images

    @property
    def score(self) -> float:
        return self.auroc


@dataclass(frozen=True)
class SavedClassifier:
    """A classifier from a checkpoint, on the CPU."""

    network: Classifier
    metadata: ClassifierMetadata
    sha256: str

    @property
    def features(self) -> int:
        """Of the penultimate layer."""
        last = [part for part in self.network.head.modules() if isinstance(part, torch.nn.Linear)][-1]
        return last.in_features


def find_classifier(folder: Path, arm: str = "") -> tuple[Path, ClassifierMetadata]:
    """Find the file of the best classifier that `classify` saved in a run's classify/, and what it says of itself.

    Args:
        arm: one that learned as this arm does; any without one. Always of the latest study of its arm.

    Raises:
        XrganError: there is none.
    """
    files, found = sorted((folder / FOLDER).glob("*.pt")), all_metadata(folder, ClassifierMetadata)
    if files and not found:
        raise _damaged(files[0], "it says nothing of itself")
    latest: dict[str, str] = {}
    for metadata in found.values():
        latest.setdefault(metadata.arm, metadata.study)  # the latest file first
    fitting = {
        file: metadata
        for file, metadata in found.items()
        if metadata.arm == (arm or metadata.arm) and metadata.study == latest[metadata.arm]
    }
    if not fitting:
        of_arm = f" of the arm {arm}" if arm else ""
        asked = f" --arms {arm}" if arm else ""
        raise XrganError(
            f"There is no classifier{of_arm} in {folder}.", f"`xrgan classify --run {folder.parent}{asked}` trains one."
        )
    return max(fitting.items(), key=lambda found: found[1].rank)


def load_classifier(folder: Path, arm: str = "") -> SavedClassifier:
    """Load the best classifier of a run's classify/, as `find_classifier`, on the CPU, ready to answer.

    Raises:
        XrganError: there is none, or its file is damaged.
    """
    file, metadata = find_classifier(folder, arm)
    try:
        network = _rebuilt(metadata, read_weights(file))
    except UNREADABLE as error:
        raise _damaged(file, " ".join(str(error).split())[:200]) from error
    return SavedClassifier(network.eval().requires_grad_(False), metadata, sha256(file))


def predict_images(
    saved: SavedClassifier,
    names: Sequence[str],
    images: NDArray[np.uint8],
    device: torch.device,
    problems: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Ask a classifier: one row per image with file, the likeliest class, and each class's probability.

    Args:
        images: uint8 (n, C, S, S), prepared as the classifier's were.
        problems: file → why it can't be read; these rows stand at the end.
    """
    probabilities = predict(saved.network, torch.from_numpy(images), np.arange(len(images)), device)
    classes = saved.metadata.classes
    table = pd.DataFrame({"file": list(names), "predicted": [classes[k] for k in probabilities.argmax(axis=1)]})
    for k, name in enumerate(classes):
        table[f"probability {name}"] = probabilities[:, k].round(6)
    if problems:
        unread = pd.DataFrame({"file": list(problems), "problem": list(problems.values())})
        table = pd.concat([table, unread], ignore_index=True)
    return table


def _damaged(file: Path, reason: str) -> XrganError:
    return XrganError(f"The classifier {file} is damaged: {reason}.", "`xrgan classify` trains another.")


def _rebuilt(metadata: ClassifierMetadata, state: dict[str, Tensor]) -> Classifier:
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = build(metadata.arch, metadata.channels, len(metadata.classes), "none", unfreeze=True)
    network.load_state_dict(state)
    return network
