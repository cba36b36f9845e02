"""Convolutions of frozen kernels: the same as PyTorch's, and so are their gradients."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from xrgan.frozen_convolutions import (
    depthwise,
    differentiated_twice,
    frozen,
    keep_in_bf16,
    own_gradient,
    pointwise,
)

RANDOM = torch.Generator().manual_seed(0)


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=RANDOM)


@pytest.mark.parametrize("size", [(8, 8), (7, 12), (13, 11)])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("stride", "less"), [(1, 0), (2, 0), (2, 1)])
def test_a_depthwise_convolution_and_its_gradient_are_those_of_pytorch(
    size: tuple[int, int], kernel: int, stride: int, less: int
) -> None:
    maps, kernels, bias = normal(2, 3, *size).requires_grad_(), normal(3, 1, kernel, kernel), normal(3)
    before = kernel // 2 - less
    plain = conv2d(pad(maps, (before, kernel // 2) * 2), kernels, bias, stride=stride, groups=3)
    ours = depthwise(maps, kernels, bias, stride, before)
    assert torch.allclose(ours, plain)
    gradient = normal(*plain.shape)
    expected, found = (torch.autograd.grad(output, maps, gradient)[0] for output in (plain, ours))
    assert torch.allclose(found, expected)


def test_a_pointwise_convolution_and_its_gradient_are_those_of_pytorch() -> None:
    maps, kernel, bias = normal(2, 3, 5, 4).requires_grad_(), normal(6, 3, 1, 1), normal(6)
    plain, ours = conv2d(maps, kernel, bias), pointwise(maps, kernel, bias)
    assert torch.allclose(ours, plain)
    gradient = normal(*plain.shape)
    expected, found = (torch.autograd.grad(output, maps, gradient)[0] for output in (plain, ours))
    assert torch.allclose(found, expected)


def test_gradients_have_gradients_too() -> None:
    """As a gradient penalty needs them."""
    maps, kernels, bias = normal(1, 2, 4, 4).requires_grad_(), normal(2, 1, 3, 3), normal(2)
    assert torch.autograd.gradgradcheck(lambda maps: depthwise(maps, kernels, bias, 2, 0), (maps,))


class Frozen(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.randn(3, 2, 1, 1, generator=torch.Generator().manual_seed(0)))


def test_what_is_frozen_is_kept_in_bf16_and_used_where_the_networks_run_in_it() -> None:
    module, plain = Frozen(), Frozen()
    keep_in_bf16(module)
    assert frozen(module, "kernel") is module.kernel
    maps = torch.randn(1, 2, 4, 4, generator=torch.Generator().manual_seed(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert frozen(module, "kernel").dtype == torch.bfloat16 and frozen(plain, "kernel").dtype == torch.float32
        results = [conv2d(maps, frozen(one, "kernel")) for one in (module, plain)]
    assert torch.equal(*results), "as autocast itself would have cast it"
    assert module.state_dict().keys() == plain.state_dict().keys(), "no checkpoint knows of it"


def test_the_own_gradient_is_for_bf16_on_a_cpu_and_for_gradients_of_gradients_elsewhere() -> None:
    here, there = torch.ones(1, requires_grad=True), torch.ones(1, device="meta", requires_grad=True)
    assert not own_gradient(here) and not own_gradient(there)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert own_gradient(here) and not own_gradient(here.detach()) and not own_gradient(there)
    with differentiated_twice():
        assert own_gradient(there) and not own_gradient(here)
    assert not own_gradient(there)
