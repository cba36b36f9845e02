"""Of each arm and fold of a study the best trained network, as a file that says what it is."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from xrgan.downstream.arms import ARMS
from xrgan.files import replacing

FOLDER = "checkpoints"
UNREADABLE = (OSError, EOFError, RuntimeError, ValueError, KeyError, TypeError, pickle.UnpicklingError)


class Described(Protocol):
    """What is known of a network, beside its weights: a dataclass of plain values and tuples of them."""

    @property
    def arm(self) -> str: ...
    @property
    def fold(self) -> int: ...
    @property
    def study(self) -> str:
        """What else decides the weights."""

    @property
    def rank(self) -> tuple[float, float]:
        """What learned from more real images is better; among equals, what does better on its validation images."""


About = TypeVar("About", bound=Described)


def keep_best(folder: Path, network: nn.Module, about: About, make: Callable[[dict[str, Any]], About]) -> None:
    """Keep a network of its arm and fold in a run's classify/ or segment/, unless a better one of its study is there.

    Args:
        make: `about` anew from its fields, whose tuples have become lists.
    """
    file = _file(folder, about.arm, about.fold)
    there = about_of(file, make)
    if there and there.study == about.study and there.rank > about.rank:
        return
    said = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(about).items()}
    state = {key: value.detach().cpu() for key, value in network.state_dict().items()}
    with replacing(file) as temporary, temporary.open("wb") as out:  # of a name alone, torch forgets the disk's error
        torch.save({"about": said, "network": state}, out)


def is_kept(
    folder: Path,
    arm: str,
    fold: int,
    make: Callable[[dict[str, Any]], About],
    study: str = "",
    rank: tuple[float, float] = (0.0, 0.0),
) -> bool:
    """Whether a network of that arm and fold is there; with `study`, one of that study that is as good, or better."""
    there = about_of(_file(folder, arm, fold), make)
    return there is not None and (not study or (there.study == study and there.rank >= rank))


def abouts_of(folder: Path, make: Callable[[dict[str, Any]], About]) -> dict[Path, About]:
    """The files in a run's classify/ or segment/ and what they hold, the latest first; damaged ones are left out."""
    files = sorted((folder / FOLDER).glob("*.pt"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return {file: about for file in files if (about := about_of(file, make))}


def about_of(file: Path, make: Callable[[dict[str, Any]], About]) -> About | None:
    """What a file says of its network; its weights are not read. None where it is damaged."""
    try:
        if not zipfile.is_zipfile(file):  # torch would try to read it as a pickle of old
            return None
        return make(torch.load(file, map_location="cpu", weights_only=True, mmap=True)["about"])
    except UNREADABLE:
        return None


def weights_of(file: Path) -> dict[str, torch.Tensor]:
    """The network's state, on the CPU; any of `UNREADABLE` where the file is damaged."""
    state: dict[str, torch.Tensor] = torch.load(file, map_location="cpu", weights_only=True)["network"]
    return state


def _file(folder: Path, arm: str, fold: int) -> Path:
    return folder / FOLDER / f"{ARMS[arm].slug}-fold{fold}.pt"
