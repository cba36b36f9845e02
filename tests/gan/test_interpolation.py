"""A GIF between latents."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.test_failures import largest_file
from xrgan.gan import interpolation
from xrgan.gan.sampler import Sampler


@pytest.mark.slow
def test_the_walk_is_a_gif_that_moves_smoothly(sampler: Sampler, tmp_path: Path) -> None:
    file = interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=0)
    with Image.open(file) as gif:
        assert gif.n_frames > 50
    a, b = np.random.default_rng(0).standard_normal((2, 100)).astype(np.float32)
    path = interpolation._slerp(a, b, 10)
    lengths = np.linalg.norm(path, axis=1)
    assert np.allclose(path[0], a)
    assert lengths.min() > 0.95 * min(np.linalg.norm(a), np.linalg.norm(b)), "a straight line would be shorter inside"


def test_a_walk_that_is_interrupted_leaves_the_old_one(sampler: Sampler, tmp_path: Path) -> None:
    interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=1, keyframes=2)
    whole = (tmp_path / "walk.gif").read_bytes()
    with largest_file(len(whole) // 2), pytest.raises(OSError):
        interpolation.interpolate(sampler, tmp_path / "walk.gif", seed=1, keyframes=2)
    assert (tmp_path / "walk.gif").read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["walk.gif"]
