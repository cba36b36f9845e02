"""EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946; Google's Lite edition), frozen, up to its last block's features.

A network that has seen ImageNet tells textures and shapes apart from the first step on. These ones are light: no
squeeze-and-excitation, ReLU6, 3.4 (Lite0) to 4.9 million (Lite2) weights.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, relu6

from xrgan.frozen_convolutions import depthwise, frozen, own_gradient, pointwise

EPSILON = 1e-3  # of its BatchNorms

STAGES = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))
"""Kernel, stride of the first block, expansion: Table 1 of the paper. How many channels, the weights' shapes say."""
LITE0, DEEPER = (1, 2, 2, 3, 3, 4, 1), (1, 3, 3, 4, 4, 5, 1)
"""Blocks of each stage; DEEPER are Lite1 and Lite2, which is wider, too."""

State = dict[str, Tensor]


class EfficientNetLite(nn.Module):
    """Images (N, C, S, S) in [-1, 1] → features at the end of each resolution: (N, …, S/4, S/4) … (N, …, S/32, S/32).

    Weights are buffers: no optimizer, no checkpoint and no average knows them; only gradients pass through.

    Args:
        state: the published weights, by their names.
        repeats: LITE0 or DEEPER.
        to_rgb: (3, C), how the channels make the red, green and blue that the network knows.
    """

    def __init__(self, state: State, repeats: Sequence[int], to_rgb: Tensor) -> None:
        super().__init__()
        kernel, bias = fused(state, "_conv_stem.weight", "_bn0")
        self._add_layer("stem", torch.einsum("orhw,rc->ochw", kernel, to_rgb), bias)
        self._blocks: list[tuple[int, int, int, bool]] = []  # number, kernel, stride, whether its input is added
        number = 0
        for times, (size, stride, expansion) in zip(repeats, STAGES, strict=True):
            for repeat in range(times):
                block = f"_blocks.{number}."
                if expansion > 1:
                    self._add_layer(f"expand{number}", *fused(state, f"{block}_expand_conv.weight", f"{block}_bn0"))
                self._add_layer(f"depthwise{number}", *fused(state, f"{block}_depthwise_conv.weight", f"{block}_bn1"))
                self._add_layer(f"project{number}", *fused(state, f"{block}_project_conv.weight", f"{block}_bn2"))
                self._blocks.append((number, size, stride if repeat == 0 else 1, repeat > 0))
                number += 1

    def forward(self, images: Tensor, resolutions: int = 4) -> list[Tensor]:
        """Compute the features of so many resolutions, the finest first."""
        maps = relu6(self._conv(images.contiguous(memory_format=torch.channels_last), "stem", 3, 2))
        features: list[Tensor] = []
        for number, size, stride, adds in self._blocks:
            if stride == 2 and number > 1:  # the last of a resolution
                features.append(maps)
                if len(features) == resolutions:
                    return features
            hidden = relu6(self._conv(maps, f"expand{number}", 1, 1)) if number else maps
            hidden = relu6(self._conv(hidden, f"depthwise{number}", size, stride, groups=hidden.shape[1]))
            hidden = self._conv(hidden, f"project{number}", 1, 1)
            maps = maps + hidden if adds else hidden
        return [*features, maps]

    def _add_layer(self, name: str, kernel: Tensor, bias: Tensor) -> None:
        self.register_buffer(f"{name}_kernel", kernel.contiguous(memory_format=torch.channels_last), persistent=False)
        self.register_buffer(f"{name}_bias", bias, persistent=False)

    def _conv(self, maps: Tensor, name: str, size: int, stride: int, groups: int = 1) -> Tensor:
        kernel, bias = frozen(self, f"{name}_kernel"), frozen(self, f"{name}_bias")
        # As TensorFlow pads, where the weights were learned: an even size by one pixel less before than behind.
        before = size // 2 - (stride == 2 and maps.shape[-1] % 2 == 0)
        if own_gradient(maps):
            if size == 1:
                return pointwise(maps, kernel, bias)
            if groups > 1:
                return depthwise(maps, kernel, bias, stride, before)
        if stride == 1:
            return conv2d(maps, kernel, bias, padding=size // 2, groups=groups)
        return conv2d(pad(maps, (before, size // 2) * 2), kernel, bias, stride=stride, groups=groups)


def fused(state: State, kernel: str, norm: str) -> tuple[Tensor, Tensor]:
    """Make a convolution and the BatchNorm behind it one: kernel and bias."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return state[kernel] * scale[:, None, None, None], bias
