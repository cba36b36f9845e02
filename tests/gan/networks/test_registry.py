"""Every model by its name, beside either discriminator."""

import dataclasses

import pytest
import torch

from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.networks.projected import Discriminator
from xrgan.gan.networks.registry import DCGAN, EIGEN, MODELS, Model, build
from xrgan.gan.plan import network_plan, training_plan, with_recipe


def test_either_generator_with_either_discriminator() -> None:
    for model in ("eigen", "dcgan"):
        for kind in ("projected", "plain"):
            settings = [f"model.name={model}", f"model.discriminator={kind}", "model.discriminator_width=4"]
            config = with_recipe(resolve(settings=[*settings, "model.generator_width=4"]), {"conditional": False})
            generator, discriminator = build(training_plan(config).model, ImageSpec(16, 1, 0))
            images = generator(torch.randn(2, int(config.model.latent_size)))
            assert discriminator(images).shape[0] == 2
            assert isinstance(discriminator, Discriminator) == (kind == "projected")


@pytest.mark.parametrize("size", [0, 4, 9, 36, 100, 250])
@pytest.mark.parametrize("name", ["eigen", "dcgan"])
def test_a_size_that_does_not_double_up_is_refused_with_the_way_out(name: str, size: int) -> None:
    model = with_recipe(resolve(settings=[f"model.name={name}"])).model
    with pytest.raises(XrganError, match=rf"(?i){name}.*power of two.*not {size}.*xrgan prepare --size 64"):
        build(network_plan(model), ImageSpec(size, 1, 0))


@pytest.mark.parametrize(
    ("sizes", "message"), [("16,48", "grows through 8, 16, 32, 64"), ("16,32", "has 64|64 pixels")]
)
def test_a_growth_that_can_not_be_is_refused(sizes: str, message: str) -> None:
    model = with_recipe(
        resolve(settings=[f"model.progressive={sizes},64" if "48" in sizes else f"model.progressive={sizes}"])
    )
    with pytest.raises(XrganError, match=message):
        build(network_plan(model.model), ImageSpec(64, 1, 0))


def test_dcgan_does_not_grow() -> None:
    model = with_recipe(resolve(settings=["model.name=dcgan", "model.progressive=32,64"])).model
    with pytest.raises(XrganError, match="dcgan does not grow"):
        build(network_plan(model), ImageSpec(64, 1, 0))


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_of_the_registry_is_a_choice_of_the_configuration(name: str) -> None:
    assert resolve(settings=[f"model.name={name}"]).model.name == name


def test_a_recipe_goes_by_the_discriminator() -> None:
    own = MODELS["eigen"].recipe_with("auto")
    assert own == MODELS["eigen"].recipe_with(own.discriminator) == EIGEN
    assert MODELS["eigen"].recipe_with("plain").loss == "non-saturating"
    alone = Model(MODELS["dcgan"].generator, MODELS["dcgan"].discriminator, DCGAN)
    assert alone.recipe_with("projected") == dataclasses.replace(DCGAN, discriminator="projected")
