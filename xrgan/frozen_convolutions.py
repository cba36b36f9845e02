"""Convolutions of frozen kernels, whose gradient is taken by convolutions, too.

PyTorch's own backward pass of a depthwise convolution in bf16 on a CPU takes up to a hundred times as long as the
forward pass where the stride is 2, and three times where it is 1. With frozen kernels only the gradient of the input is
wanted, and that is a convolution of the gradient with the kernel turned by half: as fast as the forward pass.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad

IN_BF16 = "_in_bf16"  # behind the name of a buffer
_twice: ContextVar[bool] = ContextVar("twice", default=False)


@contextmanager
def differentiated_twice() -> Iterator[None]:
    """Within the block, what is convolved has a gradient that is itself cheap to differentiate, on a GPU as well.

    PyTorch's own goes through the groups of a depthwise convolution one by one: 20,000 kernels.
    """
    token = _twice.set(True)
    try:
        yield
    finally:
        _twice.reset(token)


def own_gradient(maps: Tensor) -> bool:
    """Whether the gradient of these maps is better taken by the functions here than by PyTorch's own."""
    if not maps.requires_grad:
        return False
    return torch.is_autocast_enabled("cpu") if maps.device.type == "cpu" else _twice.get()


def keep_in_bf16(module: nn.Module) -> None:
    """Keep a copy in bf16 of a module's own frozen numbers: autocast would make one anew at every use."""
    for name, buffer in list(module.named_buffers(recurse=False)):
        module.register_buffer(f"{name}{IN_BF16}", buffer.to(torch.bfloat16), persistent=False)


def frozen(module: nn.Module, name: str) -> Tensor:
    """A module's frozen numbers of that name; where the networks run in bf16, the copy that is kept for it."""
    buffer = module.get_buffer(name)
    in_bf16 = getattr(module, f"{name}{IN_BF16}", None)
    return buffer if in_bf16 is None or not torch.is_autocast_enabled(buffer.device.type) else in_bf16


def pointwise(maps: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Convolve maps (N, C, H, W) with a kernel (F, C, 1, 1): (N, F, H, W)."""
    result: Tensor = _Pointwise.apply(maps, kernel, bias)
    return result


def depthwise(maps: Tensor, kernel: Tensor, bias: Tensor, stride: int, before: int) -> Tensor:
    """Convolve each of C maps (N, C, H, W) with its own of the kernels (C, 1, k, k), by a stride of 1 or 2.

    Args:
        before: zeros before the first pixel; behind the last one there are k // 2.
    """
    result: Tensor = _Depthwise.apply(maps, kernel, bias, stride, before)
    return result


class _Pointwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(kernel)
        return conv2d(maps, kernel, bias)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        (kernel,) = ctx.saved_tensors
        return conv2d(gradient, kernel.to(gradient.dtype).transpose(0, 1)), None, None


class _Depthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, kernel: Tensor, bias: Tensor, stride: int, before: int) -> Tensor:
        ctx.save_for_backward(kernel)
        ctx.shape, ctx.stride, ctx.before = maps.shape, stride, before
        behind = kernel.shape[-1] // 2
        if before == behind:
            return conv2d(maps, kernel, bias, stride=stride, padding=before, groups=len(kernel))
        return conv2d(pad(maps, (before, behind) * 2), kernel, bias, stride=stride, groups=len(kernel))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,) = gradients
        (kernel,) = ctx.saved_tensors
        kernel = kernel.to(gradient.dtype)
        # Of the pixels that lie at a phase of the stride, the gradient is one convolution.
        if ctx.stride == 1:
            return _phase(gradient, kernel, (0, 0), ctx), None, None, None, None
        result = torch.empty(ctx.shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last)
        for row in range(2):
            for column in range(2):
                result[:, :, row::2, column::2] = _phase(gradient, kernel, (row, column), ctx)
        return result, None, None, None, None


def _phase(gradient: Tensor, kernel: Tensor, phase: tuple[int, int], ctx: Any) -> Tensor:
    """The gradient of every stride-th row and column of the input, from those of `phase` on.

    Pixel stride · u + phase met the kernel's tap t at output u + (phase + before - t) / stride, where that is whole.
    """
    padding: list[int] = []
    for axis in (1, 0):  # pad() begins with the last
        taps = _taps(kernel.shape[-1], phase[axis], ctx)
        first, last = ((phase[axis] + ctx.before - tap) // ctx.stride for tap in (taps[-1], taps[0]))
        wanted = len(range(phase[axis], ctx.shape[2 + axis], ctx.stride))
        padding += [-first, wanted - 1 + last - (gradient.shape[2 + axis] - 1)]
    rows, columns = (_taps(kernel.shape[-1], start, ctx) for start in phase)
    turned = kernel[:, :, rows.start :: ctx.stride, columns.start :: ctx.stride].flip(2, 3)
    return conv2d(pad(gradient, padding), turned, groups=len(kernel))


def _taps(size: int, phase: int, ctx: Any) -> range:
    return range((phase + ctx.before) % ctx.stride, size, ctx.stride)
