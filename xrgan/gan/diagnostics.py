"""How a run fares, told before it is lost: does the generator repeat itself, does the discriminator learn by heart?"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.gan.batches import Batches, to_range
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.sampler import generate, latents
from xrgan.gan.state import TrainState
from xrgan.hardware import autocast

IMAGES_BETWEEN = 10_000  # seen between two examinations: a small dataset's short epochs must not be spent on them
LOOKED_AT = 64  # images
STREAM = 2 * 10**9  # latents: far from those of the grids and of `sample`
LEAST_DIVERSITY = 0.4  # of the real images': below, the generator repeats itself
MOST_OVERFITTING = 0.6  # ADA's target (Karras et al. 2020, arXiv:2006.06676): above, the discriminator knows by heart
Figures = dict[str, float]


def is_due(state: TrainState, batches: Batches) -> bool:
    """At the end of the epoch in which so many images more were seen; it depends on the step alone."""
    before = state.images_seen - batches.steps_per_epoch * batches.size
    return state.images_seen // IMAGES_BETWEEN > before // IMAGES_BETWEEN


@torch.no_grad()
def diagnose(state: TrainState, batches: Batches, spec: ImageSpec, config: Config, device: torch.device) -> Figures:
    """Figures of a moment; nothing of the state changes.

    Returns:
        diversity: the mean distance between two drawn images over that between two real ones; 1 = as diverse.
        overfitting: (D(train) − D(held out)) / (D(train) − D(drawn)), in logits, ADA's r_v: 0 = the discriminator
            answers to unseen real images as to its training images, 1 = as to drawn ones. Only with a validation split.
    """
    dataset = batches.dataset
    rng = np.random.default_rng([config.train.seed, STREAM])
    training = rng.permutation(batches.indices)[:LOOKED_AT]
    labels = torch.from_numpy(dataset.labels[training])
    z = latents(config.train.seed, STREAM, len(training), int(config.model.latent_size))
    drawn = generate(state.ema, z, labels if spec.classes else None)
    real = _pixels(dataset, training, spec)
    figures = {"diversity": _distance(drawn) / max(_distance(real), 1e-6)}
    held_out = dataset.of_split("val")
    if spec.classes:
        held_out = held_out[dataset.labels[held_out] >= 0]
    if len(held_out) >= LOOKED_AT // 4:
        unseen = rng.permutation(held_out)[:LOOKED_AT]
        unseen_labels = torch.from_numpy(dataset.labels[unseen])
        on_real = _logit(state.discriminator, real, labels, config, device)
        on_drawn = _logit(state.discriminator, drawn, labels, config, device)
        on_unseen = _logit(state.discriminator, _pixels(dataset, unseen, spec), unseen_labels, config, device)
        if on_real > on_drawn:
            figures["overfitting"] = (on_real - on_unseen) / (on_real - on_drawn)
    return {name: round(value, 4) for name, value in figures.items()}


def explain(figures: Figures) -> dict[str, str]:
    """For each figure that is bad, one line on what is wrong and what to do."""
    said = {}
    if figures.get("diversity", 1) < LEAST_DIVERSITY:
        said["diversity"] = (
            f"The drawn images are alike (diversity {figures['diversity']:.2f} of the real ones'): the generator may "
            "have collapsed. In a new run, a smaller --lr, --augment 1 or --set train.r1=1 can help."
        )
    if figures.get("overfitting", 0) > MOST_OVERFITTING:
        said["overfitting"] = (
            f"The discriminator learns its images by heart (overfitting {figures['overfitting']:.2f}, from 0 to 1): "
            "more augmentation (--augment 1), more images or fewer epochs can help."
        )
    return said


def _pixels(dataset: PackedDataset, indices: NDArray[np.int64], spec: ImageSpec) -> NDArray[np.uint8]:
    return np.asarray(dataset.images[indices] if spec.masks else dataset.xrays(indices))


def _distance(images: NDArray[np.uint8]) -> float:
    """The mean distance of two images, uint8 (N, C, S, S), per pixel: √(2 · variance over the images)."""
    return float(np.sqrt(2 * images.astype(np.float64).var(axis=0).mean()))


def _logit(
    discriminator: nn.Module, images: NDArray[np.uint8], labels: Tensor, config: Config, device: torch.device
) -> float:
    """The mean logit of images as they are, without BatchNorm's statistics moving."""
    discriminator.eval()
    pixels = to_range(torch.from_numpy(images).to(device))
    with autocast(device, config.train.precision):
        logits = discriminator(pixels, labels.to(device))
    discriminator.train()
    return float(logits.float().mean())
