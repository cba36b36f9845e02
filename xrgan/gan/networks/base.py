"""What every network is to those who train it, whatever it is made of.

Shapes: N images of S × S pixels and C + M channels (the X-ray's and one per mask) in [-1, 1]; latents z (N, Z);
labels (N,), int64, in [0, K), None where a network is unconditional.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from xrgan.config import ModelConfig


@dataclass(frozen=True)
class ImageSpec:
    """What the networks draw: S × S pixels, C channels of the X-ray and one per mask, K classes (0 = unconditional)."""

    size: int
    channels: int
    classes: int
    masks: tuple[str, ...] = ()

    @property
    def all_channels(self) -> int:
        """The mask is a channel: one generator draws image and mask together."""
        return self.channels + len(self.masks)


class NetworkPlan(ModelConfig):
    """How the networks are built: the configuration's section `model`, in which nothing is `auto` any more."""

    discriminator: Literal["projected", "plain"]
    latent_size: int
    generator_width: int
    discriminator_width: int
    components: int
    warps: int
    discriminator_pixels: int
    conditional: bool
    masks: bool
    growth: Literal["residual", "fade"]
    progressive: tuple[int, ...]


class Generator(nn.Module):
    """Latents (N, Z) (and labels (N,)) → images (N, C + M, S, S), about [-1, 1]; smaller ones until it has grown to S.

    Only `forward` is needed; the rest is for a generator that computes something from the training images before its
    first step, or that grows.
    """

    fit_images: int = 0
    """how many training images `fit` takes, at most; 0 = it isn't called"""
    fit_size: int = 0
    """their pixels, height and width"""
    fitted_modules: tuple[str, ...] = ()
    """the submodules that `fit` computes and no optimizer changes: the average shares them with the generator, and a
    run that starts from another one keeps its own"""

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        raise NotImplementedError

    def fit(self, images: Tensor, labels: Tensor) -> None:
        """Compute what isn't learned from real images (N, C + M, fit_size, fit_size) and labels (N,), on the CPU."""

    def grow(self, position: float) -> None:
        """Draw at `position`, an index into the resolutions that a progressive network grows through.

        It is fractional while one fades in.
        """


class Discriminator(nn.Module):
    """Images (N, C + M, S, S) in [-1, 1] (and labels (N,)) → logits (N,), or (N, P) of P places: > 0 = looks real.

    `features` and `logits` are needed: feature matching compares what comes out of the first.
    """

    learns_features: bool = True
    """whether an update changes what `features` gives; where none does, a step computes them once"""

    def features(self, images: Tensor) -> list[Tensor]:
        """The feature maps (N, F, H, W) of every stage."""
        raise NotImplementedError

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        raise NotImplementedError

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.logits(self.features(images), labels)

    def run_in_bf16(self) -> None:
        """Prepare for bf16: what is frozen can be kept in it, too."""

    def grow(self, position: float) -> None:
        """Look at images as a generator draws them that has grown to `position`."""


def shrunk(images: Tensor, size: int) -> Tensor:
    """Average images (N, C, S, S) to (N, C, size, size), S being a multiple of it; those no larger stay as they are."""
    return avg_pool2d(images, images.shape[-1] // size) if images.shape[-1] > size else images


def sizes_of(plan: NetworkPlan, spec: ImageSpec) -> tuple[int, ...]:
    """The resolutions that the networks grow through, the last one that of the images.

    Raises:
        ValueError: the last one is another.
    """
    sizes = plan.progressive or (spec.size,)
    if sizes[-1] != spec.size:
        raise ValueError(f"model.progressive ends with {sizes[-1]}, and the images have {spec.size} pixels")
    return sizes
