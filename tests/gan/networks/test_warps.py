"""Eigen-warps: registration finds how images lie, and what is placed by its inverse lies there again."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from xrgan.gan.networks import warps as module
from xrgan.gan.networks.eigen import Generator
from xrgan.gan.networks.warps import LATTICE, EigenWarps, inverted, register

MARGIN = 1.25


def chest(size: int = 32) -> Tensor:
    """Two dark lungs in a body: (1, 1, size, size) in [-1, 1]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, size), torch.linspace(-1, 1, size), indexing="ij")
    lungs = sum(torch.exp(-(((x - side) / 0.2) ** 2) - ((y + 0.1) / 0.4) ** 2) for side in (-0.4, 0.4))
    body = torch.sigmoid((0.8 - x.abs()) * 12)
    return (2 * (body - 0.8 * lungs).clamp(0, 1) - 1)[None, None]


def moved(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Chests that lie otherwise, and by how much each is shifted: (N, 1, 32, 32), (N, 2)."""
    shift = torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)) * 0.1
    maps = torch.eye(2, 3).repeat(count, 1, 1)
    maps[:, :, 2] = shift
    places = affine_grid(maps, [count, 1, 32, 32], align_corners=False)
    images = grid_sample(chest().expand(count, -1, -1, -1), places, padding_mode="border", align_corners=False)
    return images, shift


def test_registration_finds_the_shift_of_each_image() -> None:
    images, shift = moved(40)
    found = register(images, MARGIN)[:, :, 12:-12, 12:-12].mean(dim=(2, 3))
    centred = -(shift - shift.mean(dim=0))
    assert torch.corrcoef(torch.stack([found[:, 0], centred[:, 0]]))[0, 1] > 0.95
    assert torch.corrcoef(torch.stack([found[:, 1], centred[:, 1]]))[0, 1] > 0.9


def test_registration_in_parts_is_that_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images, _ = moved(40)
    at_once = register(images, MARGIN)
    monkeypatch.setattr(module, "AT_ONCE", 16)
    assert (register(images, MARGIN) - at_once).abs().max() < 0.01 < at_once.abs().max()


def test_a_bend_that_no_affine_map_is_is_undone_too() -> None:
    across = torch.randn(40, generator=torch.Generator().manual_seed(0)) * 0.1
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    bent = x + across[:, None, None] * torch.cos(math.pi * y)
    places = torch.stack([bent, y.expand_as(bent)], dim=-1)
    images = grid_sample(chest().expand(40, -1, -1, -1), places, padding_mode="border", align_corners=False)
    found = register(images, MARGIN)[:, 0, 12:-12, 20]
    curve = found[:, len(found[0]) // 2] - (found[:, 0] + found[:, -1]) / 2
    assert torch.corrcoef(torch.stack([curve, -across]))[0, 1] > 0.9


def test_what_is_aligned_and_placed_again_is_the_image() -> None:
    images, _ = moved(24)
    warps = EigenWarps(4, MARGIN, classes=0)
    aligned = warps.fit(images, torch.zeros(24, dtype=torch.int64), images_per_component=2)
    assert torch.equal(warps.align(images), aligned)
    assert aligned.shape == (24, 1, 40, 40)
    spread = [stack[:, :, 8:-8, 8:-8].var(dim=0).mean() for stack in (images, aligned[:, :, 4:-4, 4:-4])]
    assert spread[1] < 0.3 * spread[0]
    again = warps.place(aligned, inverted(register(images, MARGIN), MARGIN), 32)
    assert (again - images).abs().mean() < 0.02


def test_drawn_fields_vary_as_the_images_did() -> None:
    images, shift = moved(60)
    warps = EigenWarps(4, MARGIN, classes=2)
    warps.fit(images, torch.arange(60) % 2, images_per_component=4)
    z = torch.randn(2000, 4, generator=torch.Generator().manual_seed(1))
    drawn = warps(z, torch.zeros(2000, dtype=torch.int64))
    assert drawn.shape == (2000, 2, LATTICE, LATTICE)
    deviation = drawn[:, 0].mean(dim=(1, 2)).std() / shift[:, 0].std()
    assert 0.7 < deviation < 1.3


def test_no_component_stands_for_few_patients() -> None:
    images, _ = moved(20)
    warps = EigenWarps(6, MARGIN, classes=0)
    warps.fit(images, torch.zeros(20, dtype=torch.int64), images_per_component=8)
    assert (warps.components.norm(dim=1) > 0).tolist() == [True] * 2 + [False] * 4


def test_latents_far_out_bend_no_further_than_the_one_percent() -> None:
    images, _ = moved(40)
    warps = EigenWarps(2, MARGIN, classes=0)
    warps.fit(images, torch.zeros(40, dtype=torch.int64), images_per_component=8)
    far, further = (warps(torch.full((1, 2), by), None) for by in (3.0, 30.0))
    assert torch.equal(far, further) and math.isfinite(float(far.sum()))


def test_a_generator_draws_its_images_at_the_places_that_its_last_latents_say() -> None:
    images, _ = moved(64)
    generator = Generator((32,), 1, 16, 4, components=0, warps=2).eval()
    generator.fit(images, torch.zeros(64, dtype=torch.int64))
    assert generator.warps is not None and generator.canvas_base == 5
    z = torch.zeros(2, 16)
    z[1, -1] = 2.0
    assert generator._canvas(z, None).shape == (2, 1, 40, 40) and generator(z).shape == (2, 1, 32, 32)
    placed = generator.warps.place(chest(40).expand(2, -1, -1, -1), generator.warps(z[:, -2:], None), 32)
    assert (placed[0] - placed[1]).abs().max() > 0.1
