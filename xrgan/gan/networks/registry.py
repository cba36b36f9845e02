"""The networks by name."""

from collections.abc import Callable
from dataclasses import dataclass

from xrgan.config import ModelConfig
from xrgan.errors import XrganError
from xrgan.gan.networks import dcgan, eigen, projected

Generator = eigen.Generator | dcgan.Generator
Discriminator = eigen.Discriminator | dcgan.Discriminator | projected.Discriminator


@dataclass(frozen=True)
class ImageSpec:
    """What the networks draw: S × S pixels, C channels of the X-ray and one a mask, K classes (0 = unconditional)."""

    size: int
    channels: int
    classes: int
    masks: tuple[str, ...] = ()

    @property
    def all_channels(self) -> int:
        """The mask is a channel: one generator draws image and mask together."""
        return self.channels + len(self.masks)


def _sizes(model: ModelConfig, spec: ImageSpec) -> tuple[int, ...]:
    """The resolutions that a model grows through, the last one that of the images."""
    sizes = model.progressive or (spec.size,)
    if sizes[-1] != spec.size:
        raise ValueError(f"model.progressive ends with {sizes[-1]}, and the images have {spec.size} pixels")
    return sizes


def _eigen(model: ModelConfig, spec: ImageSpec) -> Generator:
    channels, z = spec.all_channels, int(model.latent_size)
    sizes, width = _sizes(model, spec), int(model.generator_width)
    return eigen.Generator(sizes, channels, z, width, spec.classes, int(model.components))


def _eigen_plain(model: ModelConfig, spec: ImageSpec) -> Discriminator:
    return eigen.Discriminator(_sizes(model, spec), spec.all_channels, int(model.discriminator_width), spec.classes)


def _dcgan(model: ModelConfig, spec: ImageSpec) -> Generator:
    if model.progressive:
        raise ValueError("dcgan does not grow: model.progressive is eigen's")
    return dcgan.Generator(
        spec.size, spec.all_channels, int(model.latent_size), int(model.generator_width), spec.classes
    )


def _dcgan_plain(model: ModelConfig, spec: ImageSpec) -> Discriminator:
    return dcgan.Discriminator(spec.size, spec.all_channels, int(model.discriminator_width), spec.classes)


def _projected(model: ModelConfig, spec: ImageSpec) -> Discriminator:
    width = int(model.discriminator_width)
    return projected.Discriminator(spec.size, spec.channels, len(spec.masks), width, spec.classes)


GENERATORS: dict[str, Callable[[ModelConfig, ImageSpec], Generator]] = {"eigen": _eigen, "dcgan": _dcgan}
PLAIN: dict[str, Callable[[ModelConfig, ImageSpec], Discriminator]] = {"eigen": _eigen_plain, "dcgan": _dcgan_plain}


def build(model: ModelConfig, spec: ImageSpec) -> tuple[Generator, Discriminator]:
    """Generator and discriminator, freshly initialised from torch's global generator.

    Raises:
        XrganError: the model can't draw images of that size.
    """
    try:
        discriminator = _projected if model.discriminator == "projected" else PLAIN[model.name]
        return GENERATORS[model.name](model, spec), discriminator(model, spec)
    except ValueError as error:
        advice = "Prepare the images at 32, 64, 96, 128, 224, 256 or 512 pixels: `xrgan prepare --size 64`."
        raise XrganError(f"{error}.", "" if model.progressive else advice) from error
