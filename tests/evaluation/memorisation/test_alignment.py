"""Laying one image over another."""

import math

import pytest
import torch

from tests.evaluation.chests import chests
from xrgan.evaluation.memorisation.alignment import align, lattice, poses, sample, with_slopes

PLACES = lattice(25)


def _smooth() -> torch.Tensor:
    return torch.from_numpy(chests(1, 0, 64)[0, 0]).float() - 120


def test_every_combination_is_a_pose() -> None:
    made = poses((0, 90), (1, 2), (1, -1), (0, 3))
    assert made.shape == (2 * 2 * 2 * 4, 2, 3)
    assert made[0].tolist() == [[1, 0, 0], [0, 1, 0]]
    turned = poses((90,), (2,), (1,), (0,))[0]
    assert turned.flatten().tolist() == pytest.approx([0, -2, 0, 2, 0, 0], abs=1e-6)


def test_a_place_is_read_where_the_pose_takes_it() -> None:
    """A map of its own x coordinate: pixel centres are half a pixel beside the middle."""
    across = (torch.arange(64) - 31.5).expand(64, 64)
    at = poses((0,), (1.1,), (1, -1), (2,))
    read = sample(across[None], at, PLACES)[0]
    assert torch.allclose(read[0], 1.1 * PLACES[:, 0] + 2, atol=1e-4)
    assert torch.allclose(read[1], -1.1 * PLACES[:, 0] + 2, atol=1e-4)


@pytest.mark.parametrize(("contrast", "brightness"), [(1, 0), (0.5, 40), (-1, 255)])
@pytest.mark.parametrize("mirror", [1, -1])
def test_a_pose_some_way_off_is_mended(contrast: float, brightness: float, mirror: int) -> None:
    image = _smooth()
    right = poses((3,), (1.04,), (mirror,), (1.2,))
    wanted = sample(image[None], right, PLACES)[0]
    found = align(with_slopes(contrast * image + brightness), poses((0,), (1,), (mirror,), (0,)), wanted, PLACES)
    assert torch.allclose(found, right, atol=0.02)
    assert math.degrees(math.atan2(float(found[0, 1, 0]), float(found[0, 1, 1]))) == pytest.approx(3, abs=0.3)


def test_what_has_no_details_stays_where_it_is_near_and_finite() -> None:
    start = poses((0,), (1,), (1,), (0,))
    for image, other in ((torch.zeros(64, 64), _smooth()), (_smooth(), torch.zeros(64, 64))):
        wanted = sample(other[None], start, PLACES)[0]
        found = align(with_slopes(image), start, wanted, PLACES)
        assert bool(found.isfinite().all()) and float((found - start).abs().max()) < 12
