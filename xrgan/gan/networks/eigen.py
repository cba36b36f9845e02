"""The default networks: eigen X-rays, and an adversarial decoder that draws what they lack.

The first principal components of the training images (eigenpictures: Sirovich & Kirby 1987; Turk & Pentland 1991; of
images with their masks, the active appearance model of Cootes et al. 1998) with normally distributed coefficients
already draw blurred chests: right in size, place and class, with masks that fit, before the first step. A decoder that
sees this coarse image at each of its resolutions adds the rest, so that minutes of training go into detail.

Shapes: N images of C + M channels and S × S pixels, real ones in [-1, 1], synthetic ones nearly so; latents z (N, Z);
labels (N,), int64, in [0, K). Feature maps belong to a resolution (W at 32 pixels, half as many at twice the
resolution), whatever the size: networks of different sizes share their layers.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, one_hot

from xrgan.gan.networks import base
from xrgan.gan.networks.base import ImageSpec, NetworkPlan, shrunk, sizes_of
from xrgan.gan.networks.dcgan import initialise, logits_of
from xrgan.gan.networks.warps import EigenWarps
from xrgan.gan.sizes import stages_of

BASE_RESOLUTION = 32  # pixels: where the feature maps are as many as the configured width
MAX_MAPS, MIN_MAPS = 8, 1 / 4  # times the width
MAX_COARSE_SIZE = 64  # pixels of the eigen X-rays, at most
IMAGES_PER_COMPONENT = 8  # at least: fewer, and a component is little more than one patient
MAX_FIT_IMAGES = 5_000  # images that the components are computed from
LATENTS_PER_WARP = 4  # at least: most latents are there for what is drawn
CANVAS = 1.2  # times the image, at least: where warps shall bring something in from beyond its border
SLOPE = 0.2  # of the leaky ReLUs


def build_generator(plan: NetworkPlan, spec: ImageSpec) -> "Generator":
    """The generator of a plan.

    Raises:
        ValueError: it can't draw images of that size, or grow through those resolutions.
    """
    sizes, warps = sizes_of(plan, spec), min(plan.warps, plan.latent_size // LATENTS_PER_WARP)
    width, components, fades = plan.generator_width, plan.components, plan.growth == "fade"
    return Generator(sizes, spec.all_channels, plan.latent_size, width, spec.classes, components, warps, fades)


def build_discriminator(plan: NetworkPlan, spec: ImageSpec) -> "Discriminator":
    """The discriminator of a plan; raises as the generator does."""
    return Discriminator(sizes_of(plan, spec), spec.all_channels, plan.discriminator_width, spec.classes)


class EigenImages(nn.Module):
    """Latents (N, Z) (and labels) → coarse images (N, C, s, s): mean of the class + Σ zₖ · σₖ · componentₖ."""

    mean: Tensor
    components: Tensor

    def __init__(self, size: int, channels: int, latent_size: int, classes: int, most: int | None = None) -> None:
        super().__init__()
        self.size, self.most = size, latent_size if most is None else min(most, latent_size)
        self.register_buffer("mean", torch.zeros(max(classes, 1), channels, self.size, self.size))
        self.register_buffer("components", torch.zeros(latent_size, channels * self.size**2))

    @torch.no_grad()
    def fit(self, images: Tensor, labels: Tensor) -> None:
        """Compute mean and components from images (N, C, s, s) in [-1, 1] and labels (N,), both on the CPU.

        They are written to wherever this module is; torch's random state changes.

        Components that the images are too few for stay 0: those latents drive the decoder alone. Without components
        the mean stays 0 too: the decoder draws everything.
        """
        if not self.most:
            return
        labels = labels if len(self.mean) > 1 else torch.zeros_like(labels)
        by_class = [images[labels == label] for label in range(len(self.mean))]
        mean = torch.stack([(ours if len(ours) else images).mean(dim=0) for ours in by_class])
        self.mean.copy_(mean)
        rest = (images - mean[labels]).flatten(1)
        count = min(self.most, len(rest) // IMAGES_PER_COMPONENT, rest.shape[1])
        if count:
            _, singular, components = torch.svd_lowrank(rest, q=count, niter=4)
            deviations = singular / math.sqrt(len(rest))
            self.components[:count] = (components * deviations).T.to(self.components)

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        with torch.autocast(z.device.type, enabled=False):  # a sum of hundreds: in fp32
            coarse = z.float() @ self.components
        mean = self.mean[labels] if labels is not None and len(self.mean) > 1 else self.mean
        images: Tensor = mean + coarse.view(len(z), *self.mean.shape[1:])
        return images


class Generator(base.Generator):
    """Latents (N, Z) (and labels) → images (N, C, S, S): eigen X-rays, and what the decoder adds to them, placed.

    With several sizes it grows from the first to the last (Karras et al. 2018, arXiv:1710.10196); `grown` says how far
    it has. Until it has grown to S, its images are as small as it has grown. A next size adds to the enlarged image of
    the one before, as in a Laplacian pyramid (Denton et al. 2015, arXiv:1506.05751): nothing at first, so that it
    needn't fade in.

    Args:
        sizes: the resolutions that it draws, the last one S.
        components: of the eigen X-rays, at most; None = one per latent, 0 = none.
        warps: how many of the latents, the last ones, place and bend what is drawn on a canvas larger than the image.
        fades: each size draws on its own, and a next one is faded in: runs from before `model.growth`, whose images are
            always of S pixels.
    """

    fitted_modules = ("eigen", "warps")

    def __init__(
        self,
        sizes: tuple[int, ...],
        channels: int,
        latent_size: int,
        width: int,
        classes: int = 0,
        components: int | None = None,
        warps: int = 0,
        fades: bool = False,
    ) -> None:
        super().__init__()
        self.sizes, self.classes, self.grown, self.fades = sizes, classes, float(len(sizes) - 1), fades
        self.base = base_of(sizes)
        self.canvas_base = math.ceil(CANVAS * self.base) if warps else self.base
        self.warps = EigenWarps(warps, self.canvas_base / self.base, classes) if warps else None
        most = latent_size - warps if components is None else min(components, latent_size - warps)
        self.fit_size = coarse_size(sizes[-1])
        self.eigen = EigenImages(self._across(self.fit_size), channels, latent_size, classes, most)
        self.fit_images = MAX_FIT_IMAGES if self.eigen.most or warps else 0
        stem = nn.ConvTranspose2d(latent_size + classes, maps_at(self.base, width), self.canvas_base, bias=False)
        self.stem = nn.Sequential(stem, nn.BatchNorm2d(maps_at(self.base, width)), nn.ReLU())
        self.stages, self.heads = nn.ModuleDict(), nn.ModuleDict()
        for before in resolutions(self.base, sizes[-1] // 2):
            seen, after = maps_at(before, width) + channels, maps_at(2 * before, width)
            if 2 * before in sizes:
                self.heads[str(2 * before)] = _up(seen, channels, bias=True)
            if 2 * before < sizes[-1]:
                self.stages[str(2 * before)] = nn.Sequential(_up(seen, after), nn.BatchNorm2d(after), nn.ReLU())
        self.apply(initialise)
        if not fades:
            for size in sizes[1:]:
                for weight in self.heads[str(size)].parameters():
                    nn.init.zeros_(weight)

    def fit(self, images: Tensor, labels: Tensor) -> None:
        """Compute warps and eigen X-rays from real images (N, C, s, s) in [-1, 1] and their labels (N,)."""
        if self.warps is not None:
            images = self.warps.fit(images, labels, IMAGES_PER_COMPONENT)
        self.eigen.fit(images, labels)

    def grow(self, position: float) -> None:
        self.grown = position

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        canvas = self._canvas(z, labels)
        if self.warps is None:
            return canvas
        fields = self.warps(z[:, -self.warps.count :], labels)
        return self.warps.place(canvas, fields, canvas.shape[-1] * self.base // self.canvas_base)

    def _canvas(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """What is drawn before it is placed."""
        coarse = self.eigen(z, labels)
        if self.classes:
            assert labels is not None, "a conditional generator needs labels"
            z = torch.cat([z, one_hot(labels, self.classes).to(z.dtype)], dim=1)
        maps = self.stem(z[:, :, None, None])
        return self._faded(maps, coarse) if self.fades else self._added(maps, coarse)

    def _added(self, maps: Tensor, coarse: Tensor) -> Tensor:
        """What the sizes that it has grown to add up to, each to the enlarged image of the one before."""
        size, canvas = self.sizes[int(self.grown)], coarse
        for resolution in resolutions(self.base, size // 2):
            maps = torch.cat([maps, _resized(canvas, self._across(resolution)).to(maps.dtype)], dim=1)
            if 2 * resolution in self.sizes:
                drawn = self.heads[str(2 * resolution)](maps).float()
                canvas = drawn + _resized(canvas, self._across(2 * resolution))
            if 2 * resolution < size:
                maps = self.stages[str(2 * resolution)](maps)
        return canvas

    def _faded(self, maps: Tensor, coarse: Tensor) -> Tensor:
        """The size that it has grown to, as it takes over from the one before."""
        size, before, share = growth(self.sizes, self.grown)
        drawn = {}
        for resolution in resolutions(self.base, size // 2):
            maps = torch.cat([maps, _resized(coarse, self._across(resolution)).to(maps.dtype)], dim=1)
            if 2 * resolution in (before, size):
                drawn[2 * resolution] = self.heads[str(2 * resolution)](maps).float()
            if 2 * resolution < size:
                maps = self.stages[str(2 * resolution)](maps)
        image = drawn[size] + _resized(coarse, self._across(size))
        if share < 1:
            faded = interpolate(drawn[before] + _resized(coarse, self._across(before)), scale_factor=size // before)
            image = faded.lerp(image, share)
        return image if size == self.sizes[-1] else interpolate(image, scale_factor=self.sizes[-1] // size)

    def _across(self, pixels: int) -> int:
        """The pixels of a canvas around an image of so many."""
        return pixels * self.canvas_base // self.base


class Discriminator(base.Discriminator):
    """Images (N, C, S, S) in [-1, 1] (and labels) → logits (N,): > 0 = looks real.

    Without normalisation: what it says of one image depends on no other, and R1 keeps it smooth instead (Mescheder et
    al. 2018). With classes, one output per class, as in dcgan.py.
    """

    def __init__(self, sizes: tuple[int, ...], channels: int, width: int, classes: int = 0) -> None:
        super().__init__()
        self.sizes, self.grown = sizes, float(len(sizes) - 1)
        self.base = base_of(sizes)
        self.stems, self.stages = nn.ModuleDict(), nn.ModuleDict()
        for size in sizes:
            self.stems[str(size)] = nn.Sequential(_down(channels, maps_at(size // 2, width)), nn.LeakyReLU(SLOPE))
        for after in resolutions(self.base, sizes[-1] // 4):
            down = _down(maps_at(2 * after, width), maps_at(after, width))
            self.stages[str(after)] = nn.Sequential(down, nn.LeakyReLU(SLOPE))
        self.head = nn.Conv2d(maps_at(self.base, width), max(classes, 1), self.base)
        self.apply(initialise)

    def features(self, images: Tensor) -> list[Tensor]:
        """The feature maps of every stage, the coarsest last."""
        size, before, share = growth(self.sizes, self.grown)
        maps = [self.stems[str(size)](_resized(images, size))]
        for resolution in reversed(resolutions(self.base, size // 4)):
            after = self.stages[str(resolution)](maps[-1])
            if share < 1 and 2 * resolution == before:
                after = self.stems[str(before)](_resized(images, before)).lerp(after, share)
            maps.append(after)
        return maps

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        return logits_of(self.head(features[-1]), labels)

    def grow(self, position: float) -> None:
        self.grown = position


def base_of(sizes: tuple[int, ...]) -> int:
    """The first map's pixels, 4 to 7.

    Raises:
        ValueError: the sizes don't double, from 4 to 7 pixels on.
    """
    base, _ = stages_of(sizes[-1], "eigen")
    possible = resolutions(2 * base, sizes[-1])
    if not set(sizes) <= set(possible) or list(sizes) != sorted(set(sizes)):
        raise ValueError(f"a model of {sizes[-1]} pixels grows through {', '.join(map(str, possible))}, upwards")
    return base


def resolutions(first: int, last: int) -> list[int]:
    """first, twice as many pixels, … to last."""
    return [first * 2**k for k in range(math.floor(math.log2(last / first)) + 1)] if last >= first else []


def maps_at(resolution: int, width: int) -> int:
    """Feature maps at a resolution."""
    return max(round(width * min(max(BASE_RESOLUTION / resolution, MIN_MAPS), MAX_MAPS)), 1)


def coarse_size(size: int) -> int:
    """The eigen X-rays' pixels: the size, halved until it is at most MAX_COARSE_SIZE."""
    while size > MAX_COARSE_SIZE:
        size //= 2
    return size


def growth(sizes: tuple[int, ...], grown: float) -> tuple[int, int, float]:
    """The size that is drawn, the one before, and the new one's share in [0, 1]: 1 = no fading."""
    place = math.ceil(grown)
    share = grown - (place - 1) if place > grown else 1.0
    return sizes[place], sizes[max(place - 1, 0)] if share < 1 else sizes[place], share


def _resized(images: Tensor, size: int) -> Tensor:
    if images.shape[-1] == size:
        return images
    if images.shape[-1] > size:
        return shrunk(images, size)
    return interpolate(images, size=(size, size), mode="bilinear", align_corners=False)


def _up(before: int, after: int, bias: bool = False) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)


def _down(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 4, stride=2, padding=1)
