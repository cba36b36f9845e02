"""From a configuration whose options may be `auto` to plain numbers."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from xrgan.config import AUTO, Config, ModelConfig, Section, TrainConfig
from xrgan.gan.augment import probability_for
from xrgan.gan.networks.base import NetworkPlan
from xrgan.gan.networks.registry import MODELS, Recipe

SectionT = TypeVar("SectionT", bound=Section)

# What a run did before xrgan had the option: its config.yaml doesn't name it.
BEFORE_THE_OPTION = {
    "discriminator": "plain",
    "discriminator_pixels": 0,
    "warps": 0,
    "progressive": (),
    "growth": "fade",
    "conditional": False,
    "masks": False,
    "precision": "fp32",
    "augment": 0,
    "variance": 0.0,
}


class TrainingPlan(TrainConfig):
    """How a run is trained: the configuration's sections `model` and `train`, in which nothing is `auto` any more."""

    model: NetworkPlan
    batch_size: int
    lr: float
    loss: Literal["bce", "non-saturating", "hinge", "relativistic"]
    r1: float
    augment: float | Literal["adaptive"]
    variance: float
    ema_halflife_images: float
    precision: Literal["fp32", "bf16"]


def recipe_of(config: Config) -> Recipe:
    """The recipe of the model and the discriminator that were asked for."""
    return MODELS[config.model.name].recipe_with(config.model.discriminator)


def augmentation_for(config: Config, images: int) -> float:
    """The augmentation probability that `auto` becomes for so many training images."""
    return probability_for(images, recipe_of(config).augment)


def with_recipe(config: Config, chosen: Mapping[str, Any] | None = None) -> Config:
    """The configuration with everything that is `auto` as the model's recipe has it, or as it was `chosen` by name."""
    values = vars(recipe_of(config)) | dict(chosen or {})
    return config.model_copy(update={"model": _decided(config.model, values), "train": _decided(config.train, values)})


def as_trained(config: Config) -> Config:
    """The configuration of a run that exists, with everything that it doesn't name as it was when it was made."""
    return with_recipe(config, BEFORE_THE_OPTION)


def training_plan(config: Config) -> TrainingPlan:
    """How a run is trained that has this configuration in its config.yaml."""
    config = as_trained(config)
    model = NetworkPlan.model_validate(dict(config.model))
    return TrainingPlan.model_validate({"model": model, **dict(config.train)})


def network_plan(model: ModelConfig) -> NetworkPlan:
    """How the networks of a run are built that has these options in its config.yaml."""
    return training_plan(Config(model=model)).model


def _decided(section: SectionT, values: Mapping[str, Any]) -> SectionT:
    left_open = [key for key, value in section if value == AUTO and key in values]
    return section.model_copy(update={key: values[key] for key in left_open})
