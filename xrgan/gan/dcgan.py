"""The networks of the DCGAN paper (Radford, Metz, Chintala 2015, arXiv:1511.06434), at any power of two.

Shapes: N images of C channels and S × S pixels in [-1, 1]; latents z (N, Z); labels (N,), int64, in [0, K).
At S = 64 and width 64 these are the paper's: z → 4×4×512 → 8×8×256 → 16×16×128 → 32×32×64 → 64×64×C and back.
"""

import itertools
import math

import torch
from torch import Tensor, nn

LARGEST_WIDTH = 1024  # feature maps: at 128² and more, the paper's doubling would grow without end


class Generator(nn.Module):
    """Latents (N, Z) (and labels) → images (N, C, S, S) in [-1, 1].

    With classes, an embedding of the label stands beside the latent (conditional GAN, Mirza & Osindero 2014).
    """

    def __init__(self, size: int, channels: int, latent_size: int, width: int, classes: int = 0) -> None:
        super().__init__()
        stages = _stages(size)
        maps = [min(width * 2 ** (stages - 1 - k), LARGEST_WIDTH) for k in range(stages)]
        first = latent_size * (2 if classes else 1)
        layers: list[nn.Module] = [nn.ConvTranspose2d(first, maps[0], 4, bias=False), *_norm_relu(maps[0])]
        for before, after in itertools.pairwise(maps):
            layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False), *_norm_relu(after)]
        layers += [nn.ConvTranspose2d(maps[-1], channels, 4, stride=2, padding=1, bias=False), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(_initialise)
        # Keeps torch's N(0, 1), as strong as the latent: at 0.02 the generator would hardly hear its label.
        self.embedding = nn.Embedding(classes, latent_size) if classes else None

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.embedding is not None:
            assert labels is not None, "a conditional generator needs labels"
            z = torch.cat([z, self.embedding(labels)], dim=1)
        images: Tensor = self.layers(z[:, :, None, None])
        return images


class Discriminator(nn.Module):
    """Images (N, C, S, S) in [-1, 1] (and labels) → logits (N,): > 0 = looks real.

    With classes, the inner product of the features with an embedding of the label is added to the logit
    (projection discriminator, Miyato & Koyama 2018, arXiv:1802.05637, eq. 3).
    """

    def __init__(self, size: int, channels: int, width: int, classes: int = 0) -> None:
        super().__init__()
        stages = _stages(size)
        maps = [min(width * 2**k, LARGEST_WIDTH) for k in range(stages)]
        # The first layer has no BatchNorm (paper, section 3): it would tie an image to its batch's brightness.
        layers: list[nn.Module] = [nn.Conv2d(channels, maps[0], 4, stride=2, padding=1, bias=False), nn.LeakyReLU(0.2)]
        for before, after in itertools.pairwise(maps):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv2d(maps[-1], 1, 4, bias=False)
        self.embedding = nn.Embedding(classes, maps[-1]) if classes else None
        self.apply(_initialise)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.layers(images)  # (N, F, 4, 4)
        logits: Tensor = self.head(features).flatten()
        if self.embedding is not None:
            assert labels is not None, "a conditional discriminator needs labels"
            logits = logits + (self.embedding(labels) * features.mean(dim=(2, 3))).sum(dim=1)
        return logits


def _stages(size: int) -> int:
    """How often 4 × 4 doubles to reach size × size.

    Raises:
        ValueError: the size is no power of two of at least 8.
    """
    stages = round(math.log2(size / 4)) if size >= 8 else 0
    if stages < 1 or 4 * 2**stages != size:
        raise ValueError(f"DCGAN needs a power of two of at least 8 pixels, not {size}")
    return stages


def _norm_relu(maps: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(maps), nn.ReLU()]


def _initialise(module: nn.Module) -> None:
    """Weights ~ N(0, 0.02) as in the paper; BatchNorm's scale ~ N(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
