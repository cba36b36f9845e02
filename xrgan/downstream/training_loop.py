"""The loop that every study trains by: so many steps, the best epoch on the validation images kept."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from xrgan.downstream.folds import Indices
from xrgan.downstream.history import History
from xrgan.errors import XrganError
from xrgan.hardware import autocast, choose_precision

STEPS_BETWEEN_LOOKS = 10  # reading a loss makes a GPU wait
TRAINED = {"classify": "classifier", "segment": "segmenter"}
"""A study's section of the configuration → what it trains."""

Epoch = TypeVar("Epoch")


@dataclass(frozen=True)
class Budget:
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


def fit(
    network: nn.Module,
    training: Indices,
    budget: Budget,
    device: torch.device,
    seed: int,
    report: Callable[[int, float], None],
    loss_of: Callable[[Indices], Tensor],
    validate: Callable[[float], Epoch],
    rank: Callable[[Epoch], Any],
    section: str,
) -> History[Epoch]:
    """Train `network` in place, and leave it, on `device`, with the weights of its best epoch.

    Args:
        seed: of the batches.
        report: called every few steps with the number of new steps and the latest loss.
        loss_of: the loss of a batch of those training examples.
        validate: an epoch from its mean training loss, and from what the network now says of validation images.
        rank: what an epoch is chosen by: the highest.
        section: a key of `TRAINED`.

    Raises:
        XrganError: the loss is no longer a number.
    """
    network.to(device)
    batches = draw_batches(training, budget.batch_size, np.random.default_rng(seed))
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=budget.lr)
    # A constant rate would leave the last epochs, and so the differences between arms and folds, to chance.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)
    epochs: list[Epoch] = []
    best, best_state, steps = -1, {}, 0
    for number in range(budget.epochs):
        network.train()
        losses: list[Tensor] = []
        for step in range(1, budget.steps_per_epoch + 1):
            loss = loss_of(next(batches))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            losses.append(loss.detach())
            steps += 1
            if step % STEPS_BETWEEN_LOOKS == 0 or step == budget.steps_per_epoch:
                report((step - 1) % STEPS_BETWEEN_LOOKS + 1, finite(losses[-1], section))
        epochs.append(validate(finite(torch.stack(losses).mean(), section)))
        if best < 0 or rank(epochs[number]) > rank(epochs[best]):
            best = number
            best_state = {key: value.detach().clone() for key, value in network.state_dict().items()}
        if budget.patience and number - best >= budget.patience:
            break
    network.load_state_dict(best_state)
    return History(tuple(epochs), best, steps)


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
