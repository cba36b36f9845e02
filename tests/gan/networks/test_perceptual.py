"""Through what the perceptual loss looks."""

from pathlib import Path

import torch

from tests.gan.helpers import weights_file
from xrgan.gan.losses import feature_distance
from xrgan.gan.networks.perceptual import PerceptualLite0, perceptual_network
from xrgan.gan.networks.vgg16 import VGG16


def test_a_named_file_is_vgg16_and_none_is_lite0(tmp_path: Path) -> None:
    assert isinstance(perceptual_network(str(weights_file(tmp_path)), 1, torch.device("cpu")), VGG16)
    assert isinstance(perceptual_network("", 1, torch.device("cpu")), PerceptualLite0)


def test_lite0_sees_the_x_ray_alone_and_passes_the_gradient_on() -> None:
    network = perceptual_network("", 1, torch.device("cpu"))
    pair = (2 * torch.rand(2, 2, 32, 32, generator=torch.manual_seed(0)) - 1).requires_grad_()
    other = torch.cat([pair[:, :1], -pair[:, 1:]], dim=1)
    features = network(pair)
    assert [maps.shape[1:] for maps in features] == [(24, 8, 8), (40, 4, 4), (112, 2, 2)]
    assert all(map(torch.equal, features, network.features(pair[:, :1]))), "the first three of four"
    assert float(feature_distance(network(other), features).detach()) == 0, "the mask doesn't matter"
    feature_distance(network(torch.zeros(2, 2, 32, 32)), features).backward()
    assert pair.grad is not None and pair.grad[:, 0].abs().sum() > 0 and not pair.grad[:, 1].any()
    assert not list(network.parameters())
