"""A GIF between latents."""

from pathlib import Path

import numpy as np
from PIL import Image

from xrgan.gan import interpolation
from xrgan.gan.sampler import Sampler


def test_the_walk_is_a_gif_that_moves_smoothly(sampler: Sampler, tmp_path: Path) -> None:
    file = interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=0)
    with Image.open(file) as gif:
        assert gif.n_frames > 50
    a, b = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    path = interpolation._slerp(a, b, 10)
    lengths = np.linalg.norm(path, axis=1)
    assert np.allclose(path[0], a)
    assert lengths.min() > 0.95 * min(np.linalg.norm(a), np.linalg.norm(b)), "a straight line would be shorter inside"
