"""EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946; Google's Lite edition) as a classifier that can learn.

Its modules are named as in the published weights. `xrgan.efficientnet_lite` is the same network, frozen.
"""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from xrgan.efficientnet_lite import EPSILON, STAGES
from xrgan.lite_weights import LITES, Lite

ARCHS: Mapping[str, Lite] = {f"efficientnet-{name}": lite for name, lite in LITES.items()}
"""`--arch` → its published weights."""

HEAD = "_fc"
MEAN, STD = 127 / 255, 128 / 255
"""What the published weights saw, for pixels in [0, 1]."""

CHANNELS = {"lite0": (32, 16, 24, 40, 80, 112, 192, 320), "lite2": (32, 16, 24, 48, 88, 120, 208, 352)}
"""Of the stem and of each stage; Lite1's are Lite0's. Lite2's are 1.1 times as many, in eights."""

FOLDED = {"_conv_stem": "_bn0", "_conv_head": "_bn1"}
FOLDED_OF_BLOCK = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
"""A convolution → the BatchNorm behind it."""

LAST, CLASSES, DROPOUT, MOMENTUM = 1280, 1000, 0.2, 0.01


class Convolution(nn.Conv2d):
    """It pads as TensorFlow does, where the weights were learned: an even size by less before than behind."""

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) → (N, F, H / stride, W / stride), rounded up."""
        half = self.kernel_size[0] // 2
        before = [half - (self.stride[0] == 2 and length % 2 == 0) for length in maps.shape[2:]]
        return super().forward(pad(maps, (before[1], half, before[0], half)) if half else maps)


class Block(nn.Module):
    """Expansion, depthwise convolution and projection (MobileNetV2's inverted bottleneck), with ReLU6."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and channels == out
        if self.expands:
            self._expand_conv, self._bn0 = _convolution(channels, wide, 1), _norm(wide)
        self._depthwise_conv, self._bn1 = _convolution(wide, wide, kernel, stride, wide), _norm(wide)
        self._project_conv, self._bn2 = _convolution(wide, out, 1), _norm(out)

    def forward(self, maps: Tensor) -> Tensor:
        """(N, C, H, W) → (N, out, H / stride, W / stride)."""
        hidden = nn.functional.relu6(self._bn0(self._expand_conv(maps))) if self.expands else maps
        hidden = nn.functional.relu6(self._bn1(self._depthwise_conv(hidden)))
        out: Tensor = self._bn2(self._project_conv(hidden))
        return maps + out if self.adds else out


class EfficientNetLite(nn.Module):
    """Images (N, 3, H, W), normalised, → logits (N, 1000).

    Args:
        pixels: height and width to which smaller images are enlarged; 0 = none are.
    """

    def __init__(self, lite: Lite, pixels: int) -> None:
        super().__init__()
        self.pixels = pixels
        stem, *widths = CHANNELS.get(lite.name, CHANNELS["lite0"])
        self._conv_stem, self._bn0 = _convolution(3, stem, 3, 2), _norm(stem)
        blocks, channels = [], stem
        for times, width, (kernel, stride, expansion) in zip(lite.repeats, widths, STAGES, strict=True):
            for repeat in range(times):
                blocks.append(Block(channels, width, kernel, 1 if repeat else stride, expansion))
                channels = width
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = _convolution(channels, LAST, 1), _norm(LAST)
        self._fc: nn.Module = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(LAST, CLASSES))

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[-1] < self.pixels:
            size = (self.pixels, self.pixels)
            images = interpolate(images, size, mode="bilinear", align_corners=False)
        maps = nn.functional.relu6(self._bn0(self._conv_stem(images.contiguous(memory_format=torch.channels_last))))
        for block in self._blocks:
            maps = block(maps)
        maps = nn.functional.relu6(self._bn1(self._conv_head(maps)))
        out: Tensor = self._fc(maps.mean(dim=(2, 3)))
        return out


def folded(network: EfficientNetLite) -> EfficientNetLite:
    """Copy a network that no longer learns, each BatchNorm made part of its convolution.

    It answers alike, and on a CPU in half the time.
    """
    copy = deepcopy(network).eval().requires_grad_(False)
    _fold(copy, FOLDED)
    for block in copy._blocks:
        _fold(block, FOLDED_OF_BLOCK)
    return copy.to(memory_format=torch.channels_last)


def _fold(module: nn.Module, norms: Mapping[str, str]) -> None:
    for name, convolution in list(module.named_children()):
        if isinstance(convolution, Convolution):
            norm = module.get_submodule(norms[name])
            assert isinstance(norm, nn.BatchNorm2d)
            setattr(module, name, fuse_conv_bn_eval(convolution, norm))
            setattr(module, norms[name], nn.Identity())


def _convolution(channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> Convolution:
    return Convolution(channels, out, kernel, stride, groups=groups, bias=False)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON, momentum=MOMENTUM)
