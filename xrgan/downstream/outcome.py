"""What one classifier of a study gave: an arm, a fold, and its scores on the test split."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.downstream.classifier import History

ARMS = BASELINE, AUGMENTED = "real", "real+synthetic"


@dataclass(frozen=True)
class Outcome:
    arm: str
    fold: int  # from 1
    n_real: int  # images it learned from
    n_synthetic: int
    history: History
    scores: dict[str, float]  # scores.METRICS, on the test split
    seconds: float

    def row(self) -> dict[str, Any]:
        """Its line in scores.csv."""
        best = self.history.epochs[self.history.best]
        return {
            "arm": self.arm,
            "fold": self.fold,
            "n_real": self.n_real,
            "n_synthetic": self.n_synthetic,
            "steps": self.history.steps,
            "best_epoch": self.history.best + 1,
            "validation_balanced_accuracy": best.balanced_accuracy,
            "validation_auroc": best.auroc,
            **self.scores,
            "seconds": round(self.seconds, 2),
        }


def by_fold(outcomes: Sequence[Outcome], arm: str, metric: str) -> NDArray[np.float64]:
    """That figure of an arm, a value a fold, in the order of the folds: (folds,)."""
    return np.array([outcome.scores[metric] for outcome in outcomes if outcome.arm == arm])
