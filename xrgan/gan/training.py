"""The training loop: packed dataset + configuration → a run directory that can go on where it stopped.

Everything random in step k is drawn from (seed, k), never from a running generator: that is why a resumed run equals an
uninterrupted one bit for bit.
"""

import copy
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Adam

from xrgan import console
from xrgan.config import Config, TrainConfig
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan import checkpoint
from xrgan.gan.losses import discriminator_bce, generator_bce
from xrgan.gan.models import ImageSpec, autocast, build, choose_device
from xrgan.gan.recording import Recorder
from xrgan.rundir import RunDir

FIGURES = ("discriminator_loss", "generator_loss", "d_real", "d_fake")
LEAST_EMA_SHARE = 0.05  # the average's half-life is at most this share of the images seen (Karras et al. 2023, EDM)
SECONDS_BETWEEN_LOOKS = 1.0  # reading the losses waits for the device


@dataclass
class TrainState:
    """All that a run is: what a checkpoint holds, and what the next step changes."""

    generator: nn.Module
    discriminator: nn.Module
    ema: nn.Module  # the generator with averaged weights: the one that draws
    generator_optimizer: Adam
    discriminator_optimizer: Adam
    step: int = 0
    images_seen: int = 0
    seconds: float = 0.0
    sums: Tensor = field(default_factory=lambda: torch.zeros(len(FIGURES), dtype=torch.float64))  # of this epoch


@dataclass(frozen=True)
class Trained:
    run: RunDir
    epochs: int
    step: int
    stopped_by: signal.Signals | None  # None: it reached its last epoch


@dataclass(frozen=True)
class Batches:
    """The training images and the order in which every epoch visits them."""

    dataset: PackedDataset
    indices: NDArray[np.int64]
    size: int
    seed: int
    flip: bool

    @property
    def an_epoch(self) -> int:
        """Steps an epoch; what is left over waits for the next epoch's order (BatchNorm dislikes small batches)."""
        return len(self.indices) // self.size

    def at(self, step: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Real images (B, C, S, S) in [-1, 1] and labels (B,) of a step."""
        epoch, place = divmod(step, self.an_epoch)
        order = _order(len(self.indices), self.seed, epoch)
        chosen = self.indices[order[place * self.size : (place + 1) * self.size]]
        pixels = torch.from_numpy(self.dataset.images[chosen]).to(device, non_blocking=True)
        images = pixels.float().div_(127.5).sub_(1)
        if self.flip:
            mirrored = torch.from_numpy(generator_at(self.seed, 1, step).random(self.size) < 0.5).to(device)
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        return images, torch.from_numpy(self.dataset.labels[chosen]).to(device, non_blocking=True)


@lru_cache(maxsize=1)
def _order(images: int, seed: int, epoch: int) -> NDArray[np.int64]:
    return generator_at(seed, 0, epoch).permutation(images)


def generator_at(seed: int, stream: int, step: int) -> np.random.Generator:
    """A generator that depends on nothing but its arguments; streams: 0 order, 1 flips, 2 latents."""
    return np.random.default_rng([seed, stream, step])


def train(run: RunDir, dataset: PackedDataset, config: Config) -> Trained:
    """Train a run to its last epoch, from its last good checkpoint where it has one.

    Args:
        config: resolved; `run` holds the same one in its config.yaml.

    Raises:
        XrganError: too few images, a size that the networks can't draw, NaN, or out of memory.
    """
    device = choose_device(config.device)
    batches = make_batches(dataset, config)
    spec = image_spec(dataset, config)
    state = start(config, spec, device)
    _restore(state, run, device)
    state.sums = state.sums.to(device)
    last_step = config.train.epochs * batches.an_epoch
    recording = Recorder(run, config, spec.classes, state.step // batches.an_epoch)
    showing = console.progress("Training", (last_step - state.step) * batches.size)
    with recording as recorder, _memory_advice(config), _stop_signals() as stop, showing as bar:
        clock = _Clock(state.seconds)
        while state.step < last_step and not stop.asked_by:
            train_step(state, batches, config, device)
            if clock.is_time_to_look():
                _check_finite(state, run, config)
                bar.describe(_live(state, batches, config))
            bar.advance(batches.size)
            epoch_ends = state.step % batches.an_epoch == 0
            if epoch_ends or stop.asked_by:
                state.seconds = clock.seconds()
                _check_finite(state, run, config)
                if epoch_ends:
                    bar.describe(_live(state, batches, config))
                    recorder.epoch(_row(state, batches), state.ema)
                    state.sums.zero_()
                # Last, so that what the epoch wrote is never older than the checkpoint that a run goes on from.
                _save(state, run, dataset, spec, config)
    return Trained(run, state.step // batches.an_epoch, state.step, stop.asked_by)


def train_step(state: TrainState, batches: Batches, config: Config, device: torch.device) -> None:
    """One update of each network, and of the average."""
    real, labels = batches.at(state.step, device)
    z = generator_at(config.train.seed, 2, state.step).standard_normal(
        (batches.size, config.model.latent_size), np.float32
    )
    with autocast(device, config.train.precision):
        fake = state.generator(torch.from_numpy(z).to(device, non_blocking=True), labels)
    discriminator_figures = train_discriminator(state, real, fake.detach(), labels, config.train)
    generator_figures = train_generator(state, fake, labels, config.train)
    update_ema(state, batches.size, config.train.ema_halflife_images)
    loss, d_real, d_fake = discriminator_figures
    state.sums += torch.stack([loss, generator_figures, d_real, d_fake])
    state.step += 1
    state.images_seen += batches.size


def train_discriminator(
    state: TrainState, real: Tensor, fake: Tensor, labels: Tensor, config: TrainConfig
) -> tuple[Tensor, Tensor, Tensor]:
    """Teach the discriminator to tell `real` from `fake`, each (B, C, S, S).

    Returns:
        Its loss, and the mean of D(x) and of D(G(z)) in [0, 1]: scalars on the device.
    """
    with autocast(real.device, config.precision):
        real_logits = state.discriminator(real, labels)
        fake_logits = state.discriminator(fake, labels)
    loss = discriminator_bce(real_logits.float(), fake_logits.float(), config.real_label)
    _descend(loss, state.discriminator, state.discriminator_optimizer, config.gradient_clip)
    return loss.detach(), real_logits.detach().float().sigmoid().mean(), fake_logits.detach().float().sigmoid().mean()


def train_generator(state: TrainState, fake: Tensor, labels: Tensor, config: TrainConfig) -> Tensor:
    """Teach the generator that drew `fake` (B, C, S, S) to deceive the discriminator; returns its loss."""
    # The discriminator only passes the gradient on: its own would be thrown away.
    state.discriminator.requires_grad_(False)
    with autocast(fake.device, config.precision):
        logits = state.discriminator(fake, labels)
    loss = generator_bce(logits.float())
    _descend(loss, state.generator, state.generator_optimizer, config.gradient_clip)
    state.discriminator.requires_grad_(True)
    return loss.detach()


def _descend(loss: Tensor, network: nn.Module, optimizer: Adam, clip: float) -> None:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    if clip:
        nn.utils.clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


@torch.no_grad()
def update_ema(state: TrainState, batch_size: int, halflife_images: float) -> None:
    """Move the average towards the generator; BatchNorm's statistics move with the weights that they belong to."""
    halflife = min(halflife_images, LEAST_EMA_SHARE * (state.images_seen + batch_size))
    weight = 1 - 0.5 ** (batch_size / halflife) if halflife else 1.0
    for average, value in zip(state.ema.state_dict().values(), state.generator.state_dict().values(), strict=True):
        if average.is_floating_point():
            average.lerp_(value, weight)
        else:
            average.copy_(value)


def make_batches(dataset: PackedDataset, config: Config) -> Batches:
    """The training split, in batches.

    Raises:
        XrganError: there are fewer images than one batch needs.
    """
    indices = dataset.of_split("train")
    if config.model.conditional is True:
        labelled = indices[dataset.labels[indices] >= 0]
        if len(labelled) < len(indices):
            console.notice(f"{len(indices) - len(labelled)} training images have no label and are left out.")
        indices = labelled
    if len(indices) < config.train.batch_size:
        raise XrganError(
            f"{dataset.name} has {len(indices)} training images, fewer than one batch of {config.train.batch_size}.",
            f"Use `--batch-size {max(2, len(indices) // 4)}`, or prepare more images.",
        )
    return Batches(dataset, indices, config.train.batch_size, config.train.seed, config.train.horizontal_flip)


def image_spec(dataset: PackedDataset, config: Config) -> ImageSpec:
    """What the networks draw for this dataset."""
    return ImageSpec(dataset.size, dataset.channels, len(dataset.classes) if config.model.conditional is True else 0)


def start(config: Config, spec: ImageSpec, device: torch.device) -> TrainState:
    """A fresh state: weights from the seed, on whatever device they go to."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.train.seed)
        generator, discriminator = build(config.model, spec)
    generator, discriminator = generator.to(device), discriminator.to(device)

    def adam(network: nn.Module) -> Adam:
        betas = (config.train.beta1, config.train.beta2)
        return Adam(network.parameters(), lr=config.train.lr, betas=betas, fused=True)

    ema = copy.deepcopy(generator).eval().requires_grad_(False)
    return TrainState(generator, discriminator, ema, adam(generator), adam(discriminator))


def _restore(state: TrainState, run: RunDir, device: torch.device) -> None:
    last = checkpoint.load_last(run.checkpoints)
    if last is None:
        return
    path, content = last
    for name in ("generator", "discriminator", "ema", "generator_optimizer", "discriminator_optimizer"):
        getattr(state, name).load_state_dict(content[name])
    state.step, state.images_seen, state.seconds = content["step"], content["images_seen"], content["seconds"]
    state.sums = content["sums"].to(device)
    console.notice(f"Going on from {path.name} ({state.images_seen:,} images seen).")


def _save(state: TrainState, run: RunDir, dataset: PackedDataset, spec: ImageSpec, config: Config) -> None:
    """Write a checkpoint that is complete: `_restore` and `open_drawing` need nothing else but config.yaml."""
    shares: list[float] = []
    if spec.classes:
        labels = dataset.labels[dataset.of_split("train")]
        counts = np.bincount(labels[labels >= 0], minlength=spec.classes)
        shares = [float(share) for share in counts / counts.sum()]
    content: dict[str, Any] = {
        name: getattr(state, name).state_dict()
        for name in ("generator", "discriminator", "ema", "generator_optimizer", "discriminator_optimizer")
    }
    content |= {
        "step": state.step,
        "images_seen": state.images_seen,
        "seconds": state.seconds,
        "sums": state.sums.cpu(),
    }
    content |= {"spec": vars(spec), "classes": list(dataset.classes), "class_shares": shares}
    checkpoint.save(run.checkpoints, state.step, content, config.train.keep_checkpoints)


def _row(state: TrainState, batches: Batches) -> dict[str, float]:
    """The epoch's line of losses.csv: means over its steps."""
    means = dict(zip(FIGURES, (state.sums / batches.an_epoch).tolist(), strict=True))
    epoch = state.step // batches.an_epoch
    return {"epoch": epoch, "step": state.step, "images_seen": state.images_seen, "seconds": state.seconds} | means


def _check_finite(state: TrainState, run: RunDir, config: Config) -> None:
    """Raise where a loss or a weight is NaN or infinite: before anything of it reaches the disk."""
    tensors = [state.sums, *state.generator.parameters(), *state.discriminator.parameters()]
    if bool(torch.stack([torch.isfinite(tensor).all() for tensor in tensors]).all()):
        return
    if not config.train.gradient_clip:
        advice = "--set train.gradient_clip=1"
    elif config.train.precision == "bf16":
        advice = "--precision fp32"
    else:
        advice = f"--set train.lr={config.train.lr / 4:g}"
    raise XrganError(
        f"The training of {run.path} ran into NaN or infinite values after step {state.step}; "
        "its last good checkpoint stays.",
        f"Start a new run with `{advice}`.",
    )


def _live(state: TrainState, batches: Batches, config: Config) -> str:
    steps = state.step % batches.an_epoch or batches.an_epoch
    loss_d, loss_g, d_real, d_fake = (state.sums / steps).tolist()
    epoch = min((state.step - 1) // batches.an_epoch + 1, config.train.epochs)
    losses = f"loss D {loss_d:.3f} G {loss_g:.3f} · D(x) {d_real:.2f} D(G(z)) {d_fake:.2f}"
    return f"epoch {epoch}/{config.train.epochs} · {losses}"


class _Clock:
    """Seconds trained so far, earlier sessions included."""

    def __init__(self, seconds_before: float) -> None:
        self._start = time.monotonic() - seconds_before
        self._last_look = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._start, 2)

    def is_time_to_look(self) -> bool:
        if time.monotonic() - self._last_look < SECONDS_BETWEEN_LOOKS:
            return False
        self._last_look = time.monotonic()
        return True


@dataclass
class _Stop:
    asked_by: signal.Signals | None = None


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """Note Ctrl-C and SIGTERM, so that the step can be finished; a second one ends the process at once."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread receives signals
        return

    def note(number: int, _frame: FrameType | None) -> None:
        stop.asked_by = signal.Signals(number)
        signal.signal(number, previous[signal.Signals(number)])
        console.notice("Finishing the step and writing a checkpoint …")

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def _memory_advice(config: Config) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one; on a CPU it is a plain RuntimeError
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        smaller = max(2, config.train.batch_size // 2)
        raise XrganError(
            f"Out of memory at {config.train.batch_size} images a step.",
            f"Start a new run with `--batch-size {smaller}`, or narrower networks (`--set model.generator_width=32`).",
        ) from error
