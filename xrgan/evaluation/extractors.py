"""Networks that turn images into features. Scores stand on one of them, name it, and compare with no other's."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from xrgan.errors import XrganError
from xrgan.evaluation.dino import Dino
from xrgan.evaluation.inception import INPUT_PIXELS, LAYERS, LOGITS, load_network
from xrgan.evaluation.inception_weights import FULL, weights_file
from xrgan.evaluation.lite import FEATURES, LiteFeatures
from xrgan.evaluation.scores_file import INCEPTION
from xrgan.lite_weights import Lite

Network = Callable[[Tensor], Sequence[Tensor]]  # uint8 (B, C, H, W) → float32 (B, layer), one for each layer


@dataclass(frozen=True)
class Extractor:
    """A network, and everything that its features depend on; it is loaded when features are missing, not before."""

    name: str  # as the scores show it
    identity: str  # network, weights and resize: features of another identity are others
    layers: tuple[int, ...]  # each named by its number of features
    last: int  # the layer that KID, precision and recall, and memorisation stand on
    resize: str
    weights: str
    device: torch.device
    load: Callable[[], Network]
    trained_against: bool = False  # the discriminator of the run that is scored looks through it, too

    @property
    def is_inception(self) -> bool:
        return self.name == INCEPTION

    @property
    def gives_logits(self) -> bool:
        """Whether the Inception Score can be computed."""
        return LOGITS in self.layers


def inception(weights: Path, device: torch.device | str) -> Extractor:
    """Make an extractor of the Inception network that FID and KID are defined on.

    Gray images are shown to it as three equal channels.

    Args:
        weights: one of the two files that `fetch_weights` gives.
    """
    file, on = weights_file(weights), torch.device(device)
    layers = (*LAYERS, LOGITS) if file == FULL else LAYERS
    return Extractor(
        name=INCEPTION,
        # The network stands in it by name, because a file of weights says nothing about the resize before them.
        identity=f"{INCEPTION} {layers} {file.sha256}",
        layers=layers,
        last=LAYERS[-1],
        resize=f"{INPUT_PIXELS}×{INPUT_PIXELS}, bilinear as TensorFlow 1",
        weights=file.kind,
        device=on,
        load=lambda: _inception(weights, on),
    )


def efficientnet_lite(lite: Lite, weights: Path, device: torch.device | str) -> Extractor:
    """Make an extractor of an EfficientNet-Lite. Gray images are shown to it as three equal channels.

    Args:
        weights: the file that `fetch_lite` gives.
    """
    on = torch.device(device)
    return Extractor(
        name=lite.name,
        identity=f"{lite.name} {FEATURES} {lite.pixels} {lite.sha256}",
        layers=(FEATURES,),
        last=FEATURES,
        resize=f"{lite.pixels}×{lite.pixels}, bilinear",
        weights=lite.sha256[:12],
        device=on,
        load=lambda: _lite(weights, lite, on),
    )


def vision_transformer(dino: Dino, device: torch.device | str) -> Extractor:
    """Make an extractor of a vision transformer. Gray images are shown to it as three equal channels.

    Args:
        dino: what `read_dino` read from a file.
    """
    on, look = torch.device(device), dino.network.look

    def load() -> Network:
        network = dino.network.to(on)
        return lambda images: (network(images.expand(-1, 3, -1, -1)),)

    return Extractor(
        name=dino.name,
        identity=f"{dino.features} {look} {dino.sha256}",
        layers=(dino.features,),
        last=dino.features,
        resize=f"{look.pixels}×{look.pixels}, {look.resize}",
        weights=dino.sha256,
        device=on,
        load=load,
    )


def custom(
    name: str,
    identity: str,
    features: int,
    network: Callable[[Tensor], Tensor],
    device: torch.device | str,
    channels: int,
) -> Extractor:
    """Make an extractor of one layer of any network, such as the penultimate one of a classifier.

    Args:
        identity: of its weights, such as their hash.
        network: uint8 (B, channels, H, W) → float (B, features).

    Raises:
        XrganError: (when it meets images) they have other channels than it wants.
    """
    on = torch.device(device)

    def run(images: Tensor) -> tuple[Tensor]:
        if images.shape[1] != channels:
            raise XrganError(
                f"{name} looks at images of {channels} channel{'s' * (channels > 1)}, not {images.shape[1]}.",
                "Use `--extractor inception`, or a classifier that was trained on such images.",
            )
        return (network(images).float(),)

    return Extractor(
        name=name,
        identity=f"{name} {features} {identity}",
        layers=(features,),
        last=features,
        resize="as they are",
        weights=identity[:12],
        device=on,
        load=lambda: run,
    )


@functools.lru_cache(maxsize=1)
def _inception(weights: Path, device: torch.device) -> Network:
    return load_network(weights, device)


@functools.lru_cache(maxsize=1)
def _lite(weights: Path, lite: Lite, device: torch.device) -> Network:
    network = LiteFeatures(weights, lite).to(device)
    return lambda images: (network(images.expand(-1, 3, -1, -1)),)
