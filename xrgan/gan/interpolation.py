"""Latent interpolation: a walk through the latents of a seed, as a GIF."""

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.images import from_pil, to_pil
from xrgan.data.sheets import with_caption
from xrgan.files import replacing
from xrgan.gan.sampler import Sampler, check_weights, generate, latents, sample_labels
from xrgan.marks import mark_of, with_gif_mark

FRAMES_PER_LEG = 12  # from one keyframe to the next
FRAME_MILLISECONDS = 80
SIZE = 256  # pixels of the GIF


def interpolate(sampler: Sampler, file: Path, seed: int, label: str = "", keyframes: int = 6) -> Path:
    """Write a GIF that walks through the latents of so many images of a seed, and back to the first.

    The walk follows great circles (slerp, White 2016, arXiv:1609.04468): a straight line would pass through latents
    much shorter than any that the generator was trained on.
    """
    check_weights(sampler)
    ends = latents(seed, 0, keyframes, sampler.latent_size).numpy()
    legs = [_slerp(ends[k], ends[(k + 1) % keyframes], FRAMES_PER_LEG) for k in range(keyframes)]
    z = torch.from_numpy(np.concatenate(legs).astype(np.float32))
    labels = torch.from_numpy(sample_labels(sampler, seed, 0, 1, label).repeat(len(z)))
    images = generate(sampler.generator, z, labels if sampler.spec.classes else None, sampler.spec.size)
    xrays = [to_pil(image) for image in images[:, : sampler.spec.channels]]
    caption = f"Synthetic: between images of seed {seed}" + (f", {label}" if label else "")
    large = (from_pil(xray.resize((SIZE, SIZE), Image.Resampling.BICUBIC)) for xray in xrays)
    frames = [to_pil(with_caption(xray, caption)) for xray in large]
    mark = mark_of(sampler.marked_origin, seed, label=label, shows="walk between latents")
    with replacing(file) as temporary:
        walk = BytesIO()
        frames[0].save(
            *(walk, "GIF"),
            save_all=True,
            append_images=frames[1:],
            duration=FRAME_MILLISECONDS,
            loop=0,
            comment=mark.comment.encode(),
        )
        temporary.write_bytes(with_gif_mark(walk.getvalue(), mark))
    return file


def _slerp(a: NDArray[np.float32], b: NDArray[np.float32], frames: int) -> NDArray[np.float64]:
    """(frames, Z): from a (included) to b (not included) along the great circle; the length changes linearly."""
    t = np.linspace(0, 1, frames, endpoint=False)[:, None]
    cosine = float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b)))
    angle = np.arccos(np.clip(cosine, -1, 1))
    if angle < 1e-6:
        return (1 - t) * a + t * b
    walk: NDArray[np.float64] = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
    return walk
