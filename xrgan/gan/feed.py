"""All that a step takes from outside: images, labels, latents, what augmentation draws; in one copy to the device."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xrgan import ranks
from xrgan.gan.augment import Strength, draw_changes
from xrgan.gan.batches import AUGMENTED_FAKE, AUGMENTED_REAL, LATENTS, generator_at, to_range
from xrgan.gan.job import Job
from xrgan.gan.networks.base import shrunk
from xrgan.hardware import upload


@dataclass(frozen=True)
class Fed:
    """What one step is given, on the device: the part of the B images that this process takes, b of them."""

    images: Tensor  # (b, C + M, s, s), real, in [-1, 1]
    labels: Tensor  # (b,)
    z: Tensor  # (b, Z)
    changes_of_real: Tensor  # (b, …): what augmentation changes; (b, 0) where nothing is augmented
    changes_of_fake: Tensor


def feed(step: int, probability: float, job: Job, image_size: int) -> Fed:
    """Read and draw what a step takes, and bring it to the job's device.

    Everything is drawn for the whole batch, and cut: with any number of processes the same images are seen.

    Args:
        probability: of each change that augmentation makes.
        image_size: pixels, height and width, to which the images are averaged.
    """
    part, places, resident = ranks.part(job.plan.batch_size), job.pixels.places(step), job.pixels.resident
    size = (job.plan.batch_size, job.plan.model.latent_size)
    z = generator_at(job.plan.seed, LATENTS, step).standard_normal(size, np.float32)
    changes = [_changes(stream, step, probability, job, image_size) for stream in (AUGMENTED_REAL, AUGMENTED_FAKE)]
    drawn = [array[part] for array in (z, *changes)]
    images = places if resident is not None else job.pixels.read(step)
    arrays: list[NDArray[Any]] = [job.batches.labels(places), *drawn, images]
    labels, z_there, of_real, of_fake, pixels = upload(arrays, job.device)
    if resident is not None:
        pixels = resident.index_select(0, pixels)
    return Fed(shrunk(to_range(pixels), image_size), labels, z_there, of_real, of_fake)


def _changes(stream: int, step: int, probability: float, job: Job, image_size: int) -> NDArray[np.float32]:
    strength = Strength(probability, job.plan.rotation, job.plan.scaling)
    return draw_changes(generator_at(job.plan.seed, stream, step), job.plan.batch_size, strength, image_size)
