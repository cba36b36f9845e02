"""The default networks: eigen X-rays, the decoder that refines them, and how both grow."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from xrgan.gan.networks.eigen import (
    Discriminator,
    EigenImages,
    Generator,
    base_of,
    coarse_size,
    growth,
    maps_at,
    resolutions,
)


@pytest.mark.parametrize("size", [8, 16, 24, 32, 64, 96, 128, 224, 256, 512])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 2)])
def test_shapes(size: int, channels: int, classes: int) -> None:
    generator = Generator((size,), channels, latent_size=10, width=4, classes=classes)
    discriminator = Discriminator((size,), channels, width=4, classes=classes)
    labels = torch.tensor([0, 1, 1]) if classes else None
    images = generator(torch.randn(3, 10), labels)
    assert images.shape == (3, channels, size, size)
    assert discriminator(images, labels).shape == (3,)
    assert [maps.shape[-1] for maps in discriminator.features(images)] == resolutions(base_of((size,)), size // 2)[::-1]


def few(n: int = 400, size: int = 16, channels: int = 2) -> tuple[Tensor, Tensor]:
    """Images that two directions and a class make: x = class's mean + 3 a u + b v."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n)
    means, (u, v) = rng.standard_normal((2, channels, size, size)), np.linalg.qr(rng.standard_normal((512, 2)))[0].T
    a, b = rng.standard_normal((2, n, 1))
    rest = (3 * a * u + b * v).reshape(n, channels, size, size)
    return torch.from_numpy(means[labels] + rest).float(), torch.from_numpy(labels)


def test_eigen_x_rays_have_the_images_means_and_variances() -> None:
    images, labels = few()
    eigen = EigenImages(16, channels=2, latent_size=6, classes=2)
    eigen.fit(images, labels)
    for label in (0, 1):
        assert torch.allclose(eigen.mean[label], images[labels == label].mean(dim=0), atol=1e-5)
    deviations = eigen.components.norm(dim=1)
    residual = images - eigen.mean[labels]
    assert deviations[:2].square().sum().item() == pytest.approx(residual.flatten(1).var(dim=0).sum().item(), rel=0.02)
    assert deviations[0].item() == pytest.approx(3, rel=0.1) and deviations[1].item() == pytest.approx(1, rel=0.1)
    assert (deviations[2:] < 1e-3).all()
    drawn = eigen(
        torch.randn(5000, 6, generator=torch.Generator().manual_seed(0)), torch.zeros(5000, dtype=torch.int64)
    )
    assert torch.allclose(drawn.mean(dim=0), eigen.mean[0], atol=0.02)
    covariance = torch.cov(drawn.flatten(1).T), torch.cov((residual).flatten(1).T)
    assert torch.allclose(*covariance, atol=0.1 * covariance[1].abs().max().item())


def test_no_component_stands_for_few_patients() -> None:
    """With 40 images, 5 components at most: one for 8 images; the other latents drive the decoder alone."""
    eigen = EigenImages(16, channels=1, latent_size=20, classes=0)
    eigen.fit(torch.randn(40, 1, 16, 16, generator=torch.Generator().manual_seed(0)), torch.full((40,), -1))
    assert (eigen.components.norm(dim=1) > 0).tolist() == [True] * 5 + [False] * 15


def test_a_network_on_another_device_is_fitted_from_the_cpu() -> None:
    """The meta device, which like a GPU refuses to be mixed with the CPU, stands in for one."""
    images, labels = few(40)
    eigen = EigenImages(16, 2, 4, 2).to("meta")
    eigen.fit(images, labels)
    assert eigen.components.device.type == eigen.mean.device.type == "meta"


def test_without_components_the_decoder_draws_everything() -> None:
    images, labels = few()
    generator = Generator((16,), 2, 6, 4, classes=2, components=0)
    generator.fit(images, labels)
    assert not generator.eigen(torch.randn(3, 6), labels[:3]).any()
    some = EigenImages(16, 2, 6, 2, most=1)
    some.fit(images, labels)
    assert (some.components.norm(dim=1) > 0).tolist() == [True] + [False] * 5


def test_a_class_without_images_takes_everyones_mean() -> None:
    images = torch.randn(30, 1, 8, 8)
    eigen = EigenImages(8, 1, 2, classes=2)
    eigen.fit(images, torch.zeros(30, dtype=torch.int64))
    assert torch.allclose(eigen.mean[1], images.mean(dim=0), atol=1e-6)


@pytest.mark.parametrize(("size", "coarse"), [(16, 16), (64, 64), (96, 48), (128, 64), (224, 56), (512, 64)])
def test_eigen_x_rays_of_large_images_are_coarse(size: int, coarse: int) -> None:
    assert coarse_size(size) == coarse
    assert EigenImages(coarse_size(size), 1, 4, 0)(torch.zeros(1, 4), None).shape[-1] == coarse


def test_the_label_changes_image_and_logit() -> None:
    torch.manual_seed(0)
    generator = Generator((16,), 1, 8, 4, classes=2).eval()
    discriminator = Discriminator((16,), 1, 4, classes=2).eval()
    zero, one = (generator(torch.ones(1, 8), torch.tensor([label])) for label in (0, 1))
    assert not torch.equal(zero, one)
    assert discriminator(zero, torch.tensor([0])) != discriminator(zero, torch.tensor([1]))


def test_networks_of_different_sizes_share_their_layers() -> None:
    small, large = (Generator((size,), 1, 8, 16).state_dict() for size in (32, 64))
    shared = {key for key in small if key in large and not key.startswith("eigen.")}
    assert all(small[key].shape == large[key].shape for key in shared)
    assert {key for key in small if not key.startswith("eigen.")} - shared == {"heads.32.weight", "heads.32.bias"}
    assert [maps_at(size, 48) for size in (4, 8, 16, 32, 64, 128, 256)] == [384, 192, 96, 48, 24, 12, 12]


@pytest.mark.parametrize(
    ("grown", "expected"),
    [(0, (8, 8, 1)), (0.25, (16, 8, 0.25)), (1, (16, 16, 1)), (1.5, (32, 16, 0.5)), (2, (32, 32, 1))],
)
def test_growth(grown: float, expected: tuple[int, int, float]) -> None:
    assert growth((8, 16, 32), grown) == expected


def test_a_growing_generator_fades_from_one_resolution_to_the_next() -> None:
    torch.manual_seed(0)
    generator = Generator((8, 16, 32), 1, 6, 4, fades=True).eval()
    generator.fit(torch.randn(80, 1, 32, 32), torch.zeros(80, dtype=torch.int64))
    z = torch.randn(2, 6)

    def at(grown: float) -> Tensor:
        generator.grown = grown
        drawn: Tensor = generator(z).detach()
        return drawn

    coarse, fine = at(0), at(1)
    assert torch.allclose(interpolate(avg_pool2d(coarse, 4), scale_factor=4), coarse), "8 pixels, shown as 32"
    assert not torch.allclose(interpolate(avg_pool2d(fine, 4), scale_factor=4), fine)
    assert torch.allclose(at(0.25), 0.75 * coarse + 0.25 * fine, atol=1e-5)
    assert torch.allclose(at(1.001), fine, atol=0.01)


def test_a_growing_discriminator_fades_too() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator((8, 16, 32), 1, 4)
    x = torch.randn(2, 1, 32, 32)
    logits = {}
    for grown in (0, 0.001, 0.999, 1):
        discriminator.grown = grown
        logits[grown] = discriminator(x)
    assert torch.allclose(logits[0], logits[0.001], atol=1e-3) and torch.allclose(logits[0.999], logits[1], atol=1e-3)
    assert torch.allclose(discriminator(x), discriminator(interpolate(avg_pool2d(x, 2), scale_factor=2)), atol=1e-6)
    discriminator.grown = 2
    assert not torch.allclose(discriminator(x), discriminator(interpolate(avg_pool2d(x, 2), scale_factor=2)))


def test_no_bias_drowns_what_a_fresh_discriminator_sees() -> None:
    """Weights begin at 0.02: beside biases of torch's own size, the image would hardly change what comes out."""
    torch.manual_seed(0)
    discriminator = Discriminator((32,), 1, 8)
    assert discriminator(torch.zeros(1, 1, 32, 32)).item() == 0
    assert discriminator(torch.randn(1, 1, 32, 32)).item() != 0


def test_a_next_resolution_adds_nothing_at_first_to_the_enlarged_image_of_the_one_before() -> None:
    torch.manual_seed(0)
    generator = Generator((8, 16, 32), 1, 6, 4, classes=2).eval()
    generator.fit(torch.randn(80, 1, 32, 32), torch.arange(80) % 2)
    z, labels = torch.randn(2, 6), torch.tensor([0, 1])
    images = []
    for position in range(3):
        generator.grow(position)
        images.append(generator(z, labels).detach())
    assert [image.shape[-1] for image in images] == [8, 16, 32]
    for image, larger in pairwise(images):
        assert torch.allclose(larger, interpolate(image, scale_factor=2, mode="bilinear"), atol=1e-6)
    head = generator.heads["32"].weight
    generator(z, labels).square().sum().backward()
    assert head.grad is not None and head.grad.abs().sum() > 0, "but it learns"


def test_one_resolution_alone_draws_as_before_it_could_add_to_another() -> None:
    torch.manual_seed(0)
    old = Generator((16,), 1, 8, 4, warps=2, fades=True).eval()
    new = Generator((16,), 1, 8, 4, warps=2).eval()
    new.load_state_dict(old.state_dict())
    z = torch.randn(3, 8)
    assert torch.equal(old(z), new(z))
