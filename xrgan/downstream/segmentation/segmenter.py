"""Train one segmenter for a given number of steps, and ask it for masks.

Shapes: images uint8 (N, C, H, W), C in {1, 3}; masks (N, M, H, W), one a structure, which may overlap. Examples are
named by their index, so that many small trainings share one copy.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from monai.losses.dice import DiceLoss
from monai.networks.nets.basic_unet import BasicUNet
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from xrgan.downstream.classic import Classic, augment_pairs
from xrgan.downstream.folds import Indices
from xrgan.downstream.segmentation import metrics
from xrgan.downstream.training_loop import Phase, Report, autocast_on, finite, fit, fixed_seed
from xrgan.downstream.trial import History
from xrgan.hardware import upload

SECTION = "segment"
SMALLEST_IMAGE = 32  # pixels: four halvings leave 2, and InstanceNorm has nothing to norm in a single one
PIXELS_WITHOUT_GRADIENTS = 2**20  # of a block of images
VALIDATION = {"dice": "Dice"}
"""Figures of an epoch → label: the mean over the validation images and structures."""

# Over the batch, as in nnU-Net: an image that lacks a structure has no Dice of its own to improve.
_dice_loss = DiceLoss(sigmoid=True, batch=True)


class Segmenter(nn.Module):
    """Normalisation, the same for every dataset, and a U-Net."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) → logits (N, M, H, W)."""
        logits: Tensor = self.body(images.float() / 127.5 - 1)  # in [-1, 1]
        return logits


@dataclass(frozen=True)
class Examples:
    """What a segmenter learns from and is chosen by; indices (n,) into images and masks."""

    images: Tensor  # uint8 (N, C, H, W)
    masks: Tensor  # uint8 (N, M, H, W), 0 or 255
    validation: Indices


@dataclass(frozen=True)
class SegmenterLearner:
    """A segmenter with its examples: a `training_loop.Learner`."""

    section: ClassVar[str] = SECTION

    network: nn.Module
    examples: Examples
    classic: Classic | None
    changes: np.random.Generator  # seeds of the augmentation
    device: torch.device

    def loss(self, batch: Indices) -> Tensor:
        """Dice loss + cross-entropy."""
        images, masks = upload([self.examples.images[batch].numpy(), self.examples.masks[batch].numpy()], self.device)
        if self.classic:
            images, masks = augment_pairs(images, masks, self.classic, int(self.changes.integers(2**63)))
        with autocast_on(self.device):
            logits = self.network(images)
        return loss_of(logits.float(), (masks > 127).float())

    def validate(self) -> dict[str, float]:
        """`VALIDATION`."""
        predicted = predict(self.network, self.examples.images, self.examples.validation, self.device)
        true = self.examples.masks[self.examples.validation].numpy() > 127
        return {"dice": float(metrics.dice(predicted, true).mean())}


def build(channels: int, structures: int, width: int, seed: int) -> Segmenter:
    """MONAI's U-Net (Falk et al. 2019, doi:10.1038/s41592-018-0261-2), freshly initialised from the seed.

    It takes any size from `SMALLEST_IMAGE` on, a multiple of 16 or not. InstanceNorm, as in nnU-Net, instead of the
    faster BatchNorm: nothing of the synthetic images' statistics is left in the network when it sees real ones.

    Args:
        channels: 1 or 3.
        structures: M.
        width: feature maps at full resolution; the five levels hold 1, 1, 2, 4 and 8 times as many, MONAI's own shape.
    """
    assert channels in (1, 3) and structures >= 1
    features = (width, width, 2 * width, 4 * width, 8 * width, width)
    with fixed_seed(seed):
        return Segmenter(BasicUNet(2, channels, structures, features))


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

    The best epoch has the highest Dice on the validation images, the mean over images and structures. A second call
    continues with the weights of the first, with an optimizer and a learning rate of its own: pre-training, then
    fine-tuning. On a CPU the result follows from the seed, the network's initial weights and the number of threads,
    bit for bit.

    Args:
        seed: of the batches and their augmentation.
        classic: augments each batch.

    Raises:
        XrganError: the loss, or what the network answers, is no longer a number.
    """
    learner = SegmenterLearner(network, examples, classic, np.random.default_rng([seed, 1]), device)
    return fit(learner, phase, device, seed, report)


def predict(network: nn.Module, images: Tensor, indices: Indices, device: torch.device) -> NDArray[np.bool_]:
    """The masks of those images, in their order, where a structure is likelier than not: bool (n, M, H, W).

    Raises:
        XrganError: what the network answers is no number.
    """
    network.to(device).eval()
    block = max(1, PIXELS_WITHOUT_GRADIENTS // images[0, 0].numel())
    return np.concatenate(
        [_masks(network, images[indices[k : k + block]].to(device)) for k in range(0, len(indices), block)]
    )


def loss_of(logits: Tensor, masks: Tensor) -> Tensor:
    """Dice loss + cross-entropy of logits (N, M, H, W) and masks in {0, 1}, float (N, M, H, W).

    MONAI's DiceCELoss is not it: with two structures and more, its cross-entropy is a softmax over the structures,
    which can't overlap then, and have no background.
    """
    dice: Tensor = _dice_loss(logits, masks)
    return dice + functional.binary_cross_entropy_with_logits(logits, masks)


@torch.no_grad()
def _masks(network: nn.Module, images: Tensor) -> NDArray[np.bool_]:
    with autocast_on(images.device):
        logits = network(images)
    finite(logits.float().sum(), SECTION)  # ruined weights would pass for "nothing there"
    masks: NDArray[np.bool_] = (logits > 0).cpu().numpy()
    return masks
