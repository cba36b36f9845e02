"""What training may ask of a network that has nothing to say to it: a generator of one layer, and a discriminator."""

import torch
from torch import Tensor, nn

from xrgan.gan.networks import base
from xrgan.gan.networks.base import ImageSpec


class Generator(base.Generator):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 16)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        assert labels is None
        images: Tensor = self.layer(z)
        return images.view(-1, 1, 4, 4)


class Discriminator(base.Discriminator):
    def features(self, images: Tensor) -> list[Tensor]:
        return [images.mean(dim=1, keepdim=True)]

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        assert labels is None
        return features[-1].mean(dim=(1, 2, 3))


def test_a_generator_needs_no_more_than_forward() -> None:
    generator = Generator()
    z = torch.randn(2, 3)
    before = generator(z)
    generator.fit(torch.zeros(0, 1, 4, 4), torch.zeros(0))
    generator.grow(0.5)
    assert torch.equal(generator(z), before)
    assert generator.fit_images == 0 and generator.fitted_modules == ()


def test_a_discriminator_is_its_features_and_their_logits() -> None:
    discriminator = Discriminator()
    images = torch.randn(2, 1, 4, 4)
    discriminator.grow(1)
    assert torch.equal(discriminator(images), discriminator.logits(discriminator.features(images), None))


def test_a_mask_is_a_channel() -> None:
    assert ImageSpec(16, 3, 2, ("lungs", "heart")).all_channels == 5
