"""How a training went, epoch by epoch, whatever it trained."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Epoch = TypeVar("Epoch")


@dataclass(frozen=True)
class History(Generic[Epoch]):
    epochs: tuple[Epoch, ...]
    best: int  # index of the epoch whose weights were kept
    steps: int  # that were taken, over all epochs

    @property
    def kept(self) -> Epoch:
        return self.epochs[self.best]

    def followed_by(self, later: "History[Epoch]") -> "History[Epoch]":
        """One training after another, of which the later one's weights were kept."""
        return History(self.epochs + later.epochs, len(self.epochs) + later.best, self.steps + later.steps)
