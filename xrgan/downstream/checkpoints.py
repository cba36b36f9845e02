"""Best checkpoint per arm and fold of a study, with its metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import torch
from filelock import FileLock
from pydantic import ConfigDict, TypeAdapter
from torch import nn

from xrgan import launched
from xrgan.downstream.arms import ARMS
from xrgan.downstream.trial import TrialKey
from xrgan.tensor_files import read_entry, read_tensors, write_tensors

FOLDER = "checkpoints"
LOCK = ".lock"  # beside the checkpoints of a study that several processes share; it holds nothing
UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What every network of a study says of itself; a task's own adds how to build it, and its validation score."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    channels: int
    size: int  # pixels of the images that it learned from
    arm: str
    fold: int  # 0 = the dataset's own split
    fraction: float  # of the real training images
    seed: int
    study: str  # digest of what else decides the weights
    options: dict[str, Any]  # of `prepare`: how its images were made

    @property
    def key(self) -> TrialKey:
        return TrialKey(self.arm, self.fraction, self.fold, self.seed)

    @property
    def score(self) -> float:
        """Of the validation images; more is better."""
        raise NotImplementedError

    @property
    def rank(self) -> tuple[float, float]:
        """What learned from more real images is better; among equals, what does better on its validation images."""
        return self.fraction, self.score

    def to_dict(self) -> dict[str, Any]:
        """Plain values: tuples become lists."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Raises:
            ValueError: they are another kind's, or of other types.
        """
        return TypeAdapter(cls).validate_python(fields)


OfTask = TypeVar("OfTask", bound=Metadata)


def keep_best(folder: Path, network: nn.Module, metadata: Metadata) -> None:
    """Save a network of its arm and fold in a run's classify/ or segment/, unless a better one of its study is there.

    Better is what has the higher `Metadata.rank`; among equals, the later seed, whichever was trained first.
    """
    file = _file(folder, metadata.arm, metadata.fold)
    with _one_at_a_time(folder):
        saved = read_metadata(file, type(metadata))
        better = saved and saved.study == metadata.study and (saved.rank, saved.seed) > (metadata.rank, metadata.seed)
        if better:
            return
        state = {key: value.detach().cpu() for key, value in network.state_dict().items()}
        write_tensors(file, {"about": metadata.to_dict(), "network": state})


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let none of the processes that share a study replace a network that another one is about to replace."""
    if launched.size() == 1:
        yield
        return
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / FOLDER / LOCK):
        yield


def end_sharing(folder: Path) -> None:
    """Take away what processes that shared a study needed, when all of them are done."""
    (folder / FOLDER / LOCK).unlink(missing_ok=True)


def has_checkpoint(folder: Path, key: TrialKey, study: str, rank: tuple[float, float], kind: type[Metadata]) -> bool:
    """Whether a network of that arm, fold and study is saved that is as good, or better."""
    saved = read_metadata(_file(folder, key.arm, key.fold), kind)
    return saved is not None and saved.study == study and saved.rank >= rank


def all_metadata(folder: Path, kind: type[OfTask]) -> dict[Path, OfTask]:
    """The files in a run's classify/ or segment/ and what they hold, the latest first; damaged ones are left out."""
    files = sorted((folder / FOLDER).glob("*.pt"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return {file: metadata for file in files if (metadata := read_metadata(file, kind))}


def read_metadata(file: Path, kind: type[OfTask]) -> OfTask | None:
    """Read what a file says of its network, but not its weights. None where it is damaged, or of another kind."""
    try:
        return kind.from_dict(read_entry(file, "about"))
    except UNREADABLE:
        return None


def read_weights(file: Path) -> dict[str, torch.Tensor]:
    """Read the network's state, on the CPU; any of `UNREADABLE` where the file is damaged."""
    state: dict[str, torch.Tensor] = read_tensors(file)["network"]
    return state


def _file(folder: Path, arm: str, fold: int) -> Path:
    return folder / FOLDER / f"{ARMS[arm].slug}-fold{fold}.pt"
