"""The networks by name."""

from collections.abc import Callable
from dataclasses import dataclass

from xrgan.config import ModelConfig
from xrgan.errors import XrganError
from xrgan.gan import dcgan, eigen

Generator = eigen.Generator | dcgan.Generator
Discriminator = eigen.Discriminator | dcgan.Discriminator


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


def _eigen(model: ModelConfig, spec: ImageSpec) -> tuple[Generator, Discriminator]:
    sizes = model.progressive or (spec.size,)
    if sizes[-1] != spec.size:
        raise ValueError(f"model.progressive ends with {sizes[-1]}, and the images have {spec.size} pixels")
    channels, z = spec.all_channels, int(model.latent_size)
    return (
        eigen.Generator(sizes, channels, z, int(model.generator_width), spec.classes, int(model.components)),
        eigen.Discriminator(sizes, channels, int(model.discriminator_width), spec.classes),
    )


def _dcgan(model: ModelConfig, spec: ImageSpec) -> tuple[Generator, Discriminator]:
    if model.progressive:
        raise ValueError("dcgan does not grow: model.progressive is eigen's")
    channels, z = spec.all_channels, int(model.latent_size)
    return (
        dcgan.Generator(spec.size, channels, z, int(model.generator_width), spec.classes),
        dcgan.Discriminator(spec.size, channels, int(model.discriminator_width), spec.classes),
    )


Builder = Callable[[ModelConfig, ImageSpec], tuple[Generator, Discriminator]]
MODELS: dict[str, Builder] = {"eigen": _eigen, "dcgan": _dcgan}


def build(model: ModelConfig, spec: ImageSpec) -> tuple[Generator, Discriminator]:
    """Generator and discriminator, freshly initialised from torch's global generator.

    Raises:
        XrganError: the model can't draw images of that size.
    """
    try:
        return MODELS[model.name](model, spec)
    except ValueError as error:
        advice = "Prepare the images at 32, 64, 96, 128, 224, 256 or 512 pixels: `xrgan prepare --size 64`."
        raise XrganError(f"{error}.", "" if model.progressive else advice) from error
