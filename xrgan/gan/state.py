"""All that a run is while it trains: made from a seed, saved, restored, checked, averaged."""

import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import console
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.batches import Batches
from xrgan.gan.networks.base import Discriminator, Generator, ImageSpec
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import network_plan
from xrgan.rundir import RunDir

if TYPE_CHECKING:
    from xrgan.gan.networks.vgg16 import VGG16

# Means of an epoch; generator_loss is the sum, the two behind it are parts of it.
FIGURES = ("discriminator_loss", "penalty", "d_real", "d_fake", "generator_loss", "feature_matching", "perceptual")
SAVED = ("generator", "discriminator", "ema", "generator_optimizer", "discriminator_optimizer")
BETA2 = 0.999  # Adam's second momentum
LEAST_EMA_SHARE = 0.05  # the average's half-life is at most this share of the images seen (Karras et al. 2023, EDM)


@dataclass
class TrainState:
    """All that a run is: what a checkpoint holds, and what the next step changes."""

    generator: Generator
    discriminator: Discriminator
    ema: Generator  # the generator with averaged weights: the one that draws
    generator_optimizer: Adam
    discriminator_optimizer: Adam
    vgg16: "VGG16 | None" = None  # of the perceptual loss; not trained
    grown: float = 0.0  # how far a progressive model has: an index into its resolutions, broken while one fades in
    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    augment: float = 0.0  # the probability; it moves where it is adaptive
    signs: Tensor = field(default_factory=lambda: torch.zeros(()))  # of real logits, since it moved
    sums: Tensor = field(default_factory=lambda: torch.zeros(len(FIGURES)))  # of this epoch; MPS has no float64


def image_spec(dataset: PackedDataset, config: Config) -> ImageSpec:
    """What the networks draw for this dataset."""
    classes = len(dataset.classes) if config.model.conditional is True else 0
    return ImageSpec(dataset.size, dataset.channels, classes, dataset.masks if config.model.masks is True else ())


def start(config: Config, spec: ImageSpec, device: torch.device) -> TrainState:
    """A fresh state: weights from the seed, on whatever device they go to."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        generator, discriminator = build(network_plan(config.model), spec)
    generator, discriminator = generator.to(device), discriminator.to(device)

    def adam(network: nn.Module) -> Adam:
        betas = (config.train.beta1, BETA2)
        return Adam(network.parameters(), lr=float(config.train.lr), betas=betas, fused=True)

    ema = copy.deepcopy(generator).eval().requires_grad_(False)
    for name in generator.fitted_modules:
        setattr(ema, name, getattr(generator, name))  # they don't change, so they need no average
    state = TrainState(generator, discriminator, ema, adam(generator), adam(discriminator))
    if config.train.perceptual:
        from xrgan.gan.networks.vgg16 import VGG16  # torchvision takes a second to import

        state.vgg16 = VGG16(config.train.perceptual_weights, spec.channels).to(device)
    if not isinstance(config.train.augment, str):
        state.augment = config.train.augment
    state.sums, state.signs = state.sums.to(device), state.signs.to(device)
    return state


def fit(state: TrainState, batches: Batches) -> None:
    """Let a generator compute what it takes from the training images before its first step."""
    if state.generator.fit_images:
        images, labels = batches.random_subset(state.generator.fit_images, state.generator.fit_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(batches.seed)
            state.generator.fit(images, labels)


def grow(state: TrainState, grown: float) -> None:
    """Let a progressive model draw finer images; it never goes back, not even where a finished run goes on."""
    state.grown = max(state.grown, grown)
    for network in (state.generator, state.discriminator, state.ema):
        network.grow(state.grown)


def restore(state: TrainState, run: RunDir, device: torch.device) -> bool:
    """Go on from the run's last good checkpoint; False where it has none."""
    last = checkpoint.load_last(run.checkpoints)
    if last is None:
        return False
    path, content = last
    for name in SAVED:
        getattr(state, name).load_state_dict(content[name])
    state.step, state.images_seen, state.seconds = content["step"], content["images_seen"], content["seconds"]
    state.augment, state.signs = content["augment"], content["signs"].to(device)
    state.sums = content["sums"].to(device)
    grow(state, content["grown"])
    console.notice(f"Going on from {path.name} ({state.images_seen:,} images seen).")
    return True


def save(state: TrainState, run: RunDir, dataset: PackedDataset, spec: ImageSpec, config: Config) -> None:
    """Write a checkpoint that is complete: `_restore` and `load_sampler` need nothing else but config.yaml."""
    shares: list[float] = []
    if spec.classes:
        labels = dataset.labels[dataset.of_split("train")]
        counts = np.bincount(labels[labels >= 0], minlength=spec.classes)
        shares = [float(share) for share in counts / counts.sum()]
    content: dict[str, Any] = {name: getattr(state, name).state_dict() for name in SAVED}
    content |= {
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "grown": state.grown,
        "augment": state.augment,
        "signs": state.signs.cpu(),
        "sums": state.sums.cpu(),
    }
    content |= {"spec": vars(spec), "classes": list(dataset.classes), "class_shares": shares}
    checkpoint.save(run.checkpoints, state.step, content, config.train.keep_checkpoints)


def check_finite(state: TrainState, run: RunDir, config: Config) -> None:
    """Raise where a loss or a weight is NaN or infinite: before anything of it reaches the disk."""
    tensors = [state.sums, *state.generator.parameters(), *state.discriminator.parameters()]
    if bool(torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all()):
        return
    if not config.train.gradient_clip:
        advice = "--set train.gradient_clip=1"
    elif config.train.precision == "bf16":
        advice = "--precision fp32"
    else:
        advice = f"--set train.lr={float(config.train.lr) / 4:g}"
    raise XrganError(
        f"The training of {run.path} ran into NaN or infinite values after step {state.step}; "
        "its last good checkpoint stays.",
        f"Start a new run with `{advice}`.",
    )


@torch.no_grad()
def update_ema(state: TrainState, batch_size: int, halflife_images: float) -> None:
    """Move the average towards the generator; BatchNorm's statistics move with the weights that they belong to."""
    halflife = min(halflife_images, LEAST_EMA_SHARE * (state.images_seen + batch_size))
    weight = 1 - 0.5 ** (batch_size / halflife) if halflife else 1.0
    for average, value in zip(state.ema.state_dict().values(), state.generator.state_dict().values(), strict=True):
        if average.data_ptr() == value.data_ptr():
            continue  # shared
        if average.is_floating_point():
            average.lerp_(value, weight)
        else:
            average.copy_(value)


def gradient_norms(state: TrainState) -> dict[str, float]:
    """The norm of each network's gradient at the last step, after clipping."""
    norms = {}
    for name in ("discriminator", "generator"):
        gradients = [weight.grad for weight in getattr(state, name).parameters() if weight.grad is not None]
        norms[f"{name}_gradient"] = round(float(nn.utils.get_total_norm(gradients)), 6)
    return norms
