"""Through what the perceptual loss looks: VGG16, or EfficientNet-Lite0 where no file of VGG16's weights is named."""

import torch
from torch import Tensor, nn

from xrgan.gan.networks.efficientnet_lite0 import EfficientNetLite0
from xrgan.gan.networks.projected import channel_to_rgb

RESOLUTIONS = 3  # strides 4, 8 and 16: textures and parts; the last one sees the whole chest at a place


class PerceptualLite0(nn.Module):
    """Images (N, C + M, S, S) in [-1, 1] → EfficientNet-Lite0's features of their X-rays at S/4, S/8, S/16.

    Args:
        channels: of an X-ray: C = 1 or 3.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.features = EfficientNetLite0(channel_to_rgb(channels, 0))

    def forward(self, images: Tensor) -> list[Tensor]:
        seen: list[Tensor] = self.features(images[:, : self.channels], RESOLUTIONS)
        return seen


def perceptual_network(weights: str, channels: int, device: torch.device) -> nn.Module:
    """The frozen network of the perceptual loss, on the device: images → features for `losses.feature_distance`.

    Args:
        weights: a file of VGG16's; empty = EfficientNet-Lite0, whose weights come with xrgan.

    Raises:
        XrganError: the file is missing or holds no VGG16.
    """
    if not weights:
        return PerceptualLite0(channels).to(device)
    from xrgan.gan.networks.vgg16 import VGG16  # torchvision takes a second to import

    return VGG16(weights, channels).to(device)
