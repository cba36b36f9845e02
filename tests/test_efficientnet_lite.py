"""EfficientNet-Lite, with the weights of Lite0, which are on every machine."""

import pytest
import skimage.data
import torch
from torch.nn.functional import conv2d, interpolate, relu6

from xrgan.efficientnet_lite import fused
from xrgan.gan.networks import efficientnet_lite0
from xrgan.gan.networks.efficientnet_lite0 import EfficientNetLite0
from xrgan.gan.networks.projected import channel_to_rgb


@pytest.mark.parametrize(("picture", "classes"), [("chelsea", {281, 282, 285}), ("coffee", {967})])
def test_the_frozen_network_knows_cats_and_coffee(picture: str, classes: set[int]) -> None:
    """With its own last layers behind it, it answers as ImageNet's classifiers do: every layer is where it belongs."""
    photo = torch.from_numpy(getattr(skimage.data, picture)().copy()).permute(2, 0, 1)[None].float()
    side = min(photo.shape[2:])
    top, left = ((length - side) // 2 for length in photo.shape[2:])
    square = interpolate(photo[..., top : top + side, left : left + side], size=224, mode="bilinear", antialias=True)
    weights = efficientnet_lite0._weights()
    kernel, bias = fused(weights, "_conv_head.weight", "_bn1")
    pooled = relu6(conv2d(EfficientNetLite0(torch.eye(3))(square / 127.5 - 1)[-1], kernel, bias)).mean(dim=(2, 3))
    shares = (pooled @ weights["_fc.weight"].T + weights["_fc.bias"]).softmax(dim=1)[0]
    assert int(shares.argmax()) in classes
    assert float(shares[list(classes)].sum()) > 0.8


def test_gray_is_seen_as_three_equal_colours() -> None:
    gray = torch.randn(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    ours, theirs = (
        EfficientNetLite0(channel_to_rgb(1, 0))(gray),
        EfficientNetLite0(torch.eye(3))(gray.expand(-1, 3, -1, -1)),
    )
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, atol=1e-3)
