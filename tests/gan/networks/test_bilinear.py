"""Bilinear sampling by `gather` sees what PyTorch's own sees, and has its gradient."""

import pytest
import torch
from torch.nn.functional import grid_sample

from xrgan.gan.networks import bilinear
from xrgan.gan.networks.bilinear import gathered, sample_bilinear


@pytest.mark.parametrize("padding_mode", ["zeros", "border"])
@pytest.mark.parametrize("reach", [0.7, 1.6])  # within the images, and beyond them
def test_it_sees_what_pytorch_sees_and_has_its_gradient(padding_mode: str, reach: float) -> None:
    random = torch.Generator().manual_seed(0)
    images = torch.randn(3, 2, 7, 9, generator=random)
    places = (torch.rand(3, 5, 6, 2, generator=random) * 2 - 1) * reach
    weights = torch.randn(3, 2, 5, 6, generator=random)
    results = []
    for sample in (gathered, lambda *given: grid_sample(*given[:2], padding_mode=given[2], align_corners=False)):
        ours = images.clone().requires_grad_(True)
        seen = sample(ours, places, padding_mode)
        (seen * weights).sum().backward()
        results.append((seen.detach(), ours.grad))
    for a, b in zip(*results, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_it_is_used_where_pytorchs_gradient_is_missing_and_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[str] = []
    monkeypatch.setattr(bilinear, "gathered", lambda images, *_: used.append(padding_mode) or images)
    images, places, padding_mode = torch.ones(1, 1, 4, 4), torch.zeros(1, 4, 4, 2), "border"
    sample_bilinear(images.requires_grad_(True), places, padding_mode)
    assert used == []
    monkeypatch.setattr(bilinear, "_lacks_a_gradient", lambda _: True)
    sample_bilinear(images.detach(), places, padding_mode)
    assert used == []
    sample_bilinear(images, places, padding_mode)
    assert used == ["border"]


def test_mps_lacks_it_and_cuda_where_every_bit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = [bilinear._lacks_a_gradient(torch.device(name)) for name in ("cpu", "mps", "cuda")]
    monkeypatch.setattr(torch, "are_deterministic_algorithms_enabled", lambda: True)
    lacking += [bilinear._lacks_a_gradient(torch.device(name)) for name in ("cpu", "mps", "cuda")]
    assert lacking == [False, True, False, False, True, True]
