"""The loop that every study trains by: so many steps, the best epoch on the validation images kept."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from xrgan.downstream.folds import Indices
from xrgan.downstream.trial import Epoch, History
from xrgan.errors import XrganError
from xrgan.hardware import autocast, choose_precision

STEPS_BETWEEN_LOOKS = 10  # reading a loss makes a GPU wait
TRAINED = {"classify": "classifier", "segment": "segmenter"}
"""A study's section of the configuration → what it trains."""

Report = Callable[[int, float], None]
"""Called every few steps with the number of new steps and the latest loss."""


@dataclass(frozen=True)
class Budget:
    """What a training may take."""

    epochs: int
    steps_per_epoch: int
    batch_size: int
    lr: float  # Adam's at the first step; it falls to 0 along a half cosine

    patience: int = 0  # epochs without a better validation score that end a training early; 0 = none does

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    def parted(self, share: float) -> "tuple[Budget, Budget]":
        """That share of the epochs (one at least), and the rest (one at least), within the same steps."""
        first = min(max(1, round(share * self.epochs)), self.epochs - 1)
        return replace(self, epochs=first), replace(self, epochs=self.epochs - first)


@dataclass(frozen=True)
class Phase:
    """A part of a training: the examples that it learns from, by index, and what it may take."""

    training: Indices
    budget: Budget


class Learner(Protocol):
    """A network with what it learns from, and how; `section` is a key of `TRAINED`."""

    section: ClassVar[str]

    @property
    def network(self) -> nn.Module: ...

    def loss(self, batch: Indices) -> Tensor:
        """The loss of those training examples."""

    def validate(self) -> dict[str, float]:
        """Figures of the validation examples; epochs are chosen by the first one, the others break a tie."""


def fit(learner: Learner, phase: Phase, device: torch.device, seed: int, report: Report) -> History:
    """Train a network in place, and leave it, on `device`, with the weights of its best epoch.

    Args:
        seed: of the batches.

    Raises:
        XrganError: the loss is no longer a number.
    """
    network, budget = learner.network.to(device), phase.budget
    batches = draw_batches(phase.training, budget.batch_size, np.random.default_rng(seed))
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(learned, lr=budget.lr, fused=True)
    # A constant rate would leave the last epochs, and so the differences between arms and folds, to chance.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)
    epochs: list[Epoch] = []
    best, best_state, steps = -1, {}, 0
    for number in range(budget.epochs):
        network.train()
        losses: list[Tensor] = []
        for step in range(1, budget.steps_per_epoch + 1):
            loss = learner.loss(next(batches))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
            steps += 1
            if step % STEPS_BETWEEN_LOOKS == 0 or step == budget.steps_per_epoch:
                report((step - 1) % STEPS_BETWEEN_LOOKS + 1, finite(losses[-1], learner.section))
        epochs.append(Epoch(finite(torch.stack(losses).mean(), learner.section), learner.validate()))
        if best < 0 or epochs[number].rank > epochs[best].rank:
            best = number
            best_state = {key: value.detach().clone() for key, value in network.state_dict().items()}
        if budget.patience and number - best >= budget.patience:
            break
    network.load_state_dict(best_state)
    return History(tuple(epochs), best, steps)


def join_phases(histories: Iterable[History]) -> History:
    """One training after another: the last one's weights were kept."""
    return reduce(History.followed_by, histories)


def draw_batches(indices: Indices, batch_size: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Endless full batches: every example once in random order, then every example once more, and so on."""
    waiting = indices[:0]
    while True:
        while len(waiting) < batch_size:
            waiting = np.concatenate([waiting, rng.permutation(indices)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def finite(figure: Tensor, section: str) -> float:
    """The figure, unless it is no number.

    Raises:
        XrganError: it isn't.
    """
    value = float(figure)
    if not math.isfinite(value):
        raise XrganError(
            f"The {TRAINED[section]}'s training went astray: a figure became {value}.",
            f"Use a smaller learning rate: `--set {section}.lr=0.0001`.",
        )
    return value


def autocast_on(device: torch.device) -> AbstractContextManager[object]:
    """bf16 where the hardware multiplies it natively."""
    return autocast(device, choose_precision("auto", device))


@contextmanager
def fixed_seed(seed: int) -> Iterator[None]:
    """Torch's global random state (initial weights, dropout, augmentation) from a seed; the caller's comes back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
