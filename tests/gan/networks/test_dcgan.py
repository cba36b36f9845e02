import pytest
import torch

from xrgan.gan.networks.dcgan import Discriminator, Generator


@pytest.mark.parametrize("size", [8, 16, 24, 32, 64, 80, 96, 128, 224, 256])
@pytest.mark.parametrize(("channels", "classes"), [(1, 0), (3, 2)])
def test_shapes_and_range(size: int, channels: int, classes: int) -> None:
    generator = Generator(size, channels, latent_size=10, width=4, classes=classes)
    discriminator = Discriminator(size, channels, width=4, classes=classes)
    labels = torch.tensor([0, 1, 1]) if classes else None
    images = generator(torch.randn(3, 10), labels)
    assert images.shape == (3, channels, size, size)
    assert images.abs().max() <= 1
    assert discriminator(images, labels).shape == (3,)


def test_at_64_pixels_it_is_the_network_of_the_paper() -> None:
    generator = Generator(64, 3, latent_size=100, width=64)
    maps = [m.out_channels for m in generator.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
    assert maps == [512, 256, 128, 64, 3]
    # pytorch/examples' DCGAN, which has the same layers, counts these parameters.
    assert sum(p.numel() for p in generator.parameters()) == 3_576_704
    discriminator = Discriminator(64, 3, width=64)
    assert sum(p.numel() for p in discriminator.parameters()) == 2_765_568
    norms = [any(isinstance(m, torch.nn.BatchNorm2d) for m in stage.modules()) for stage in discriminator.stages]
    assert norms == [False, True, True, True], "the first layer has no BatchNorm"


def test_the_label_changes_image_and_logit() -> None:
    torch.manual_seed(0)
    generator = Generator(16, 1, 8, 4, classes=2).eval()
    discriminator = Discriminator(16, 1, 4, classes=2).eval()
    z = torch.randn(1, 8)
    zero, one = generator(z, torch.tensor([0])), generator(z, torch.tensor([1]))
    assert not torch.equal(zero, one)
    assert discriminator(zero, torch.tensor([0])) != discriminator(zero, torch.tensor([1]))
