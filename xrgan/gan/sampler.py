"""Checkpoint + seed → images. Image k depends on (seed, k) alone, not on how many are drawn or in which order."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate

from xrgan.config import Config
from xrgan.data.images import Pixels
from xrgan.errors import XrganError
from xrgan.exported import ANOTHER, Export
from xrgan.gan import checkpoint
from xrgan.gan.networks.base import ImageSpec, NetworkPlan
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import network_plan
from xrgan.gan.prune import is_pruned
from xrgan.hardware import choose_device
from xrgan.marks import NOT_KNOWN, Origin
from xrgan.rundir import RunDir
from xrgan.tensor_files import Content, load_safetensors, safetensors_bytes

# Images are always drawn in whole blocks of this size: a convolution's last bits depend on the size of its batch.
BLOCK = 32
LAST: Final = "last"  # in the place of a checkpoint's name
Made = TypeVar("Made")


@dataclass(frozen=True)
class Sampler:
    """A trained generator, ready to draw."""

    generator: nn.Module
    spec: ImageSpec
    latent_size: int
    classes: tuple[str, ...]
    class_shares: tuple[float, ...]  # of the training images; empty where the model is unconditional
    device: torch.device
    step: int
    ema: bool
    origin: Origin = NOT_KNOWN  # what marks say of the generator, but for the hash of its weights
    balance: bool = False  # the classes in turn; else in their shares of the training images

    @cached_property
    def marked_origin(self) -> Origin:
        """What every image's mark says of the generator."""
        digest = hashlib.sha256(safetensors_bytes(self.generator.state_dict())).hexdigest()
        return replace(self.origin, generator_sha256=digest)


def load_sampler(run: RunDir | Export, device: str, ema: bool = True, checkpoint_name: str = "") -> Sampler:
    """Load a run's generator, of the checkpoint that `load_drawing` chooses; or an export's, of which it has one.

    Raises:
        XrganError: the run has no checkpoint yet, or no such one; or the export is damaged.
    """
    if isinstance(run, Export):
        return _exported_sampler(run, device, ema, checkpoint_name)
    if not ema and is_pruned(run):
        raise XrganError(f"{run.path} was pruned: the averaged generator alone is left.", "Leave out --no-ema.")
    plan, on, run_id = network_plan(run.read_config().model), choose_device(device), run.run_id()

    def make(content: Content) -> Sampler:
        origin = Origin(run.name, run_id, dataset_hash=run.trained_on())
        return replace(_sampler_of(content, plan, on, ema), origin=origin)

    return load_drawing(run, checkpoint_name, make)


def load_drawing(run: RunDir, checkpoint_name: str, make: Callable[[Content], Made]) -> Made:
    """Read the checkpoint that draws, and make of it what it is for (`checkpoint.load_as`).

    Args:
        checkpoint_name: empty = the one that `drawing_checkpoint` names; "last" = the last good one.

    Raises:
        XrganError: the run has no checkpoint yet, or no such one.
    """
    checkpoint_name = checkpoint_name or drawing_checkpoint(run, run.read_config())
    if checkpoint_name != LAST:
        return checkpoint.load_as(checkpoint.find(run.checkpoints, checkpoint_name), make, run.run_id())
    last = checkpoint.load_last_as(run.checkpoints, make, run.run_id())
    if last is None:
        raise XrganError(f"{run.path} has no checkpoint yet.", f"`xrgan resume --run {run.path}` trains it.")
    return last[1]


def drawing_checkpoint(run: RunDir, config: Config) -> Literal["best", "last"]:
    """Which of a run's checkpoints draws where the user names none; the best one by itself only where one is marked."""
    if config.sample.checkpoint != "auto":
        return config.sample.checkpoint
    is_marked = (run.checkpoints / checkpoint.BEST).is_file()
    return "best" if config.train.evaluate_every and is_marked else LAST


def _exported_sampler(export: Export, device: str, ema: bool, checkpoint_name: str) -> Sampler:
    if not ema or checkpoint_name:
        raise XrganError(
            f"{export.path} holds one generator alone, the averaged one of step {export.manifest.step:,}.",
            "Leave out --checkpoint and --no-ema, or draw from the run itself.",
        )
    plan, manifest = network_plan(export.read_config().model), export.manifest
    content = exported_content(export)
    try:
        sampler = _sampler_of(content, plan, choose_device(device), ema=True)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise XrganError(f"{export.path} is damaged: its weights are another network's.", ANOTHER) from error
    return replace(sampler, origin=Origin(manifest.run, manifest.run_id, dataset_hash=manifest.dataset_hash))


def exported_content(export: Export) -> Content:
    """Read an export as what a checkpoint would hold of it: the averaged generator, and what it draws."""
    manifest = export.manifest
    classes = len(manifest.classes) if manifest.conditional else 0
    return {
        "ema": load_safetensors(export.read_generator(), str(export.path)),
        "spec": {
            "size": manifest.size,
            "channels": manifest.channels,
            "classes": classes,
            "masks": manifest.masks,
        },
        "classes": manifest.classes,
        "class_shares": manifest.class_shares,
        "grown": manifest.grown,
        "step": manifest.step,
        "images_seen": manifest.images_seen,
    }


def _sampler_of(content: Content, plan: NetworkPlan, device: torch.device, ema: bool) -> Sampler:
    """Build what a checkpoint's generator is; KeyError, TypeError or RuntimeError where it is another network's."""
    spec = ImageSpec(**content["spec"])
    generator, _ = build(plan, spec)
    generator.load_state_dict(content["ema" if ema else "generator"])
    generator.grow(float(content["grown"]))
    return Sampler(
        generator=generator.to(device).eval().requires_grad_(False),
        spec=spec,
        latent_size=plan.latent_size,
        classes=tuple(content["classes"]),
        class_shares=tuple(content["class_shares"]),
        device=device,
        step=int(content["step"]),
        ema=ema,
    )


def latents(seed: int, first: int, count: int, latent_size: int) -> Tensor:
    """Latents z ~ N(0, 1) of images first … first + count − 1 (from 0): (count, Z), each of a random stream alone."""
    rows = [
        np.random.default_rng([seed, k]).standard_normal(latent_size, np.float32) for k in range(first, first + count)
    ]
    return torch.from_numpy(np.stack(rows))


def sample_labels(sampler: Sampler, seed: int, first: int, count: int, label: str = "") -> NDArray[np.int64]:
    """Labels of images first … first + count − 1: all `label`, in turn, or in the training images' shares.

    Returns:
        int64 (count,): numbers of the classes; -1 where the model is unconditional.

    Raises:
        XrganError: the model is unconditional and a class or all of them are asked for, or it has no such class.
    """
    if not sampler.spec.classes:
        if label or sampler.balance:
            raise XrganError(
                f"This model is unconditional: it can't draw {repr(label) + ' only' if label else 'classes in turn'}.",
                "Train one with `--conditional` on a dataset with classes.",
            )
        return np.full(count, -1, np.int64)
    if label:
        if label not in sampler.classes:
            raise XrganError(f"The model knows no class {label!r}.", f"It draws {', '.join(sampler.classes)}.")
        return np.full(count, sampler.classes.index(label), np.int64)
    if sampler.balance:
        return np.arange(first, first + count) % sampler.spec.classes
    # A stream of its own (the third entry), so that the label doesn't follow from the latent.
    draws = np.array([np.random.default_rng([seed, k, 1]).random() for k in range(first, first + count)])
    return np.searchsorted(np.cumsum(sampler.class_shares)[:-1], draws, side="right").astype(np.int64)


@torch.inference_mode()
def generate(generator: nn.Module, z: Tensor, labels: Tensor | None, size: int) -> Pixels:
    """Run a generator: latents (N, Z) (and labels (N,)) → uint8 (N, C + M, size, size).

    What one draws that hasn't grown so far is enlarged.
    """
    device = next(generator.parameters()).device
    images = generator(z.to(device), labels.to(device) if labels is not None else None).float()
    if images.shape[-1] < size:
        images = interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    # [-1, 1] → 0 … 255
    scaled = images.add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
    pixels: Pixels = scaled.cpu().numpy()
    return pixels


def sample_block(sampler: Sampler, seed: int, block: int, label: str = "") -> tuple[Pixels, NDArray[np.int64]]:
    """Sample images block · BLOCK … of a seed: uint8 (BLOCK, C + M, S, S), and their classes (BLOCK,)."""
    first = block * BLOCK
    classes = sample_labels(sampler, seed, first, BLOCK, label)
    z = latents(seed, first, BLOCK, sampler.latent_size)
    labels = torch.from_numpy(classes) if sampler.spec.classes else None
    images = generate(sampler.generator, z, labels, sampler.spec.size)
    return images, classes


def sample_numbers(sampler: Sampler, numbers: Sequence[int], seed: int, label: str) -> Iterator[tuple[int, Pixels]]:
    """Sample the images of these ascending numbers (from 0) of a seed, one by one."""
    block, images = -1, np.zeros(0, np.uint8)
    for k in numbers:
        if k // BLOCK != block:
            block = k // BLOCK
            images, _ = sample_block(sampler, seed, block, label)
        yield k, images[k % BLOCK]


def check_weights(sampler: Sampler) -> None:
    """Raise XrganError where the generator's weights hold NaN or infinite values."""
    if not all(bool(torch.isfinite(weight).all()) for weight in sampler.generator.state_dict().values()):
        raise XrganError(
            "The generator's weights hold NaN or infinite values: it can draw nothing.",
            "Sample from an earlier checkpoint with --checkpoint.",
        )
