"""What one training of a study gave: its arm, fold, fraction and seed, and its answers, not yet scored."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xrgan.downstream.classifier import Epoch, History
from xrgan.downstream.kept import Kept


class Place(NamedTuple):
    """Where in the study a training stands."""

    arm: str
    fraction: float  # of the real training images
    fold: int  # from 1; 0 = the dataset's own split
    seed: int  # from 1


@dataclass(frozen=True)
class Outcome:
    place: Place
    n_real: int  # images it learned from
    n_synthetic: int
    history: History
    on_test: NDArray[np.float64]  # (n, K): probabilities of the test split's images
    on_fold: NDArray[np.float64]  # (m, K): of the fold's left-out part; m = 0 in the dataset's own split
    seconds: float

    def about(self) -> dict[str, Any]:
        """Everything but the probabilities, in plain values."""
        history = {
            "epochs": [asdict(epoch) for epoch in self.history.epochs],
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

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        return {"on_test": self.on_test, "on_fold": self.on_fold}


def outcome_of(kept: Kept) -> Outcome:
    """The inverse of `about` and `arrays`."""
    about = kept.about
    history = about["history"]
    epochs = tuple(Epoch(**epoch) for epoch in history["epochs"])
    return Outcome(
        Place(*about["place"]),
        about["n_real"],
        about["n_synthetic"],
        History(epochs, history["best"], history["steps"]),
        kept.arrays["on_test"],
        kept.arrays["on_fold"],
        about["seconds"],
    )
