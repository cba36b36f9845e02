"""Spectral normalisation (Miyato et al. 2018, arXiv:1802.05957) of many convolutions at once, in few operations.

PyTorch's own takes each by itself, in 17 operations and some 10 more for the gradient: a GPU would wait for them to be
launched. What it keeps is kept where it keeps it, so that checkpoints have the same names.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

SHORTEST = 1e-12  # a vector's length, by which it is divided: PyTorch's


def normalised_kernels(layers: Sequence[nn.Conv2d]) -> list[Tensor]:
    """Divide the kernel of each layer by its largest singular value, as it is known after one more power iteration.

    In evaluation mode, as it was known before. In fp32 everywhere: CUDA's autocast would iterate in bf16.

    Args:
        layers: of `torch.nn.utils.parametrizations.spectral_norm`, one at least, all in the same mode.
    """
    kernels = [layer.get_parameter("parametrizations.weight.original") for layer in layers]
    with torch.autocast(kernels[0].device.type, enabled=False):
        if not layers[0].training:
            return [layer.weight for layer in layers]
        return list(_Divided.apply(*_iterated(layers, kernels), *kernels))


@torch.no_grad()
def _iterated(
    layers: Sequence[nn.Conv2d], kernels: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """Take one step of the power iteration for each kernel, as a matrix W; its vectors u and v are kept in its layer.

    Returns:
        u = W v / |W v|, of the v before; the new v = Wᵀ u / |Wᵀ u|; and uᵀ W v, which is |Wᵀ u|.
    """
    kept = [layer.get_buffer(f"parametrizations.weight.0.{name}") for name in ("_u", "_v") for layer in layers]
    count, matrices = len(layers), [kernel.flatten(1) for kernel in kernels]
    there = [torch.mv(matrix, v) for matrix, v in zip(matrices, kept[count:], strict=True)]
    back = [torch.mv(matrix.T, along) for matrix, along in zip(matrices, there, strict=True)]
    lengths = torch._foreach_norm([*there, *back])
    torch._foreach_clamp_min_(lengths, SHORTEST)
    vectors = torch._foreach_div([*there, *back], lengths)
    torch._foreach_copy_(kept, vectors)  # what is returned stays as it is, whatever the next step makes of those
    return list(vectors[:count]), list(vectors[count:]), list(torch._foreach_div(lengths[count:], lengths[:count]))


class _Divided(torch.autograd.Function):
    """Kernels W over their largest singular values s = uᵀ W v, of which u and v are taken as constants."""

    @staticmethod
    def forward(ctx: Any, left: list[Tensor], right: list[Tensor], largest: list[Tensor], *kernels: Tensor) -> Any:
        ctx.save_for_backward(*left, *right, *largest, *kernels)
        return tuple(torch._foreach_div(kernels, largest))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """G / s - <G, W> / s² · u vᵀ."""
        saved, count = ctx.saved_tensors, len(gradients)
        left, right, largest, kernels = (saved[k * count : (k + 1) * count] for k in range(4))
        found = torch._foreach_div(gradients, largest)
        shares = torch._foreach_div([product.sum() for product in torch._foreach_mul(found, kernels)], largest)
        columns = [u.view(-1, 1, 1, 1) for u in torch._foreach_mul(left, shares)]
        rows = [v.view(kernel.shape[1:]) for v, kernel in zip(right, kernels, strict=True)]
        torch._foreach_addcmul_(found, columns, rows, value=-1)
        return None, None, None, *found
