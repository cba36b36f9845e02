"""A discriminator that looks through a network which has seen ImageNet (Sauer et al. 2021, arXiv:2111.01007).

Projected GANs: the features of a frozen classifier at four resolutions, mixed by fixed random projections so that none
can be ignored, and at each resolution a small discriminator of its own that says of many places of an image whether
they look real. It needs to learn no edges and textures first, which is what takes plain discriminators so long.

What that means for scores: FID and KID see images through another ImageNet classifier, and may flatter a generator
that learned from one (Kynkäänniemi et al. 2023, arXiv:2203.06026). Look at the images, too.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate
from torch.nn.utils.parametrizations import spectral_norm

from xrgan.frozen_convolutions import frozen, keep_in_bf16
from xrgan.gan.networks import base
from xrgan.gan.networks.base import ImageSpec, NetworkPlan, shrunk, sizes_of
from xrgan.gan.networks.efficientnet_lite0 import FEATURE_CHANNELS, EfficientNetLite0
from xrgan.gan.networks.spectral import normalised_kernels

ENLARGED, MOST_PIXELS = 1.5, 192  # times, pixels: small images are seen as large as what the network knows
MOST_PIXELS_BEFORE = 128  # of runs from before `model.discriminator_pixels`
SMALLEST_MAP = 4  # pixels: the maps of a head's logits, where its features are no smaller
LEVELS = {4: 1, 8: 2, 16: 4, 32: 4}  # stride → mixed feature maps, times the width
SEED = 0  # of the fixed projections: the same in every run, as the frozen weights are
# Red, green and blue of a mask over a gray X-ray: the discriminator sees one picture, in which they have to fit.
TINTS = ((-0.5, 0.2, 0.5), (0.5, -0.3, -0.3), (-0.3, 0.5, -0.3), (0.5, 0.4, -0.5), (0.3, -0.4, 0.5))
SLOPE = 0.2  # of the leaky ReLUs


def build_discriminator(plan: NetworkPlan, spec: ImageSpec) -> "Discriminator | MultiScaleDiscriminator":
    """The discriminator of a plan, which fits every generator: of one that grows, it looks at each size.

    Raises:
        ValueError: no generator grows through the plan's sizes to that of the images.
    """
    pixels = max(spec.size, plan.discriminator_pixels or enlarged(spec.size, MOST_PIXELS_BEFORE))
    looks = spec.channels, len(spec.masks), plan.discriminator_width, spec.classes
    sizes = () if plan.growth == "fade" else sizes_of(plan, spec)
    return MultiScaleDiscriminator(sizes, pixels, *looks) if len(sizes) > 1 else Discriminator(pixels, *looks)


class Discriminator(base.Discriminator):
    """Images (N, C + M, S, S) in [-1, 1] (and labels) → logits (N, P), one per place: > 0 = looks real.

    With classes, each place has one output per class, as in dcgan.py.

    Args:
        pixels: to which smaller images are enlarged.
        channels: C of the X-ray, 1 or 3.
        masks: M.
        width: of the mixed features at the finest resolution.
        frozen: the network that it looks through, where another one has it already.
    """

    learns_features = False

    def __init__(
        self,
        pixels: int,
        channels: int,
        masks: int,
        width: int,
        classes: int = 0,
        frozen: EfficientNetLite0 | None = None,
    ) -> None:
        super().__init__()
        self.pixels, self.masks = pixels, masks
        self.frozen = frozen or EfficientNetLite0(channel_to_rgb(channels, masks))
        self.heads = nn.ModuleDict()
        random = torch.Generator().manual_seed(SEED)
        coarser = 0
        for stride in reversed(FEATURE_CHANNELS):  # from coarse to fine, as the features are mixed
            maps = LEVELS[stride] * width
            self.register_buffer(f"mix{stride}", _random(maps, FEATURE_CHANNELS[stride], random), persistent=False)
            if coarser:
                self.register_buffer(f"down{stride}", _random(maps, coarser, random), persistent=False)
            coarser = maps
            self.heads[str(stride)] = _head(-(-self.pixels // stride), maps, width, max(classes, 1))

    def run_in_bf16(self) -> None:
        keep_in_bf16(self)
        keep_in_bf16(self.frozen)

    def features(self, images: Tensor) -> list[Tensor]:
        """The mixed features of every resolution, the coarsest last."""
        images = self._drop_masks_of_every_second(images)
        if images.shape[-1] < self.pixels:
            images = interpolate(images, size=(self.pixels, self.pixels), mode="bilinear", align_corners=False)
        seen = dict(zip(FEATURE_CHANNELS, self.frozen(images), strict=True))
        mixed: list[Tensor] = []
        for stride in reversed(FEATURE_CHANNELS):
            maps = conv2d(seen[stride], frozen(self, f"mix{stride}"))
            if mixed:
                coarser = conv2d(mixed[0], frozen(self, f"down{stride}"))
                coarser = interpolate(coarser, size=maps.shape[-2:], mode="bilinear", align_corners=False)
                maps = (maps + coarser) * math.sqrt(0.5)
            mixed.insert(0, maps)
        return mixed

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        heads = [self.heads[str(stride)] for stride in FEATURE_CHANNELS]
        layers = [layer for head in heads for layer in head.children() if isinstance(layer, nn.Conv2d)]
        kernels = dict(zip(layers, normalised_kernels(layers), strict=True))
        outputs = [_seen_by(head, maps, kernels).flatten(2) for head, maps in zip(heads, features, strict=True)]
        places = torch.cat(outputs, dim=2)  # (N, K, P)
        if places.shape[1] > 1:
            assert labels is not None, "a conditional discriminator needs labels"
            return places[torch.arange(len(places), device=places.device), labels]
        return places[:, 0]

    def _drop_masks_of_every_second(self, images: Tensor) -> Tensor:
        """Take every second image of a batch its masks, so that they have no colour at all.

        In one picture of both, the generator trades the X-ray's faults for the masks'; an X-ray alone has to be right.
        """
        if not self.masks or len(images) < 2:
            return images
        bare = torch.ones(len(images), images.shape[1], 1, 1, device=images.device, dtype=images.dtype)
        bare[1::2, -self.masks :] = 0
        return images * bare


class MultiScaleDiscriminator(base.Discriminator):
    """Looks at an image at each size that its generator has grown through (Wang et al. 2018, arXiv:1711.11585, 3.2).

    Enlarged, an image shows its detail, but each place of the frozen network's maps sees a smaller part of a chest.
    What varies from patient to patient is judged at the smaller sizes, by the heads that learned there.

    Args:
        sizes: of the images, the smallest first.
        pixels: to which those of the last size are enlarged; the others are as far as `enlarged` says.
        channels: and the others: as `Discriminator` takes them.
    """

    learns_features = False

    def __init__(
        self, sizes: tuple[int, ...], pixels: int, channels: int, masks: int, width: int, classes: int = 0
    ) -> None:
        super().__init__()
        self.sizes, self.grown = sizes, len(sizes) - 1
        frozen, views = None, []
        for size in sizes:
            across = pixels if size == sizes[-1] else enlarged(size)
            views.append(Discriminator(across, channels, masks, width, classes, frozen))
            frozen = views[-1].frozen
        self.views = nn.ModuleDict({str(size): view for size, view in zip(sizes, views, strict=True)})
        self._all = tuple(views)

    def run_in_bf16(self) -> None:
        for module in self.modules():  # the frozen network is one, which all views share
            if isinstance(module, Discriminator | EfficientNetLite0):
                keep_in_bf16(module)

    def features(self, images: Tensor) -> list[Tensor]:
        """The mixed features of every resolution of every size, the smallest size first."""
        return [maps for size, view in self._views() for maps in view.features(shrunk(images, size))]

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        each = len(FEATURE_CHANNELS)
        said = [view.logits(features[k * each : (k + 1) * each], labels) for k, (_, view) in enumerate(self._views())]
        return torch.cat(said, dim=1)

    def grow(self, position: float) -> None:
        self.grown = int(position)

    def _views(self) -> list[tuple[int, Discriminator]]:
        """The sizes that it has grown to, and what looks at each."""
        return list(zip(self.sizes, self._all, strict=True))[: self.grown + 1]


def enlarged(size: int, most: int = MOST_PIXELS) -> int:
    """The pixels at which the frozen network sees images of `size`: enlarged, but not beyond `most`."""
    return max(size, min(round(ENLARGED * size), most))


def channel_to_rgb(channels: int, masks: int) -> Tensor:
    """The matrix (3, C + M) that makes a picture of channels: a gray X-ray is gray, each mask tints what it covers."""
    xray = torch.ones(3, 1) if channels == 1 else torch.eye(3)
    tints = torch.tensor([TINTS[k % len(TINTS)] for k in range(masks)]).view(-1, 3)
    return torch.cat([xray, tints.T], dim=1)


def _head(pixels: int, maps: int, width: int, outputs: int) -> nn.Sequential:
    """Mixed features (N, F, pixels, pixels) → (N, K, p, p), p = 7 at most. Layers are called by their resolution."""
    layers = nn.Sequential()
    most = 4 * width
    if pixels <= SMALLEST_MAP:
        layers.add_module(f"at{pixels}", spectral_norm(nn.Conv2d(maps, 2 * width, 3, padding=1)))
        layers.add_module(f"at{pixels}_relu", nn.LeakyReLU(SLOPE))
        maps = 2 * width
    while pixels > SMALLEST_MAP:
        after = min(most, max(2 * width, maps))
        layers.add_module(f"down{pixels}", spectral_norm(nn.Conv2d(maps, after, 4, stride=2, padding=1)))
        layers.add_module(f"down{pixels}_relu", nn.LeakyReLU(SLOPE))
        maps, pixels = after, pixels // 2
    layers.add_module("out", spectral_norm(nn.Conv2d(maps, outputs, 1)))
    return layers


def _seen_by(head: nn.Module, maps: Tensor, kernels: dict[nn.Conv2d, Tensor]) -> Tensor:
    """What a head makes of maps, with those kernels in its convolutions."""
    for layer in head.children():
        if isinstance(layer, nn.Conv2d):
            maps = conv2d(maps, kernels[layer], layer.bias, layer.stride, layer.padding)
        else:
            maps = layer(maps)
    return maps


def _random(after: int, before: int, random: torch.Generator) -> Tensor:
    """A fixed 1 × 1 convolution whose outputs vary as much as its inputs: (after, before, 1, 1)."""
    return torch.randn(after, before, 1, 1, generator=random, device="cpu") / math.sqrt(before)
