from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision import models

from xrgan.downstream.classification.networks import HEADS, IMAGENET_MEAN, IMAGENET_STD, SMALLEST_IMAGE, build

pytestmark = pytest.mark.slow

SEED = 3


def seeded_build(arch: str, channels: int, classes: int = 2, weights: str = "none", unfreeze: bool = False):
    torch.manual_seed(SEED)
    return build(arch, channels, classes, weights, unfreeze)


def some_images(count: int, channels: int, size: int) -> Tensor:
    return torch.randint(0, 256, (count, channels, size, size), dtype=torch.uint8, generator=torch.manual_seed(0))


@pytest.mark.parametrize("arch", HEADS)
def test_a_gray_network_answers_as_its_rgb_network_does(arch: str) -> None:
    gray, rgb = seeded_build(arch, 1).eval(), seeded_build(arch, 3).eval()
    images = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(gray.body(images), rgb.body(images.repeat(1, 3, 1, 1)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("arch", HEADS)
def test_gives_a_logit_a_class_for_the_smallest_images(arch: str) -> None:
    size = SMALLEST_IMAGE.get(arch, 8)
    network = seeded_build(arch, 1, classes=5)
    assert network.train()(some_images(2, 1, size)).shape == (2, 5)


def test_an_rgb_network_from_a_file_is_torchvisions_own_but_for_the_head(weights_file: Path) -> None:
    network = seeded_build("resnet18", 3, weights=str(weights_file)).eval()
    own = models.resnet18()
    own.load_state_dict(torch.load(weights_file, weights_only=True))
    own.fc = torch.nn.Identity()
    images = some_images(2, 3, 32)
    shape = (1, 3, 1, 1)
    normalised = (images / 255 - torch.tensor(IMAGENET_MEAN).view(shape)) / torch.tensor(IMAGENET_STD).view(shape)
    with torch.no_grad():
        torch.testing.assert_close(network.features(images), own.eval()(normalised))


def test_a_gray_network_keeps_the_file_s_weights_summed_over_rgb(weights_file: Path) -> None:
    network = seeded_build("resnet18", 1, weights=str(weights_file))
    of_file = torch.load(weights_file, weights_only=True)
    torch.testing.assert_close(network.body.conv1.weight, of_file["conv1.weight"].sum(1, keepdim=True))
    torch.testing.assert_close(network.body.layer4[1].conv2.weight, of_file["layer4.1.conv2.weight"])


def test_without_weights_pixels_are_scaled_to_minus_one_to_one() -> None:
    network = seeded_build("resnet18", 1)
    seen: list[Tensor] = []
    network.body.conv1.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.tensor([0, 255] * 128, dtype=torch.uint8).view(1, 1, 16, 16).repeat(2, 1, 1, 1))
    assert (seen[0].min(), seen[0].max()) == (-1, 1)


@pytest.mark.parametrize(
    ("from_file", "unfreeze", "body_learns"), [(True, False, False), (True, True, True), (False, False, True)]
)
def test_what_learns(from_file: bool, unfreeze: bool, body_learns: bool, weights_file: Path) -> None:
    weights = str(weights_file) if from_file else "none"
    network = seeded_build("resnet18", 1, weights=weights, unfreeze=unfreeze)
    body = {key: value.clone() for key, value in network.body.state_dict().items()}
    head = network.head[0].weight.detach().clone()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network.train()
    torch.nn.functional.cross_entropy(network(some_images(4, 1, 16)), torch.tensor([0, 1, 0, 1])).backward()
    optimizer.step()
    changed = [key for key, value in network.body.state_dict().items() if not torch.equal(value, body[key])]
    assert not torch.equal(network.head[0].weight, head)
    if body_learns:
        assert {"conv1.weight", "bn1.running_mean"} <= set(changed)
    else:
        assert changed == []  # not even the statistics of BatchNorm
