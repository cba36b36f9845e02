"""What one training of a study gave: its arm, fold, fraction and seed, and its answers."""

from dataclasses import asdict, dataclass
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from xrgan.downstream.history import History
from xrgan.downstream.results_cache import CachedResult

Epoch = TypeVar("Epoch")


class TrialKey(NamedTuple):
    """Where in the study a training stands."""

    arm: str
    fraction: float  # of the real training images
    fold: int  # from 1; 0 = the dataset's own split
    seed: int  # from 1


@dataclass(frozen=True)
class Trial(Generic[Epoch]):
    """A training of any study, a row of `on_test` and `on_fold` an image.

    Attributes:
        on_fold: of the fold's left-out part; m = 0 in the dataset's own split.
    """

    place: TrialKey
    n_real: int  # images it learned from
    n_synthetic: int
    history: History[Epoch]
    on_test: NDArray[np.float64]  # (n, …)
    on_fold: NDArray[np.float64]  # (m, …)
    seconds: float

    def about(self) -> dict[str, Any]:
        """Everything but the answers, in plain values."""
        history = {
            "epochs": [asdict(epoch) for epoch in self.history.epochs],  # type: ignore[call-overload]
            "best": self.history.best,
            "steps": self.history.steps,
        }
        return {
            "place": list(self.place),
            "n_real": self.n_real,
            "n_synthetic": self.n_synthetic,
            "history": history,
            "seconds": self.seconds,
        }

    def row(self) -> dict[str, Any]:
        """What scores.csv says of a training of any study, before its figures."""
        return self.place._asdict() | {
            "n_real": self.n_real,
            "n_synthetic": self.n_synthetic,
            "steps": self.history.steps,
            "best_epoch": self.history.best + 1,
        }

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        return {"on_test": self.on_test, "on_fold": self.on_fold}


def trial_from(kept: CachedResult, epoch: type[Epoch]) -> Trial[Epoch]:
    """The inverse of `about` and `arrays`, for trainings whose epochs are of that kind."""
    about = kept.about
    history = about["history"]
    return Trial(
        TrialKey(*about["place"]),
        about["n_real"],
        about["n_synthetic"],
        History(tuple(epoch(**one) for one in history["epochs"]), history["best"], history["steps"]),
        kept.arrays["on_test"],
        kept.arrays["on_fold"],
        about["seconds"],
    )
