"""How each model is trained where the user leaves it open."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from xrgan.config import AUTO, Config, Section

SectionT = TypeVar("SectionT", bound=Section)


@dataclass(frozen=True)
class Recipe:
    """How a model is trained where the user leaves it open: what it does best with. Names as in the configuration."""

    discriminator: str
    latent_size: int
    components: int
    generator_width: int
    discriminator_width: int
    batch_size: int
    lr: float
    loss: str
    r1: float
    ema_halflife_images: float
    augments: bool
    draws_masks: bool


# What tests/benchmarks/race.py found best.
EIGEN = Recipe(
    discriminator="projected",
    latent_size=256,
    components=256,
    generator_width=48,
    discriminator_width=32,
    batch_size=16,
    lr=8e-4,
    loss="hinge",
    r1=0.0,
    ema_halflife_images=2000,
    augments=True,
    draws_masks=True,
)
# The DCGAN of its paper: the classic. Masks beside the image make it draw one and the same image.
DCGAN = Recipe(
    discriminator="plain",
    latent_size=100,
    components=0,
    generator_width=64,
    discriminator_width=64,
    batch_size=16,
    lr=2e-4,
    loss="bce",
    r1=0.0,
    ema_halflife_images=500,
    augments=False,
    draws_masks=False,
)
RECIPES = {
    ("eigen", "projected"): EIGEN,
    ("eigen", "plain"): replace(
        EIGEN, discriminator="plain", discriminator_width=48, lr=2e-4, loss="non-saturating", r1=0.02
    ),
    ("dcgan", "plain"): DCGAN,
    ("dcgan", "projected"): replace(
        DCGAN, discriminator="projected", discriminator_width=32, lr=8e-4, loss="hinge", augments=True
    ),
    # The discriminator is the model's own choice.
    ("eigen", AUTO): EIGEN,
    ("dcgan", AUTO): DCGAN,
}
"""(model, discriminator) → how both are trained."""


def recipe_of(config: Config) -> Recipe:
    """The recipe of the model and the discriminator that were asked for."""
    return RECIPES[config.model.name, config.model.discriminator]


def with_recipe(config: Config, chosen: Mapping[str, Any] | None = None) -> Config:
    """The configuration with everything that is `auto` as the model's recipe has it, or as it was `chosen` by name."""
    values = vars(recipe_of(config)) | dict(chosen or {})
    return config.model_copy(update={"model": _decided(config.model, values), "train": _decided(config.train, values)})


def _decided(section: SectionT, values: Mapping[str, Any]) -> SectionT:
    left_open = [key for key, value in section if value == AUTO and key in values]
    return section.model_copy(update={key: values[key] for key in left_open})
