"""All that changes while a run trains: made from a seed, saved, restored, checked, averaged."""

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import console, ranks
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.job import Job
from xrgan.gan.networks.base import Discriminator, Generator, ImageSpec
from xrgan.gan.networks.perceptual import perceptual_network
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import TrainingPlan
from xrgan.gan.prune import refuse_pruned
from xrgan.tensor_files import Content

OF_DISCRIMINATOR = ("discriminator_loss", "penalty", "d_real", "d_fake")
OF_GENERATOR = ("generator_loss", "feature_matching", "perceptual", "variance")  # the sum of all parts, then parts
LOSSES = (*OF_DISCRIMINATOR, *OF_GENERATOR)  # summed over an epoch
NetworkName = Literal["discriminator", "generator"]
NETWORKS: tuple[NetworkName, ...] = get_args(NetworkName)
STATE_DICTS = ("generator", "discriminator", "ema", "generator_optimizer", "discriminator_optimizer")
BETA2 = 0.999  # Adam's second momentum
MAX_EMA_SHARE = 0.05  # of the images seen: the average's half-life is no longer (Karras et al. 2023, EDM)


@dataclass
class TrainState:
    """What a checkpoint holds, and what the next step changes."""

    generator: Generator
    discriminator: Discriminator
    ema: Generator  # the generator with averaged weights: the one that draws
    generator_optimizer: Adam
    discriminator_optimizer: Adam
    perceptual_network: nn.Module | None = None  # not trained
    grown: float = 0.0  # position of a progressive model among its resolutions, fractional while one fades in
    run_id: str = ""  # of the run that it is of
    processes: int = 1  # that train it together
    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    augment: float = 0.0  # the probability; it moves where it is adaptive
    signs: Tensor = field(default_factory=lambda: torch.zeros(()))  # of real logits, summed since the probability moved
    sums: Tensor = field(default_factory=lambda: torch.zeros(len(LOSSES)))  # of this epoch; MPS has no float64
    norms_before_clipping: dict[NetworkName, Tensor] = field(default_factory=dict)  # of the last step, where it clips

    @cached_property
    def averaged(self) -> list[tuple[Tensor, Tensor]]:
        """Each tensor of the average, and the generator's that it follows; without those that both share."""
        of_both = (network.state_dict(keep_vars=True).values() for network in (self.ema, self.generator))
        return [(average, value) for average, value in zip(*of_both, strict=True) if average is not value]


def build_state(plan: TrainingPlan, spec: ImageSpec, device: torch.device) -> TrainState:
    """Make a fresh state: weights from the seed alone, on whatever device they go to."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        generator, discriminator = build(plan.model, spec)
    if plan.precision == "bf16":
        discriminator.run_in_bf16()
    generator = ranks.with_common_batch_norm(generator.to(device), device)
    discriminator = ranks.with_common_batch_norm(discriminator.to(device), device)

    def adam(network: nn.Module) -> Adam:
        return Adam(network.parameters(), lr=plan.lr, betas=(plan.beta1, BETA2), fused=True)

    ema = copy.deepcopy(generator).eval().requires_grad_(False)
    for name in generator.fitted_modules:
        setattr(ema, name, getattr(generator, name))  # they don't change, so they need no average
    state = TrainState(generator, discriminator, ema, adam(generator), adam(discriminator), processes=ranks.size())
    if plan.perceptual:
        state.perceptual_network = perceptual_network(plan.perceptual_weights, spec.channels, device)
    if not isinstance(plan.augment, str):
        state.augment = plan.augment
    state.sums, state.signs = state.sums.to(device), state.signs.to(device)
    return state


def start(job: Job) -> TrainState:
    """Make the state before the first step; a generator computes what it takes from the training images."""
    state = build_state(job.plan, job.spec, job.device)
    state.run_id = job.run.run_id()
    if state.generator.fit_images and ranks.is_first():
        console.waiting("Computing what the generator takes from the training images")
        images, labels = job.batches.random_subset(state.generator.fit_images, state.generator.fit_size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(job.plan.seed)
            state.generator.fit(images, labels)
    grow(state, 0)
    ranks.take_from_first(state.generator.state_dict().values())
    return state


def restore(job: Job) -> TrainState | None:
    """Load the state of the run's last good checkpoint; None where it has none.

    Raises:
        XrganError: none of them is good, or the run was pruned.
    """
    if not checkpoint.any_in(job.run.checkpoints):
        return None
    refuse_pruned(job.run)
    state = build_state(job.plan, job.spec, job.device)
    state.run_id = job.run.run_id()
    last = checkpoint.load_last_as(job.run.checkpoints, lambda content: _load(state, content, job), state.run_id)
    if last is None:
        return None
    console.notice(f"Going on from {last[0].name} ({state.images_seen:,} images seen).")
    if state.processes != ranks.size() and state.step:
        console.notice(
            f"It was trained in {_processes(state.processes)} and goes on in {_processes(ranks.size())}: its weights "
            "will differ a little from those of an uninterrupted run."
        )
    state.processes = ranks.size()
    return state


def _processes(number: int) -> str:
    return f"{number} processes" if number > 1 else "one process"


def check_common(state: TrainState) -> None:
    """Raise XrganError where the processes of a training don't begin with the same weights at the same step."""
    if ranks.size() == 1:
        return
    weights = (*state.generator.parameters(), *state.discriminator.parameters())
    bits = sum(int(weight.detach().view(torch.int32).sum()) for weight in weights)
    own, first = (state.step, bits), ranks.of_first((state.step, bits))
    if own != first:
        raise XrganError(
            f"Process {ranks.rank() + 1} would go on from step {own[0]} with other weights than the first one, which "
            f"goes on from step {first[0]}.",
            "Let all machines use the same version of PyTorch, and one folder of runs.",
        )


def _load(state: TrainState, content: Content, job: Job) -> None:
    """Fill a state; KeyError, TypeError, ValueError or RuntimeError where the content is another network's."""
    if content["spec"] != vars(job.spec):
        raise ValueError(f"it draws {content['spec']}")
    missing = len(LOSSES) - len(content["sums"])  # a run that was made before the last of them has none of those
    sums = torch.nn.functional.pad(content["sums"], (0, max(missing, 0)))
    if sums.shape != state.sums.shape or content["signs"].shape != state.signs.shape:
        raise ValueError("its sums are of another shape")
    for name in STATE_DICTS:
        getattr(state, name).load_state_dict(content[name])
    for optimizer in (state.generator_optimizer, state.discriminator_optimizer):
        for weight, moments in optimizer.state.items():
            if moments["exp_avg"].shape != weight.shape or moments["exp_avg_sq"].shape != weight.shape:
                raise ValueError("its optimizers are another network's")
    state.step, state.images_seen = int(content["step"]), int(content["images_seen"])
    state.seconds, state.augment = float(content["seconds"]), float(content["augment"])
    state.processes = int(content.get("processes", 1))
    state.signs, state.sums = content["signs"].to(job.device), sums.to(job.device)
    grow(state, float(content["grown"]))


def save(state: TrainState, job: Job) -> None:
    """Write a checkpoint."""
    checkpoint.save(job.run.checkpoints, state.step, content_of(state, job), job.plan.keep_checkpoints)


def content_of(state: TrainState, job: Job) -> Content:
    """What a checkpoint holds: all that `restore` and `load_sampler` need beside config.yaml."""
    shares: list[float] = []
    if job.spec.classes:
        labels = job.dataset.labels[job.dataset.of_split("train")]
        counts = np.bincount(labels[labels >= 0], minlength=job.spec.classes)
        shares = [float(share) for share in counts / counts.sum()]
    content: dict[str, Any] = {name: getattr(state, name).state_dict() for name in STATE_DICTS}
    content |= {
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "grown": state.grown,
        "augment": state.augment,
        "signs": state.signs.cpu(),
        "sums": state.sums.cpu(),
    }
    if state.processes > 1:
        content["processes"] = state.processes
    if state.run_id:
        content[checkpoint.RUN] = state.run_id
    content |= {"spec": vars(job.spec), "classes": list(job.dataset.classes), "class_shares": shares}
    return content


def grow(state: TrainState, position: float) -> None:
    """Let a progressive model draw finer images; it never shrinks, not even where a finished run is resumed."""
    state.grown = max(state.grown, position)
    for network in (state.generator, state.discriminator, state.ema):
        network.grow(state.grown)


def check_finite(state: TrainState, job: Job) -> None:
    """Raise XrganError where a loss or a weight is NaN or infinite: before anything of it reaches the disk."""
    tensors = [state.sums, *state.generator.parameters(), *state.discriminator.parameters()]
    if bool(torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all()):
        return
    if not job.plan.gradient_clip:
        advice = "--set train.gradient_clip=1"
    elif job.plan.precision == "bf16":
        advice = "--precision fp32"
    else:
        advice = f"--set train.lr={job.plan.lr / 4:g}"
    raise XrganError(
        f"The training of {job.run.path} ran into NaN or infinite values after step {state.step}; "
        "its last good checkpoint stays.",
        f"Start a new run with `{advice}`.",
    )


@torch.no_grad()
def update_ema(state: TrainState, batch_size: int, halflife_images: float) -> None:
    """Move the average towards the generator; BatchNorm's statistics move with the weights that they belong to."""
    halflife = min(halflife_images, MAX_EMA_SHARE * (state.images_seen + batch_size))
    weight = 1 - 0.5 ** (batch_size / halflife) if halflife else 1.0
    numbers = [pair for pair in state.averaged if pair[0].is_floating_point()]
    torch._foreach_lerp_([average for average, _ in numbers], [value for _, value in numbers], weight)
    for average, value in state.averaged:
        if not average.is_floating_point():
            average.copy_(value)


def gradient_norms(state: TrainState) -> dict[str, float]:
    """The norm of each network's gradient at the last step, before clipping."""
    norms = {}
    for name in NETWORKS:
        norm = state.norms_before_clipping.get(name)
        if norm is None:  # nothing is clipped
            gradients = [weight.grad for weight in getattr(state, name).parameters() if weight.grad is not None]
            norm = nn.utils.get_total_norm(gradients)
        norms[f"{name}_gradient"] = round(float(norm), 6)
    return norms
