"""The networks by name, and the device and precision that they run in."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import torch

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


def choose_device(name: str) -> torch.device:
    """cpu, cuda or mps; auto = the fastest that is there.

    Raises:
        XrganError: this machine has no such device.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(device for device in ("cuda", "mps", "cpu") if there[device]))
    if not there[name]:
        raise XrganError(
            f"This machine has no {name} device that PyTorch {torch.__version__} can use.",
            "`--device auto` takes the fastest that is there; `--device cpu` works everywhere.",
        )
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> str:
    """fp32 or bf16; auto = bf16 where the hardware multiplies it natively (elsewhere it is slower)."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp32"
    if device.type == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"
    return "fp32"


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[object]:
    """Run the networks in bf16; parameters, losses and optimizers stay in fp32."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()
