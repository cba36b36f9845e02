"""What VGG16 sees: the right layers, from a file that is checked."""

import os
from pathlib import Path

import pytest
import torch
from torchvision.models import vgg16

from tests.gan.helpers import weights_file
from xrgan.errors import XrganError
from xrgan.gan.losses import feature_distance
from xrgan.gan.networks.vgg16 import LAYERS_USED, VGG16

pytestmark = pytest.mark.slow

REAL = Path(__file__).parents[3] / os.environ.get("XRGAN_REAL_DATA", "../shared/data")
WEIGHTS = REAL.parent / "weights" / "vgg16_features_relu3_3.pth"


@pytest.mark.parametrize("channels", [1, 3])
def test_its_layers_are_those_of_torchvision(tmp_path: Path, channels: int) -> None:
    weights = weights_file(tmp_path)
    network = VGG16(str(weights), channels)
    x = torch.rand(2, channels + 1, 32, 32) * 2 - 1  # the last channel is a mask: it is not looked at
    seen = network(x)
    assert [tuple(maps.shape) for maps in seen] == [(2, 64, 32, 32), (2, 128, 16, 16), (2, 256, 8, 8)]
    theirs = vgg16().features[:LAYERS_USED]
    theirs.load_state_dict({key.removeprefix("features."): value for key, value in torch.load(weights).items()})
    rgb = (x[:, :channels].expand(-1, 3, -1, -1) + 1) / 2
    normalised = (rgb - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(
        3, 1, 1
    )
    assert torch.allclose(seen[2], theirs(normalised), atol=1e-5)
    assert all((maps >= 0).all() for maps in seen)


def test_gradients_reach_the_image_and_no_weight(tmp_path: Path) -> None:
    network = VGG16(str(weights_file(tmp_path)), 1)
    x = torch.rand(2, 1, 16, 16, requires_grad=True)
    feature_distance(network(torch.zeros(2, 1, 16, 16)), network(x)).backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert not any(weight.requires_grad for weight in network.parameters())


@pytest.mark.parametrize("broken", ["absent", "text", "letter", "other"])
def test_weights_that_are_none_are_one_sentence(tmp_path: Path, broken: str) -> None:
    path = tmp_path / broken
    if broken == "text":
        path.write_text("no weights")
    if broken == "letter":
        path.write_text("hello world")
    if broken == "other":
        torch.save({"features.0.weight": torch.zeros(3)}, path)
    expected = "There is no file" if broken == "absent" else "no weights|not VGG16"
    with pytest.raises(XrganError, match=expected) as caught:
        VGG16(str(path), 1)
    assert "vgg16-397923af.pth" in caught.value.hint


@pytest.mark.skipif(not WEIGHTS.is_file(), reason="the real weights are not here")
def test_the_real_weights_tell_a_picture_from_its_noise() -> None:
    network = VGG16(str(WEIGHTS), 1)
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    noisy, brighter = ramp + 0.3 * torch.randn(1, 1, 32, 32), (ramp + 0.05).clamp(-1, 1)
    near, far = (feature_distance(network(ramp), network(x)) for x in (brighter, noisy))
    assert far > 5 * near
