"""Train one classifier for a given number of steps, and ask it for probabilities.

`inputs` is a tensor of what the network takes, a row an example: uint8 images (N, C, H, W), or, for the head of a
frozen network, float features (N, F). Examples are named by their index into it, so that many small trainings
share one copy.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xrgan.downstream import history
from xrgan.downstream.scores import auroc, score
from xrgan.errors import XrganError
from xrgan.hardware import autocast, choose_precision

STEPS_BETWEEN_LOOKS = 10  # reading a loss makes a GPU wait
BATCH_WITHOUT_GRADIENTS = 256

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """What a classifier learns from and is chosen by; indices (n,) into inputs and labels."""

    inputs: Tensor
    labels: Tensor  # int64 (N,) in [0, classes)
    training: Indices
    validation: Indices
    classes: int


@dataclass(frozen=True)
class Budget:
    epochs: int
    steps_per_epoch: int
    batch_size: int
    lr: float  # Adam's at the first step; it falls to 0 along a half cosine

    patience: int = 0  # epochs without a better validation AUROC that end a training early; 0 = none does

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    def parted(self, share: float) -> "tuple[Budget, Budget]":
        """That share of the epochs (one at least), and the rest (one at least), within the same steps."""
        first = min(max(1, round(share * self.epochs)), self.epochs - 1)
        return replace(self, epochs=first), replace(self, epochs=self.epochs - first)


@dataclass(frozen=True)
class Epoch:
    loss: float  # mean cross-entropy over the steps, with class weights
    balanced_accuracy: float  # of the validation images
    auroc: float


History = history.History[Epoch]


def train(
    network: nn.Module,
    examples: Examples,
    budget: Budget,
    device: torch.device,
    seed: int,
    report: Callable[[int, float], None],
    change: Callable[[Tensor], Tensor] = lambda images: images,
) -> History:
    """Train `network` in place, and leave it, on `device`, with the weights of its best epoch.

    The best epoch has the highest AUROC on the validation images; balanced accuracy breaks a tie. Classes that the
    training images hold less of weigh more in the loss, in inverse proportion. On a CPU the result follows from the
    seed, the network's initial weights and the number of threads, bit for bit.

    Args:
        seed: of the batches.
        report: called every few steps with the number of new steps and the latest loss.
        change: what becomes of a batch of inputs before the network sees it: an augmentation.

    Raises:
        XrganError: the loss is no longer a number.
    """
    network.to(device)
    batches = draw_batches(examples.training, budget.batch_size, np.random.default_rng(seed))
    weights = class_weights(examples.labels[examples.training], examples.classes).to(device)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=budget.lr)
    # A constant rate would leave the last epochs, and so the differences between folds, to chance.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)
    epochs: list[Epoch] = []
    best, best_state, steps = -1, {}, 0
    for number in range(budget.epochs):
        network.train()
        losses: list[Tensor] = []
        for step in range(1, budget.steps_per_epoch + 1):
            losses.append(_train_step(network, examples, next(batches), weights, optimizer, device, change))
            schedule.step()
            steps += 1
            if step % STEPS_BETWEEN_LOOKS == 0 or step == budget.steps_per_epoch:
                report((step - 1) % STEPS_BETWEEN_LOOKS + 1, _finite(losses[-1]))
        epochs.append(_validate(network, examples, _finite(torch.stack(losses).mean()), device))
        if best < 0 or _rank(epochs[number]) > _rank(epochs[best]):
            best = number
            best_state = {key: value.detach().clone() for key, value in network.state_dict().items()}
        if budget.patience and number - best >= budget.patience:
            break
    network.load_state_dict(best_state)
    return History(tuple(epochs), best, steps)


def predict(network: nn.Module, inputs: Tensor, indices: Indices, device: torch.device) -> NDArray[np.float64]:
    """Class probabilities of those examples: (n, K), rows add up to 1."""
    logits = run(network.to(device).eval(), inputs, indices, device)
    return functional.softmax(logits.double(), dim=1).numpy()


@torch.no_grad()
def run(
    network: Callable[[Tensor], Tensor],
    inputs: Tensor,
    indices: Indices,
    device: torch.device,
    report: Callable[[int], None] = lambda _: None,
) -> Tensor:
    """What a network on `device` answers to those examples, in their order: float32 (n, …) on the CPU.

    Args:
        report: called with the number of examples of each batch.
    """
    parts = []
    for start in range(0, max(1, len(indices)), BATCH_WITHOUT_GRADIENTS):  # of no example, an empty batch's answer
        chunk = indices[start : start + BATCH_WITHOUT_GRADIENTS]
        with _autocast(device):
            parts.append(network(inputs[chunk].to(device)).float().cpu())
        report(len(chunk))
    return torch.cat(parts)


def draw_batches(indices: Indices, batch_size: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Endless full batches: every example once in random order, then every example once more, and so on."""
    waiting = indices[:0]
    while True:
        while len(waiting) < batch_size:
            waiting = np.concatenate([waiting, rng.permutation(indices)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """n / (K · n_k) for each class k, so that balanced classes weigh 1: float (K,)."""
    return len(labels) / (classes * torch.bincount(labels, minlength=classes)).float()


def _train_step(
    network: nn.Module,
    examples: Examples,
    indices: Indices,
    class_weights: Tensor,
    optimizer: torch.optim.Optimizer,
    device: torch.device,
    change: Callable[[Tensor], Tensor],
) -> Tensor:
    inputs = change(examples.inputs[indices].to(device))
    with _autocast(device):
        logits = network(inputs)
    loss = functional.cross_entropy(logits.float(), examples.labels[indices].to(device), weight=class_weights)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss.detach()


def _validate(network: nn.Module, examples: Examples, loss: float, device: torch.device) -> Epoch:
    probabilities = predict(network, examples.inputs, examples.validation, device)
    _finite(torch.from_numpy(probabilities).sum())  # the last step may have ruined the weights
    labels = examples.labels[examples.validation].numpy()
    return Epoch(loss, score(labels, probabilities)["balanced_accuracy"], auroc(labels, probabilities))


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.auroc, epoch.balanced_accuracy


def _finite(figure: Tensor) -> float:
    value = float(figure)
    if not math.isfinite(value):
        raise XrganError(
            f"The classifier's training went astray: a figure became {value}.",
            "Use a smaller learning rate: `--set classify.lr=0.0001`.",
        )
    return value


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    return autocast(device, choose_precision("auto", device))
