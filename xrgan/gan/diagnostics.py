"""How healthy a training is: mode collapse, and a discriminator that overfits (memorises its training images)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.gan.batches import to_range
from xrgan.gan.job import Job
from xrgan.gan.networks.base import shrunk
from xrgan.gan.sampler import generate, latents
from xrgan.gan.state import TrainState
from xrgan.hardware import autocast

IMAGES_BETWEEN = 10_000  # seen between two diagnoses: a small dataset's short epochs must not be spent on them
LOOKED_AT = 64  # images
STREAM = 2 * 10**9  # latents: far from those of the grids and of `sample`
LEAST_DIVERSITY = 0.4  # of the real images': below, the generator has collapsed
MOST_OVERFITTING = 0.6  # ADA's target (Karras et al. 2020, arXiv:2006.06676): above, the discriminator memorises
Figures = dict[str, float]


def is_due(state: TrainState, job: Job) -> bool:
    """Whether the epoch ends in which so many images more were seen; it depends on the step alone."""
    before = state.images_seen - job.batches.steps_per_epoch * job.batches.size
    return job.batches.ends_epoch(state.step) and state.images_seen // IMAGES_BETWEEN > before // IMAGES_BETWEEN


@torch.no_grad()
def diagnose(state: TrainState, job: Job) -> Figures:
    """Measure mode collapse and overfitting; nothing of the state changes.

    Returns:
        diversity: the mean distance between two drawn images over that between two real ones; 1 = as diverse, 0 = mode
            collapse.
        overfitting: (D(train) − D(held out)) / (D(train) − D(drawn)), in logits, ADA's r_v: 0 = the discriminator
            answers to unseen real images as to its training images, 1 = as to drawn ones. Only with a validation split.
    """
    dataset, size = job.dataset, job.size_at(state.grown)
    rng = np.random.default_rng([job.plan.seed, STREAM])
    training = rng.permutation(job.batches.indices)[:LOOKED_AT]
    labels = torch.from_numpy(dataset.labels[training])
    z = latents(job.plan.seed, STREAM, len(training), job.plan.model.latent_size)
    drawn = generate(state.ema, z, labels if job.spec.classes else None, size)
    real = _pixels(job, training, size)
    figures = {"diversity": _distance(drawn) / max(_distance(real), 1e-6)}
    held_out = dataset.of_split("val")
    if job.spec.classes:
        held_out = held_out[dataset.labels[held_out] >= 0]
    if len(held_out) >= LOOKED_AT // 4:
        unseen = rng.permutation(held_out)[:LOOKED_AT]
        on_real = _logit(state, job, real, labels)
        on_drawn = _logit(state, job, drawn, labels)
        on_unseen = _logit(state, job, _pixels(job, unseen, size), torch.from_numpy(dataset.labels[unseen]))
        if on_real > on_drawn:
            figures["overfitting"] = (on_real - on_unseen) / (on_real - on_drawn)
    return {name: round(value, 4) for name, value in figures.items()}


def explain(figures: Figures) -> dict[str, str]:
    """For each figure that is bad, one line on what is wrong and what to do."""
    said = {}
    if figures.get("diversity", 1) < LEAST_DIVERSITY:
        alike = f"The drawn images are alike (diversity {figures['diversity']:.2f} of the real ones')"
        seen = int(figures.get("images_seen", IMAGES_BETWEEN))
        if seen < IMAGES_BETWEEN:
            said["diversity"] = (
                f"{alike} after {seen:,} images: the generator has hardly begun to learn, or has collapsed. "
                "`xrgan resume --epochs N` trains on."
            )
        else:
            said["diversity"] = (
                f"{alike}: the generator may have collapsed. In a new run, a smaller --lr, --augment 1 or "
                "--set train.r1=1 can help."
            )
    if figures.get("overfitting", 0) > MOST_OVERFITTING:
        said["overfitting"] = (
            f"The discriminator learns its images by heart (overfitting {figures['overfitting']:.2f}, from 0 to 1): "
            "more augmentation (--augment 1), more images or fewer epochs can help."
        )
    return said


def _pixels(job: Job, indices: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    images = np.asarray(job.dataset.images[indices] if job.spec.masks else job.dataset.xrays(indices))
    return shrunk(torch.from_numpy(images).float(), size).round().to(torch.uint8).numpy()


def _distance(images: NDArray[np.uint8]) -> float:
    """The mean distance of two images, uint8 (N, C, S, S), per pixel: √(2 · variance over the images)."""
    return float(np.sqrt(2 * images.astype(np.float64).var(axis=0).mean()))


def _logit(state: TrainState, job: Job, images: NDArray[np.uint8], labels: Tensor) -> float:
    """The discriminator's mean logit of images as they are, without BatchNorm's statistics moving."""
    state.discriminator.eval()
    pixels = to_range(torch.from_numpy(images).to(job.device))
    with autocast(job.device, job.plan.precision):
        logits = state.discriminator(pixels, labels.to(job.device))
    state.discriminator.train()
    return float(logits.float().mean())
