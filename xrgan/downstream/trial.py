"""One training of a study: its arm, fold, fraction and seed, how it went, and what its network answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from xrgan.downstream.results_cache import CachedResult

Floats = NDArray[np.float64]


class TrialKey(NamedTuple):
    """Which training of the study it is."""

    arm: str
    fraction: float  # of the real training images
    fold: int  # from 1; 0 = the dataset's own split
    seed: int  # from 1


ArmKey = tuple[str, float]
"""An arm and a fraction: its trainings are the same but for fold and seed."""


@dataclass(frozen=True)
class Epoch:
    """Mean training loss over the steps, and the figures of the validation images: the one that decides comes first."""

    loss: float
    validation: dict[str, float]

    @property
    def score(self) -> float:
        """The figure that decides; more of it is better."""
        return next(iter(self.validation.values()))

    @property
    def rank(self) -> tuple[float, ...]:
        """What epochs are chosen by, the highest: later figures break a tie."""
        return tuple(self.validation.values())


@dataclass(frozen=True)
class History:
    """How a training went, epoch by epoch."""

    epochs: tuple[Epoch, ...]
    best: int  # index of the epoch whose weights were kept
    steps: int  # that were taken, over all epochs

    @property
    def kept(self) -> Epoch:
        return self.epochs[self.best]

    def followed_by(self, later: "History") -> "History":
        """One training after another, of which the later one's weights were kept."""
        return History(self.epochs + later.epochs, len(self.epochs) + later.best, self.steps + later.steps)


class _StoredHistory(BaseModel):
    epochs: list[dict[str, float]] = Field(min_length=1)
    best: int = Field(ge=0)
    steps: int


class _Stored(BaseModel):
    """What `Trial.to_dict` wrote."""

    place: tuple[str, float, int, int]
    n_real: int
    n_synthetic: int
    history: _StoredHistory
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What one training gave; its answers are what `Task.figures` scores, one row per image.

    Attributes:
        on_fold: of the fold's left-out part; m = 0 in the dataset's own split.
        on_external: of another dataset's images, where one was asked for; stored by itself.
    """

    key: TrialKey
    n_real: int  # images it learned from
    n_synthetic: int
    history: History
    on_test: Floats  # (n, …)
    on_fold: Floats  # (m, …)
    seconds: float
    on_external: Floats | None = None

    @property
    def arm_key(self) -> ArmKey:
        return self.key.arm, self.key.fraction

    def answers_to(self, images: tuple[int, int], targets: int) -> bool:
        """Whether the answers are to so many images of the test split and of the left-out part, and so many targets."""
        shapes = (self.on_test.shape, self.on_fold.shape)
        each = self.on_test.shape[1:]
        return each[:1] == (targets,) and shapes == tuple((count, *each) for count in images)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the answers, in plain values."""
        history = {
            "epochs": [{"loss": epoch.loss, **epoch.validation} for epoch in self.history.epochs],
            "best": self.history.best,
            "steps": self.history.steps,
        }
        return {
            "place": list(self.key),
            "n_real": self.n_real,
            "n_synthetic": self.n_synthetic,
            "history": history,
            "seconds": self.seconds,
        }

    def arrays(self) -> dict[str, Floats]:
        return {"on_test": self.on_test, "on_fold": self.on_fold}

    @classmethod
    def from_cache(cls, cached: CachedResult, validation: Sequence[str]) -> Self:
        """The inverse of `to_dict` and `arrays`.

        Args:
            validation: names of an epoch's figures, the one that decides first.

        Raises:
            KeyError, ValueError: it is of another version of xrgan, or was changed.
        """
        said = _Stored.model_validate(cached.about)
        epochs = tuple(Epoch(one["loss"], {name: one[name] for name in validation}) for one in said.history.epochs)
        if said.history.best >= len(epochs):
            raise ValueError("its best epoch is none of them")
        return cls(
            TrialKey(*said.place),
            said.n_real,
            said.n_synthetic,
            History(epochs, said.history.best, said.history.steps),
            cached.arrays["on_test"],
            cached.arrays["on_fold"],
            said.seconds,
        )

    def row(self) -> dict[str, Any]:
        """What scores.csv says of it before its figures."""
        return self.key._asdict() | {
            "n_real": self.n_real,
            "n_synthetic": self.n_synthetic,
            "steps": self.history.steps,
            "best_epoch": self.history.best + 1,
        }


def by_arm(trials: Sequence[Trial]) -> dict[ArmKey, list[Trial]]:
    """The trainings of each arm and fraction, in their order."""
    found: dict[ArmKey, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.arm_key, []).append(trial)
    return found
