"""The networks of the DCGAN paper (Radford, Metz, Chintala 2015, arXiv:1511.06434), at almost any size.

Shapes: N images of C channels and S × S pixels in [-1, 1]; latents z (N, Z); labels (N,), int64, in [0, K).
At S = 64 and width 64 these are the paper's: z → 4×4×512 → 8×8×256 → 16×16×128 → 32×32×64 → 64×64×C and back. Other
sizes begin with 4 to 7 pixels: 224 = 7 · 2⁵.
"""

import itertools

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from xrgan.gan.networks import base
from xrgan.gan.networks.base import ImageSpec, NetworkPlan
from xrgan.gan.sizes import stages_of

LARGEST_WIDTH = 1024  # feature maps: at 128² and more, the paper's doubling would grow without end


def build_generator(plan: NetworkPlan, spec: ImageSpec) -> "Generator":
    """The generator of a plan.

    Raises:
        ValueError: it can't draw images of that size, or grow.
    """
    if plan.progressive:
        raise ValueError("dcgan does not grow: model.progressive is eigen's")
    return Generator(spec.size, spec.all_channels, plan.latent_size, plan.generator_width, spec.classes)


def build_discriminator(plan: NetworkPlan, spec: ImageSpec) -> "Discriminator":
    """The discriminator of a plan; raises as the generator does."""
    return Discriminator(spec.size, spec.all_channels, plan.discriminator_width, spec.classes)


class Generator(base.Generator):
    """Latents (N, Z) (and labels) → images (N, C, S, S) in [-1, 1].

    With classes, the label stands beside the latent as one-hot numbers (conditional GAN, Mirza & Osindero 2014). A
    learned embedding as long as the latent does harm here: its numbers all move together, BatchNorm does not take out
    what differs between the classes of a batch, and the latent is drowned: one image per class.
    """

    def __init__(self, size: int, channels: int, latent_size: int, width: int, classes: int = 0) -> None:
        super().__init__()
        first_size, stages = stages_of(size, "DCGAN")
        maps = [min(width * 2 ** (stages - 1 - k), LARGEST_WIDTH) for k in range(stages)]
        layers: list[nn.Module] = [
            nn.ConvTranspose2d(latent_size + classes, maps[0], first_size, bias=False),
            *_norm_relu(maps[0]),
        ]
        for before, after in itertools.pairwise(maps):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False), *_norm_relu(after)]
        layers += [nn.ConvTranspose2d(maps[-1], channels, 4, stride=2, padding=1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(initialise)
        self.classes = classes

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes:
            assert labels is not None, "a conditional generator needs labels"
            z = torch.cat([z, one_hot(labels, self.classes).to(z.dtype)], dim=1)
        images: Tensor = self.layers(z[:, :, None, None])
        return images


class Discriminator(base.Discriminator):
    """Images (N, C, S, S) in [-1, 1] (and labels) → logits (N,): > 0 = looks real.

    With classes, the last layer has one output per class, and the label's own is the logit (Mescheder et al. 2018,
    arXiv:1801.04406): the projection discriminator (Miyato & Koyama 2018, arXiv:1802.05637, eq. 3) on the whole
    last map, its two terms in one.
    """

    def __init__(self, size: int, channels: int, width: int, classes: int = 0) -> None:
        super().__init__()
        first_size, stages = stages_of(size, "DCGAN")
        maps = [min(width * 2**k, LARGEST_WIDTH) for k in range(stages)]
        # The first layer has no BatchNorm (paper, section 3): it would tie an image to its batch's brightness.
        first = nn.Sequential(nn.Conv2d(channels, maps[0], 4, stride=2, padding=1, bias=False), nn.LeakyReLU(0.2))
        self.stages = nn.ModuleList([first])
        for before, after in itertools.pairwise(maps):
            down = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)
            self.stages.append(nn.Sequential(down, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)))
        self.head = nn.Conv2d(maps[-1], max(classes, 1), first_size, bias=False)
        self.apply(initialise)

    def features(self, images: Tensor) -> list[Tensor]:
        """The feature maps of every stage, the coarsest last."""
        maps = [images]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]

    def logits(self, features: list[Tensor], labels: Tensor | None) -> Tensor:
        return logits_of(self.head(features[-1]), labels)


def logits_of(outputs: Tensor, labels: Tensor | None) -> Tensor:
    """The logits (N,) of outputs (N, K or 1, 1, 1): of K, the label's own."""
    outputs = outputs.flatten(1)
    if outputs.shape[1] > 1:
        assert labels is not None, "a conditional discriminator needs labels"
        outputs = outputs.gather(1, labels[:, None])
    return outputs.flatten()


def _norm_relu(maps: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(maps), nn.ReLU()]


def initialise(module: nn.Module) -> None:
    """Weights ~ N(0, 0.02) as in the paper; BatchNorm's scale ~ N(1, 0.02); no bias."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:  # torch's own would drown such small weights: the discriminator would see nothing
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
