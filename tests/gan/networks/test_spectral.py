"""Many spectral norms at once are PyTorch's own, one by one: kernels, what is kept, and gradients."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from xrgan.gan.networks.spectral import normalised_kernels


@pytest.fixture
def layers() -> list[nn.Conv2d]:
    torch.manual_seed(0)
    made = [nn.Conv2d(3, 5, 4, stride=2), nn.Conv2d(5, 2, 3), nn.Conv2d(5, 1, 1), nn.Conv2d(5, 7, 1)]
    return [spectral_norm(layer) for layer in made]


def kept(layers: list[nn.Conv2d]) -> list[Tensor]:
    """Weights and vectors."""
    return [value for layer in layers for value in layer.state_dict().values()]


def assert_near(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_kernels_vectors_and_gradients_are_pytorchs_own(layers: list[nn.Conv2d]) -> None:
    """Two passes, the second of other vectors, before the gradient is taken; then the weights change."""
    theirs = deepcopy(layers)
    for _ in range(3):
        losses = []
        for of, kernels in ((layers, normalised_kernels), (theirs, lambda each: [layer.weight for layer in each])):
            passes = [kernels(of) for _ in range(2)]
            assert all(not torch.equal(first, second) for first, second in zip(*passes, strict=True) if len(first) > 2)
            loss = sum(((k + 2) * kernel).sin().sum() for k, some in enumerate(passes) for kernel in some)
            assert isinstance(loss, Tensor)
            loss.backward()
            losses.append(loss)
            optimizer = torch.optim.SGD([weight for layer in of for weight in layer.parameters()], lr=0.05)
            optimizer.step()
            optimizer.zero_grad()
        assert_near(losses[:1], losses[1:])
        assert_near(kept(layers), kept(theirs))


def test_in_evaluation_nothing_is_iterated(layers: list[nn.Conv2d]) -> None:
    before = deepcopy(kept(layers))
    for layer in layers:
        layer.eval()
    kernels = normalised_kernels(layers)
    assert_near(kernels, [layer.weight for layer in layers])
    assert all(torch.equal(one, other) for one, other in zip(before, kept(layers), strict=True))


def test_their_largest_singular_value_is_1_in_fp32_whatever_the_networks_run_in(layers: list[nn.Conv2d]) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        for _ in range(20):
            kernels = normalised_kernels(layers)
    for kernel in kernels:
        assert torch.linalg.matrix_norm(kernel.detach().flatten(1), 2) == pytest.approx(1, abs=1e-4)
        assert kernel.dtype == torch.float32


def test_what_learns_nothing_gets_no_gradient_and_still_goes_on_iterating(layers: list[nn.Conv2d]) -> None:
    for layer in layers:
        layer.requires_grad_(False)
    before = deepcopy(kept(layers))
    assert not any(kernel.requires_grad for kernel in normalised_kernels(layers))
    assert any(not torch.equal(one, other) for one, other in zip(before, kept(layers), strict=True))
