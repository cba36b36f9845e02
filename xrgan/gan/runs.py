"""From a dataset and a wish to a run directory: what `auto` means here, and what may change when a run goes on."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import xrgan
from xrgan import console
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan.augment import probability_for
from xrgan.gan.batches import make_batches
from xrgan.gan.models import RECIPES, build, choose_device, choose_precision
from xrgan.gan.state import image_spec
from xrgan.rundir import RunDir

# What a run that exists may change without becoming another run.
FREE = {"train.epochs", "train.minutes", "train.sample_every", "train.keep_checkpoints", "train.tensorboard"}


def complete(config: Config, dataset: PackedDataset) -> Config:
    """Decide what `auto` left open, and say why in a line.

    Raises:
        XrganError: `conditional` on a dataset without classes, or a device that is not there.
    """
    device = choose_device(config.device)
    precision = choose_precision(config.train.precision, device)
    conditional = config.model.conditional
    if conditional is True and not dataset.classes:
        raise XrganError(f"{dataset.name} has no classes to draw by.", "Train with --unconditional.")
    if conditional == "auto":
        conditional = len(dataset.classes) > 1
    recipe, train, images = RECIPES[config.model.name], config.train, len(dataset.of_split("train"))
    masks = bool(dataset.masks) and (recipe.draws_masks if config.model.masks == "auto" else config.model.masks)
    if config.model.masks is True and not dataset.masks:
        raise XrganError(f"{dataset.name} has no masks to draw.", "Prepare a source with masks, or leave out --masks.")
    decided = {
        "precision": precision,
        "loss": recipe.loss if train.loss == "auto" else train.loss,
        "r1": recipe.r1 if train.r1 == "auto" else train.r1,
        "augment": probability_for(images) * recipe.augments if train.augment == "auto" else train.augment,
    }
    augmented = f"augmented with probability {decided['augment']}" if decided["augment"] else "not augmented"
    if decided["augment"] == "adaptive":
        augmented = "augmented as the discriminator needs it"
    kind = f"one generator for {' and '.join(dataset.classes)}" if conditional else "no classes"
    drawn = f"with masks of {' and '.join(dataset.masks)}, " if masks else ""
    console.notice(
        f"{config.model.name} at {dataset.size}×{dataset.size}, {kind}, {drawn}{images:,} training images "
        f"({augmented}), "
        f"{decided['loss']} loss{' with R1' if decided['r1'] else ''}, on {_device_name(device)} in {precision}."
    )
    return config.model_copy(
        update={
            "dataset": dataset.name,
            "model": config.model.model_copy(update={"conditional": conditional, "masks": masks}),
            "train": train.model_copy(update=decided),
        }
    )


def create(run: RunDir, config: Config, dataset: PackedDataset) -> None:
    """Make the run directory, once it is clear that training can start.

    Raises:
        XrganError: too few images, or a size that the networks can't draw.
    """
    make_batches(dataset, config)
    with torch.device("meta"):
        build(config.model, image_spec(dataset, config))
    run.write_environment(_environment(config, dataset))
    run.write_config(config)


def change(run: RunDir, saved: Config, wanted: Config) -> None:
    """Write a run's new wishes into its config.yaml.

    Raises:
        XrganError: something was changed that would make it another run.
    """
    for section in ("model", "train"):
        old, new = getattr(saved, section).model_dump(), getattr(wanted, section).model_dump()
        for key, value in new.items():
            if value != old[key] and f"{section}.{key}" not in FREE:
                raise XrganError(
                    f"{run.path} was trained with {section}.{key} = {old[key]}: it can't go on with {value}.",
                    "Start a new run: `xrgan train --run NEW`.",
                )
    done = int(run.read_losses()[-1]["epoch"]) if run.read_losses() else 0
    if wanted.train.epochs < done and not wanted.train.minutes:
        raise XrganError(
            f"{run.path} has trained {done} epochs already: it can't go back to {wanted.train.epochs}.",
            f"`xrgan resume --run {run.path} --epochs {2 * done}` trains on; "
            "`xrgan sample --checkpoint` draws from an earlier state.",
        )
    if wanted != saved:
        run.write_config(wanted)


def check_dataset(run: RunDir, dataset: PackedDataset) -> None:
    """Raise XrganError where the dataset is not the one that the run was trained on."""
    if run.trained_on() != dataset.content_hash:
        raise XrganError(
            f"{dataset.path} is not the dataset that {run.path} was trained on: its content hash differs.",
            "Name the right one with --data, or prepare it again with the options in the run's environment.yaml.",
        )


def _environment(config: Config, dataset: PackedDataset) -> dict[str, Any]:
    device = choose_device(config.device)
    packages = ("torch", "torchvision", "numpy", "pandas", "pillow")
    return {
        "xrgan": xrgan.__version__,
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "platform": platform.platform(),
        "device": _device_name(device),
        "threads": torch.get_num_threads(),
        "seed": config.train.seed,
        "dataset": {
            "name": dataset.name,
            "content_hash": dataset.content_hash,
            "training_images": len(dataset.of_split("train")),
            "classes": list(dataset.classes),
            "size": dataset.size,
            "channels": dataset.channels,
        },
    }


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({torch.get_num_threads()} threads)" if device.type == "cpu" else device.type


def _git_commit() -> str | None:
    """The commit of xrgan's own source, where it runs from a checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(xrgan.__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
