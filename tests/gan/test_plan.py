"""A configuration in plain numbers."""

from pathlib import Path

import pytest

from tests.gan.helpers import CPU, tiny_dataset
from xrgan.config_resolve import resolve
from xrgan.gan import setup
from xrgan.gan.plan import network_plan, training_plan, with_recipe


@pytest.mark.slow
def test_each_discriminator_is_trained_in_its_own_way(tmp_path: Path) -> None:
    """Without the weights, `--set model.discriminator=plain` leads to a discriminator that is kept smooth."""
    dataset = tiny_dataset(tmp_path)
    ways = {}
    for model in ("eigen", "dcgan"):
        for discriminator in ("projected", "plain"):
            wish = [f"model.name={model}", f"model.discriminator={discriminator}", "device=cpu"]
            train = setup.resolve_auto(resolve(settings=wish), dataset, CPU).train
            ways[model, discriminator] = (train.loss, train.lr, train.r1 > 0)  # type: ignore[operator]
    assert ways["eigen", "projected"] == ways["dcgan", "projected"] == ("hinge", 8e-4, False)
    assert ways["eigen", "plain"] == ("non-saturating", 2e-4, True)
    assert ways["dcgan", "plain"] == ("bce", 2e-4, False)


def test_a_plan_holds_plain_numbers() -> None:
    plan = training_plan(with_recipe(resolve(settings=["train.augment=adaptive"]), {"conditional": True}))
    assert (plan.lr, plan.batch_size, plan.model.latent_size, plan.model.conditional) == (8e-4, 16, 256, True)
    assert plan.augment == "adaptive"
    values = [value for _, value in (*plan, *plan.model)]
    assert "auto" not in values and "projected" in values


def test_what_was_asked_for_is_not_the_recipes() -> None:
    config = with_recipe(resolve(settings=["train.lr=0.1", "model.latent_size=7", "model.masks=false"]))
    plan = training_plan(config)
    assert (plan.lr, plan.model.latent_size, plan.model.masks, plan.model.components) == (0.1, 7, False, 256)


def test_an_old_run_is_trained_as_it_was_before_the_option(tmp_path: Path) -> None:
    """Its config.yaml names no discriminator, no masks, no precision: today's defaults are not what it had."""
    config = resolve(settings=["model.name=dcgan", "model.latent_size=8", "model.generator_width=4", "train.lr=0.1"])
    plan = training_plan(config)
    assert (plan.model.discriminator, plan.model.masks, plan.model.conditional) == ("plain", False, False)
    assert (plan.precision, plan.augment, plan.model.components) == ("fp32", 0, 0)
    assert network_plan(config.model) == plan.model
