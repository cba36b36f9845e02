"""Convolutions of frozen kernels, whose gradient is taken by convolutions, too.

PyTorch's own backward pass of a depthwise convolution in bf16 on a CPU takes up to a hundred times as long as the
forward pass where the stride is 2, and three times where it is 1. With frozen kernels only the gradient of the input is
wanted, and that is a convolution of the gradient with the kernel turned by half: as fast as the forward pass.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad


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
        result = torch.empty(ctx.shape, dtype=gradient.dtype, memory_format=torch.channels_last)
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
    turned = kernel[:, :, rows][:, :, :, columns].flip(2, 3)
    return conv2d(pad(gradient, padding), turned, groups=len(kernel))


def _taps(size: int, phase: int, ctx: Any) -> list[int]:
    return list(range((phase + ctx.before) % ctx.stride, size, ctx.stride))
