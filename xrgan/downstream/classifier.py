"""Train one classifier for a given number of steps, and ask it for probabilities.

`inputs` is a tensor of what the network takes, a row an example: uint8 images (N, C, H, W), or, for the head of a
frozen network, float features (N, F). Examples are named by their index into it, so that many small trainings
share one copy.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xrgan.downstream.scores import auroc, score
from xrgan.errors import XrganError

STEPS_BETWEEN_LOOKS = 10  # reading a loss makes a GPU wait
BATCH_WITHOUT_GRADIENTS = 256

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """What a classifier learns from and is chosen by; indices (n,) into inputs and labels."""

    inputs: Tensor
    labels: NDArray[np.int64]  # (N,) in [0, classes)
    training: Indices
    validation: Indices
    classes: int


@dataclass(frozen=True)
class Budget:
    epochs: int
    steps_per_epoch: int
    batch_size: int
    lr: float  # Adam's

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class Epoch:
    loss: float  # mean cross-entropy over the steps, with class weights
    balanced_accuracy: float  # of the validation images
    auroc: float


@dataclass(frozen=True)
class History:
    epochs: tuple[Epoch, ...]
    best: int  # index of the epoch whose weights were kept


def train(
    network: nn.Module,
    examples: Examples,
    budget: Budget,
    device: torch.device,
    seed: int,
    report: Callable[[int, float], None],
) -> History:
    """Train `network` in place, and leave it, on `device`, with the weights of its best epoch.

    The best epoch has the highest AUROC on the validation images; balanced accuracy breaks a tie. Classes that the
    training images hold less of weigh more in the loss, in inverse proportion. On a CPU the result follows from the
    seed and the network's initial weights, bit for bit.

    Args:
        seed: of the batches.
        report: called every few steps with the number of new steps and the latest loss.

    Raises:
        XrganError: the loss is no longer a number.
    """
    network.to(device)
    rng = np.random.default_rng(seed)
    batches = draw_batches(examples.training, budget.batch_size, rng)
    weights = class_weights(examples.labels[examples.training], examples.classes).to(device)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=budget.lr)
    epochs: list[Epoch] = []
    best, best_state = -1, {}
    for number in range(budget.epochs):
        network.train()
        loss = _train_epoch(network, examples, weights, optimizer, batches, budget.steps_per_epoch, device, report)
        epochs.append(_validate(network, examples, loss, device))
        if best < 0 or _rank(epochs[number]) > _rank(epochs[best]):
            best = number
            best_state = {key: value.detach().clone() for key, value in network.state_dict().items()}
    network.load_state_dict(best_state)
    return History(tuple(epochs), best)


def predict(network: nn.Module, inputs: Tensor, indices: Indices, device: torch.device) -> NDArray[np.float64]:
    """Class probabilities of those examples: (n, K), rows add up to 1."""
    network.to(device).eval()
    parts = [
        functional.softmax(_run(network, inputs[chunk], device).double(), dim=1).cpu()
        for chunk in torch.from_numpy(indices).split(BATCH_WITHOUT_GRADIENTS)
    ]
    return torch.cat(parts).numpy()


def draw_batches(indices: Indices, batch_size: int, rng: np.random.Generator) -> Iterator[Indices]:
    """Endless full batches: every example once in random order, then every example once more, and so on."""
    waiting = indices[:0]
    while True:
        while len(waiting) < batch_size:
            waiting = np.concatenate([waiting, rng.permutation(indices)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def class_weights(labels: NDArray[np.int64], classes: int) -> Tensor:
    """n / (K · n_k) for each class k, so that balanced classes weigh 1: float (K,)."""
    counts = np.bincount(labels, minlength=classes)
    return torch.from_numpy(len(labels) / (classes * counts)).float()


def _train_epoch(
    network: nn.Module,
    examples: Examples,
    weights: Tensor,
    optimizer: torch.optim.Optimizer,
    batches: Iterator[Indices],
    steps: int,
    device: torch.device,
    report: Callable[[int, float], None],
) -> float:
    losses = []
    for step in range(1, steps + 1):
        indices = next(batches)
        labels = torch.from_numpy(examples.labels[indices]).to(device)
        with _autocast(device):
            logits = network(examples.inputs[torch.from_numpy(indices)].to(device))
        loss = functional.cross_entropy(logits.float(), labels, weight=weights)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.detach())
        if step % STEPS_BETWEEN_LOOKS == 0 or step == steps:
            latest = float(loss.detach())
            _must_be_finite(latest)
            report((step - 1) % STEPS_BETWEEN_LOOKS + 1, latest)
    return float(torch.stack(losses).mean())


def _validate(network: nn.Module, examples: Examples, loss: float, device: torch.device) -> Epoch:
    labels = examples.labels[examples.validation]
    probabilities = predict(network, examples.inputs, examples.validation, device)
    _must_be_finite(float(probabilities.sum()))  # the last step may have ruined the weights
    return Epoch(loss, score(labels, probabilities)["balanced_accuracy"], auroc(labels, probabilities))


def _must_be_finite(figure: float) -> None:
    if not math.isfinite(figure):
        raise XrganError(
            f"The classifier's training went astray: a figure became {figure}.",
            "Use a smaller learning rate: `--set classify.lr=0.0001`.",
        )


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.auroc, epoch.balanced_accuracy


@torch.no_grad()
def _run(network: nn.Module, inputs: Tensor, device: torch.device) -> Tensor:
    with _autocast(device):
        outputs: Tensor = network(inputs.to(device))
    return outputs


def _autocast(device: torch.device) -> AbstractContextManager[object]:
    """bf16 on GPUs that multiply it natively; elsewhere it costs more than it saves."""
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.autocast("cuda", torch.bfloat16)
    return nullcontext()
