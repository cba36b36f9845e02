"""Classifiers from torchvision, and EfficientNet-Lite: uint8 images (N, C, H, W) in, logits (N, K) out, C in {1, 3}."""

from typing import Self

import torch
from torch import Tensor, nn
from torchvision import models

from xrgan.downstream.classification import efficientnet_lite as lite
from xrgan.downstream.classification import imagenet_weights as imagenet

# What the published weights saw, for pixels in [0, 1] (torchvision's own presets).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

HEADS = {
    "resnet18": "fc",
    "resnet34": "fc",
    "resnet50": "fc",
    "resnet101": "fc",
    "densenet121": "classifier",
    "efficientnet_b0": "classifier",
    **dict.fromkeys(lite.ARCHS, lite.HEAD),
}

ENLARGED_TO = 64
"""Pixels to which EfficientNet-Lite enlarges smaller images where it has seen ImageNet, at 224 pixels and more.

Kermany's X-rays of 64 pixels are told apart no better for sure at 96, 128 or 160 (AUROC 0.940, 0.936, 0.955 and 0.938
of a logistic regression on 800 of them, judged by 400 others), which takes four to nine times as long.
"""

SMALLEST_IMAGE = {"densenet121": 32}  # pixels; its last pooling finds nothing left below. The others take any size.


class Classifier(nn.Module):
    """Normalisation, a torchvision network without its head, and a head for our classes.

    `frozen`: only the head learns, and the BatchNorm layers of the body keep their statistics. The features of an
    image never change then, and can be computed once.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, body: nn.Module, head: nn.Module, mean: Tensor, std: Tensor, frozen: bool) -> None:
        super().__init__()
        self.body, self.head, self.frozen = body, head, frozen
        self.register_buffer("mean", mean.view(1, -1, 1, 1))
        self.register_buffer("std", std.view(1, -1, 1, 1))
        self.body.requires_grad_(not frozen)

    def features(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) → float (N, F)."""
        normalised = (images.float() / 255 - self.mean) / self.std
        out: Tensor = self.body(normalised)
        return out

    def forward(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) → logits (N, K)."""
        logits: Tensor = self.head(self.features(images))
        return logits

    def folded(self) -> "Classifier":
        """The same classifier with the same head, whose frozen body answers faster where that can be."""
        assert self.frozen
        body = lite.folded(self.body) if isinstance(self.body, lite.EfficientNetLite) else self.body
        return Classifier(body, self.head, self.mean, self.std, frozen=True)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self.frozen:
            self.body.eval()
        return self


def build(arch: str, channels: int, classes: int, weights: str, unfreeze: bool) -> Classifier:
    """A classifier, freshly initialised from torch's global random state.

    Pixels are normalised as the weights want it: ImageNet's mean and deviation for torchvision's (for gray images the
    means of its three channels), [-1, 1] for a network from scratch, so that no figure of the dataset
    enters the network.

    Args:
        arch: one of `HEADS`.
        channels: 1 or 3. With one, the first convolution's weights are summed over RGB, which answers a gray image
            as the RGB network answers its three equal channels.
        weights: "imagenet", "none", or a file of published weights.
        unfreeze: train every layer; else published weights stay as they are, and only the head learns.
            Without weights, every layer learns in any case.

    Raises:
        XrganError: the weights can't be had, or are those of another network.
    """
    assert channels in (1, 3) and classes >= 2
    pretrained = weights != "none"
    network = _network(arch, pretrained)
    if pretrained:
        imagenet.fill(network, imagenet.load(arch, weights), HEADS[arch], arch, weights)
    if channels == 1:
        _sum_first_convolution(network)
    head = _exchange_head(network, HEADS[arch], classes)
    mean, std = _normalisation(arch) if pretrained else ((0.5,) * 3, (0.5,) * 3)
    return Classifier(
        network, head, _per_channel(mean, channels), _per_channel(std, channels), pretrained and not unfreeze
    )


def _network(arch: str, pretrained: bool) -> nn.Module:
    """The network with its head for ImageNet's classes, without weights."""
    if arch in lite.ARCHS:
        return lite.EfficientNetLite(lite.ARCHS[arch], ENLARGED_TO if pretrained else 0)
    network: nn.Module = models.get_model(arch, weights=None)
    return network


def _normalisation(arch: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation that the published weights saw, of red, green and blue."""
    return ((lite.MEAN,) * 3, (lite.STD,) * 3) if arch in lite.ARCHS else (IMAGENET_MEAN, IMAGENET_STD)


def _sum_first_convolution(network: nn.Module) -> None:
    name, old = next((name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d))
    assert old.in_channels == 3 and old.bias is None and isinstance(old.padding, tuple)
    new = type(old)(1, old.out_channels, old.kernel_size, old.stride, old.padding, bias=False)  # type: ignore[arg-type]
    new.weight = nn.Parameter(old.weight.detach().sum(dim=1, keepdim=True))  # (F, 3, k, k) → (F, 1, k, k)
    network.set_submodule(name, new)


def _exchange_head(network: nn.Module, name: str, classes: int) -> nn.Module:
    """Take the 1000-class head off, so that the network ends in its features, and make one of its kind."""
    old = network.get_submodule(name)
    linear = old if isinstance(old, nn.Linear) else next(part for part in old.modules() if isinstance(part, nn.Linear))
    new = nn.Linear(linear.in_features, classes)
    network.set_submodule(name, nn.Identity())
    dropout = [part for part in old.modules() if isinstance(part, nn.Dropout)]
    return nn.Sequential(*dropout, new)


def _per_channel(values: tuple[float, ...], channels: int) -> Tensor:
    of_rgb = torch.tensor(values)
    return of_rgb if channels == 3 else of_rgb.mean().view(1)
