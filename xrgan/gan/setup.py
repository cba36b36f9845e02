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
from xrgan.config_resolve import refuse_retired
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan.augment import probability_for
from xrgan.gan.batches import make_batches
from xrgan.gan.memory import largest_batch
from xrgan.gan.networks.registry import MODELS, build
from xrgan.gan.plan import network_plan, with_recipe
from xrgan.gan.state import fit, image_spec, save, start
from xrgan.gan.warm_start import load_matching_weights
from xrgan.hardware import choose_device, choose_precision
from xrgan.rundir import RunDir

# What a run that exists may change without becoming another run.
FREE = {"train.epochs", "train.minutes", "train.sample_every", "train.keep_checkpoints", "train.tensorboard"}
FREE |= {"train.compile", "train.perceptual_weights", "train.evaluate_every"}
GPU_BATCHES = 4  # times the recipe's batch: a GPU takes as long for 64 small images as for 16


def resolve_auto(config: Config, dataset: PackedDataset) -> Config:
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
    recipe, images = MODELS[config.model.name].recipe_with(config.model.discriminator), len(dataset.of_split("train"))
    masks = bool(dataset.masks) and (recipe.draws_masks if config.model.masks == "auto" else config.model.masks)
    if config.model.masks is True and not dataset.masks:
        raise XrganError(f"{dataset.name} has no masks to draw.", "Prepare a source with masks, or leave out --masks.")
    chosen: dict[str, Any] = {"conditional": conditional, "masks": masks, "precision": precision}
    chosen["augment"] = probability_for(images) if recipe.augments else 0.0
    asked = config.train.batch_size
    config = with_recipe(config.model_copy(update={"dataset": dataset.name}), chosen)
    if asked == "auto":
        config = _with_batch_size(config, dataset, device)
    console.notice(_summary(config, dataset, images, device))
    return config


def _with_batch_size(config: Config, dataset: PackedDataset, device: torch.device) -> Config:
    """The recipe's batch size, or what of it few images and the device's memory allow."""
    most = int(config.train.batch_size) * (GPU_BATCHES if device.type == "cuda" else 1)
    most = min(most, max(2, len(dataset.of_split("train")) // 4))
    size = largest_batch(config, image_spec(dataset, config), device, most)
    if not size:
        raise XrganError("Not even 2 images a step fit in memory.", "`xrgan prepare --size` makes smaller images.")
    return config.model_copy(update={"train": config.train.model_copy(update={"batch_size": size})})


def _summary(config: Config, dataset: PackedDataset, images: int, device: torch.device) -> str:
    """What a run is about to do, and why."""
    model, train = config.model, config.train
    augmented = f"augmented with probability {train.augment}" if train.augment else "not augmented"
    if train.augment == "adaptive":
        augmented = "augmented as the discriminator needs it"
    kind = f"one generator for {' and '.join(dataset.classes)}" if model.conditional else "no classes"
    drawn = f"with masks of {' and '.join(dataset.masks)}, " if model.masks else ""
    grows = f"growing through {', '.join(map(str, model.progressive))}, " if model.progressive else ""
    return (
        f"{model.name} at {dataset.size}×{dataset.size}, {grows}{kind}, {drawn}{images:,} training images "
        f"({augmented}), {train.loss} loss{' with R1' if train.r1 else ''}, {train.batch_size} images a step, "
        f"on {_device_name(device)} in {train.precision}."
    )


def create_run(run: RunDir, config: Config, dataset: PackedDataset, init_from: RunDir | None = None) -> None:
    """Make the run directory, once it is clear that training can start.

    Args:
        init_from: a run whose networks are the first ones: they become the checkpoint of step 0.

    Raises:
        XrganError: too few images, a size that the networks can't draw, no VGG16 where it is needed, or a run to start
            from that doesn't fit.
    """
    batches, spec = make_batches(dataset, config), image_spec(dataset, config)
    with torch.device("meta"):
        build(network_plan(config.model), spec)
    environment = _environment(config, dataset)
    if init_from is not None:
        device = choose_device(config.device)
        state = start(config, spec, device)
        fit(state, batches)
        step = load_matching_weights(state, init_from, config)
        environment["initialised_from"] = {"run": init_from.name, "step": step, "dataset": init_from.trained_on()}
        save(state, run, dataset, spec, config)
    elif config.train.perceptual:
        from xrgan.gan.networks.vgg16 import VGG16  # torchvision takes a second to import

        VGG16(config.train.perceptual_weights, spec.channels)  # it is read again, but not missed hours later
    run.write_environment(environment)
    run.write_config(config)


def update_config(run: RunDir, saved: Config, wanted: Config) -> None:
    """Write a run's new wishes into its config.yaml.

    Raises:
        XrganError: something was changed that would make it another run, or the run was trained with an option that
            is retired.
    """
    refuse_retired(run.config_file)
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
