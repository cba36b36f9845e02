"""From a configuration whose options may be `auto` to plain numbers."""

from collections.abc import Mapping
from typing import Any, TypeVar

from xrgan.config import AUTO, Config, ModelConfig, Section
from xrgan.gan.networks.base import NetworkPlan
from xrgan.gan.networks.registry import MODELS

SectionT = TypeVar("SectionT", bound=Section)


def with_recipe(config: Config, chosen: Mapping[str, Any] | None = None) -> Config:
    """The configuration with everything that is `auto` as the model's recipe has it, or as it was `chosen` by name."""
    values = vars(MODELS[config.model.name].recipe_with(config.model.discriminator)) | dict(chosen or {})
    return config.model_copy(update={"model": _decided(config.model, values), "train": _decided(config.train, values)})


# What a run did before it had the option: its config.yaml leaves it `auto`.
BEFORE_THE_OPTION = {"discriminator": "plain", "conditional": False, "masks": False}


def network_plan(model: ModelConfig) -> NetworkPlan:
    """How the networks of a run are built, by what its config.yaml says of them."""
    values = vars(MODELS[model.name].recipe_with(model.discriminator)) | BEFORE_THE_OPTION
    return NetworkPlan.model_validate(_decided(model, values).model_dump())


def _decided(section: SectionT, values: Mapping[str, Any]) -> SectionT:
    left_open = [key for key, value in section if value == AUTO and key in values]
    return section.model_copy(update={key: values[key] for key in left_open})
