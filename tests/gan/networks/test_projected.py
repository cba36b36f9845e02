"""The default's discriminator, and the frozen network that it looks through."""

import pytest
import torch
from torch.nn.functional import avg_pool2d

from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.networks.efficientnet_lite0 import FEATURE_CHANNELS
from xrgan.gan.networks.projected import MOST_PIXELS_BEFORE, Discriminator, MultiScaleDiscriminator, enlarged
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import network_plan, training_plan, with_recipe


@pytest.mark.parametrize("size", [8, 16, 24, 32, 56, 96, 128, 224])
@pytest.mark.parametrize(("channels", "masks", "classes"), [(1, 0, 0), (3, 2, 2)])
def test_it_says_of_places_at_every_resolution_what_looks_real(
    size: int, channels: int, masks: int, classes: int
) -> None:
    discriminator = Discriminator(size, channels, masks, width=4, classes=classes)
    images, labels = torch.randn(2, channels + masks, size, size), torch.tensor([0, 1]) if classes else None
    features = discriminator.features(images)
    assert [maps.shape[-1] for maps in features] == [max(1, -(-size // stride)) for stride in FEATURE_CHANNELS]
    logits = discriminator(images, labels)
    assert logits.shape[0] == 2 and logits.shape[1] >= len(FEATURE_CHANNELS)
    assert logits.std() > 0


@pytest.mark.parametrize(("size", "pixels", "before"), [(32, 48, 48), (64, 96, 96), (128, 192, 128), (224, 224, 224)])
def test_small_images_are_enlarged_as_the_run_says(size: int, pixels: int, before: int) -> None:
    """Runs that don't name it saw 128 pixels at most."""
    assert (enlarged(size), enlarged(size, MOST_PIXELS_BEFORE)) == (pixels, before)
    model = resolve([]).model.model_copy(update={"latent_size": 8, "generator_width": 4, "discriminator_width": 4})
    spec = ImageSpec(size, channels=1, classes=0)
    for chosen, expected in ((0, before), (pixels, pixels)):
        named = model.model_copy(update={"discriminator": "projected", "discriminator_pixels": chosen})
        discriminator = build(network_plan(named), spec)[1]
        assert isinstance(discriminator, Discriminator) and discriminator.pixels == expected


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
    _, discriminator = build(training_plan(config).model, ImageSpec(32, 1, 0))
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


def test_an_image_is_looked_at_in_every_size_that_the_generator_has_grown_through() -> None:
    discriminator = MultiScaleDiscriminator((16, 32), 48, 1, 0, width=4, classes=2).eval()
    images, labels, each = torch.randn(2, 1, 32, 32), torch.tensor([0, 1]), len(FEATURE_CHANNELS)
    small, large = (discriminator.views[size] for size in ("16", "32"))
    assert isinstance(small, Discriminator) and isinstance(large, Discriminator)
    assert (small.pixels, large.pixels) == (24, 48) and small.frozen is large.frozen
    assert len(discriminator.features(images)) == 2 * each
    both = torch.cat([small(avg_pool2d(images, 2), labels), large(images, labels)], dim=1)
    assert torch.equal(discriminator(images, labels), both)
    discriminator.grow(0)
    assert len(discriminator.features(images)) == each
    assert torch.equal(discriminator(avg_pool2d(images, 2), labels), small(avg_pool2d(images, 2), labels))


def test_the_frozen_network_of_all_sizes_is_kept_in_bf16_once() -> None:
    discriminator = MultiScaleDiscriminator((16, 32), 48, 1, 0, width=4)
    discriminator.run_in_bf16()
    names = [name for name, _ in discriminator.named_buffers()]
    assert sum(name.endswith("stem_kernel_in_bf16") for name in names) == 1
    assert sum(name.endswith("mix4_in_bf16") for name in names) == 2
    assert all(name.startswith("views.") and ".heads." in name for name in discriminator.state_dict())


@pytest.mark.parametrize(("growth", "expected"), [("residual", MultiScaleDiscriminator), ("fade", Discriminator)])
def test_runs_whose_sizes_faded_in_were_looked_at_in_one_size(growth: str, expected: type) -> None:
    settings = ["discriminator=projected", "progressive=16,32", f"growth={growth}", "generator_width=4"]
    model = resolve(settings=[f"model.{setting}" for setting in (*settings, "latent_size=8")]).model
    assert type(build(network_plan(with_recipe(Config(model=model)).model), ImageSpec(32, 1, 0))[1]) is expected
