"""A trained classifier as a file, and back."""

import hashlib
import pickle
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from xrgan.downstream.networks import Classifier, build
from xrgan.errors import XrganError
from xrgan.files import replacing

NAME = "classifier.pt"


@dataclass(frozen=True)
class About:
    """What a classifier is, beside its weights."""

    arch: str
    channels: int
    size: int  # pixels of the images that it learned from
    classes: tuple[str, ...]
    arm: str
    fold: int


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


def save_classifier(folder: Path, network: Classifier, about: About) -> Path:
    file = folder / NAME
    state = {key: value.detach().cpu() for key, value in network.state_dict().items()}
    with replacing(file) as temporary:
        torch.save({"about": asdict(about) | {"classes": list(about.classes)}, "network": state}, temporary)
    return file


def load_classifier(folder: Path) -> Saved:
    """The classifier that `classify` kept in a run's classify/, on the CPU, ready to answer.

    Raises:
        XrganError: there is none, or its file is damaged.
    """
    file = folder / NAME
    if not file.is_file():
        raise XrganError(f"There is no classifier in {folder}.", f"`xrgan classify --run {folder.parent}` trains one.")
    try:
        if not zipfile.is_zipfile(file):  # torch would try to read it as a pickle of old
            raise ValueError("it is no archive")
        content = torch.load(file, map_location="cpu", weights_only=True)
        about = About(**content["about"] | {"classes": tuple(content["about"]["classes"])})
        network = _rebuilt(about, content["network"])
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise XrganError(f"The classifier {file} is damaged: {reason}.", "`xrgan classify` trains another.") from error
    return Saved(network.eval().requires_grad_(False), about, hashlib.sha256(file.read_bytes()).hexdigest())


def _rebuilt(about: About, state: dict[str, Tensor]) -> Classifier:
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = build(about.arch, about.channels, len(about.classes), "none", unfreeze=True)
    network.load_state_dict(state)
    return network
