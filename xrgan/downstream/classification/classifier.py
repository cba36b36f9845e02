"""Train one classifier for a given number of steps, and ask it for probabilities.

`inputs` is a tensor of what the network takes, a row an example: uint8 images (N, C, H, W), or, for the head of a
frozen network, float features (N, F). Examples are named by their index into it, so that many small trainings
share one copy.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xrgan.downstream import history
from xrgan.downstream.classification.metrics import auroc, score
from xrgan.downstream.folds import Indices
from xrgan.downstream.training_loop import Budget, autocast_on, finite, fit

SECTION = "classify"
BATCH_WITHOUT_GRADIENTS = 256


@dataclass(frozen=True)
class Examples:
    """What a classifier learns from and is chosen by; indices (n,) into inputs and labels."""

    inputs: Tensor
    labels: Tensor  # int64 (N,) in [0, classes)
    training: Indices
    validation: Indices
    classes: int


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
    weights = class_weights(examples.labels[examples.training], examples.classes).to(device)

    def loss_of(batch: Indices) -> Tensor:
        inputs = change(examples.inputs[batch].to(device))
        with autocast_on(device):
            logits = network(inputs)
        return functional.cross_entropy(logits.float(), examples.labels[batch].to(device), weight=weights)

    def validate(loss: float) -> Epoch:
        return _validate(network, examples, loss, device)

    return fit(network, examples.training, budget, device, seed, report, loss_of, validate, _rank, SECTION)


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
        with autocast_on(device):
            parts.append(network(inputs[chunk].to(device)).float().cpu())
        report(len(chunk))
    return torch.cat(parts)


def class_weights(labels: Tensor, classes: int) -> Tensor:
    """n / (K · n_k) for each class k, so that balanced classes weigh 1: float (K,)."""
    return len(labels) / (classes * torch.bincount(labels, minlength=classes)).float()


def _validate(network: nn.Module, examples: Examples, loss: float, device: torch.device) -> Epoch:
    probabilities = predict(network, examples.inputs, examples.validation, device)
    finite(torch.from_numpy(probabilities).sum(), SECTION)  # the last step may have ruined the weights
    labels = examples.labels[examples.validation].numpy()
    return Epoch(loss, score(labels, probabilities)["balanced_accuracy"], auroc(labels, probabilities))


def _rank(epoch: Epoch) -> tuple[float, float]:
    return epoch.auroc, epoch.balanced_accuracy
