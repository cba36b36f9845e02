"""Train one classifier for a given number of steps, and ask it for probabilities.

`inputs` is a tensor of what the network takes, one row per example: uint8 images (N, C, H, W), or, for the head of a
frozen network, float features (N, F). Examples are named by their index into it, so that many small trainings
share one copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xrgan.downstream.classic import Classic, augment
from xrgan.downstream.classification.metrics import auroc, score
from xrgan.downstream.folds import Indices
from xrgan.downstream.training_loop import Phase, Report, autocast_on, finite, fit
from xrgan.downstream.trial import History
from xrgan.hardware import upload

SECTION = "classify"
BATCH_WITHOUT_GRADIENTS = 256
VALIDATION = {"auroc": "AUROC", "balanced_accuracy": "balanced accuracy"}
"""Figures of an epoch → label; AUROC decides, balanced accuracy breaks a tie."""


@dataclass(frozen=True)
class Examples:
    """What a classifier learns from and is chosen by; indices (n,) into inputs and labels.

    Attributes:
        features: of the validation images at least, by the same indices, where the classifier's body is frozen and its
            inputs are images: they stay as they are when it is chosen, so that its head alone is asked.
    """

    inputs: Tensor
    labels: Tensor  # int64 (N,) in [0, classes)
    validation: Indices
    classes: int
    features: Tensor | None = None


@dataclass(frozen=True)
class ClassifierLearner:
    """A classifier with its examples: a `training_loop.Learner`."""

    section: ClassVar[str] = SECTION

    network: nn.Module
    examples: Examples
    class_weights: Tensor  # (K,)
    classic: Classic | None
    changes: np.random.Generator  # seeds of the augmentation
    device: torch.device

    def loss(self, batch: Indices) -> Tensor:
        """Cross-entropy, weighted by class."""
        chosen = [self.examples.inputs[batch].numpy(), self.examples.labels[batch].numpy()]
        inputs, labels = upload(chosen, self.device)
        if self.classic:
            inputs = augment(inputs, self.classic, int(self.changes.integers(2**63)))
        with autocast_on(self.device):
            logits = self.network(inputs)
        return functional.cross_entropy(logits.float(), labels, weight=self.class_weights)

    def validate(self) -> dict[str, float]:
        """`VALIDATION`."""
        features = self.examples.features
        asked = self.network if features is None else self.network.get_submodule("head")
        inputs = self.examples.inputs if features is None else features
        probabilities = predict(asked, inputs, self.examples.validation, self.device)
        finite(torch.from_numpy(probabilities).sum(), SECTION)  # the last step may have ruined the weights
        labels = self.examples.labels[self.examples.validation].numpy()
        accuracy = score(labels, probabilities)["balanced_accuracy"]
        return {"auroc": auroc(labels, probabilities), "balanced_accuracy": accuracy}


def train(
    network: nn.Module,
    examples: Examples,
    phase: Phase,
    device: torch.device,
    seed: int,
    report: Report,
    classic: Classic | None = None,
) -> History:
    """Train `network` in place, and leave it, on `device`, with the weights of its best epoch.

    The best epoch has the highest AUROC on the validation images; balanced accuracy breaks a tie. Classes that the
    training images hold less of weigh more in the loss, in inverse proportion. On a CPU the result follows from the
    seed, the network's initial weights and the number of threads, bit for bit.

    Args:
        seed: of the batches and their augmentation.
        classic: augments each batch; the inputs are images then.

    Raises:
        XrganError: the loss is no longer a number.
    """
    weights = class_weights(examples.labels[phase.training], examples.classes).to(device)
    changes = np.random.default_rng([seed, 1])
    learner = ClassifierLearner(network, examples, weights, classic, changes, device)
    return fit(learner, phase, device, seed, report)


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
