"""Model name → its generator, its discriminator, and the hyperparameters that it is trained with by default.

A new network is a file beside this one, a row of MODELS, and its name among the choices of `model.name` in config.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from xrgan.config import AUTO
from xrgan.errors import XrganError
from xrgan.gan.networks import dcgan, eigen, projected
from xrgan.gan.networks.base import Discriminator, Generator, ImageSpec, NetworkPlan

LARGE_SIZE = 128  # pixels of an image
FIRST_SIZE = 64  # pixels, at most, of those that a large one is grown from


@dataclass(frozen=True)
class Recipe:
    """How a model is trained where the user leaves it open: what it does best with. Names as in the configuration."""

    discriminator: str
    latent_size: int
    components: int
    warps: int
    generator_width: int
    discriminator_width: int
    batch_size: int
    lr: float
    loss: str
    r1: float
    ema_halflife_images: float
    augment: float  # the probability where images are few
    grows_large: bool  # whether images of LARGE_SIZE pixels or more are grown from smaller ones
    variance_large: float  # weight of the variance regularization of such images; smaller ones have none
    draws_masks: bool

    def progressive_at(self, size: int) -> tuple[int, ...]:
        """The resolutions through which images of size × size pixels are grown; () = they are drawn at once."""
        sizes = [size]
        while self.grows_large and size >= LARGE_SIZE and sizes[0] > FIRST_SIZE:
            sizes.insert(0, sizes[0] // 2)
        return tuple(sizes) if len(sizes) > 1 else ()

    def variance_at(self, size: int) -> float:
        """The weight of the variance regularization of images of size × size pixels."""
        return self.variance_large if size >= LARGE_SIZE else 0.0


@dataclass(frozen=True)
class Model:
    """A generator and the discriminator that was made for it (`plain`: it has learned from nothing else)."""

    generator: Callable[[NetworkPlan, ImageSpec], Generator]
    discriminator: Callable[[NetworkPlan, ImageSpec], Discriminator]
    recipe: Recipe
    other_recipes: Mapping[str, Recipe] = field(default_factory=dict)
    """beside another discriminator than the recipe's, by its name; without one, the recipe is the same"""

    def recipe_with(self, discriminator: str) -> Recipe:
        """The recipe for `projected` or `plain`; auto = the model's own choice of a discriminator."""
        if discriminator == AUTO:
            return self.recipe
        return self.other_recipes.get(discriminator, replace(self.recipe, discriminator=discriminator))


# What tests/benchmarks/race.py found best.
EIGEN = Recipe(
    discriminator="projected",
    latent_size=256,
    components=256,
    warps=16,
    generator_width=48,
    discriminator_width=32,
    batch_size=16,
    lr=8e-4,
    loss="hinge",
    r1=0.0,
    ema_halflife_images=2000,
    augment=0.25,
    grows_large=True,
    variance_large=3.0,
    draws_masks=True,
)
# The DCGAN of its paper: the classic. Masks beside the image make it draw one and the same image.
DCGAN = Recipe(
    discriminator="plain",
    latent_size=100,
    components=0,
    warps=0,
    generator_width=64,
    discriminator_width=64,
    batch_size=16,
    lr=2e-4,
    loss="bce",
    r1=0.0,
    ema_halflife_images=500,
    augment=0.0,
    grows_large=False,
    variance_large=0.0,
    draws_masks=False,
)
EIGEN_PLAIN = replace(
    EIGEN,
    discriminator="plain",
    discriminator_width=48,
    lr=2e-4,
    loss="non-saturating",
    r1=0.02,
    augment=1.0,
    grows_large=False,
    variance_large=0.0,
)
DCGAN_PROJECTED = replace(DCGAN, discriminator="projected", discriminator_width=32, lr=8e-4, loss="hinge", augment=1.0)

MODELS: dict[str, Model] = {
    "eigen": Model(eigen.build_generator, eigen.build_discriminator, EIGEN, {"plain": EIGEN_PLAIN}),
    "dcgan": Model(dcgan.build_generator, dcgan.build_discriminator, DCGAN, {"projected": DCGAN_PROJECTED}),
}


def build(plan: NetworkPlan, spec: ImageSpec) -> tuple[Generator, Discriminator]:
    """Generator and discriminator, freshly initialised from torch's global generator.

    Raises:
        XrganError: the model can't draw images of that size.
    """
    model = MODELS[plan.name]
    build_discriminator = projected.build_discriminator if plan.discriminator == "projected" else model.discriminator
    try:
        return model.generator(plan, spec), build_discriminator(plan, spec)
    except ValueError as error:
        advice = "Prepare the images at 32, 64, 96, 128, 224, 256 or 512 pixels: `xrgan prepare --size 64`."
        raise XrganError(f"{error}.", "" if plan.progressive else advice) from error
