"""From a dataset and a configuration to a run directory: what `auto` means here, and what resuming may change."""

import hashlib
import json
import platform
import subprocess
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import xrgan
from xrgan import console
from xrgan.config import AUTO, Config
from xrgan.config_resolve import refuse_retired
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.exported import Export
from xrgan.gan.claim import growing, locked
from xrgan.gan.job import Job, image_spec
from xrgan.gan.memory import largest_batch
from xrgan.gan.networks.perceptual import perceptual_network
from xrgan.gan.networks.projected import enlarged
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import TrainingPlan, as_trained, augmentation_for, recipe_of, training_plan, with_recipe
from xrgan.gan.state import save, start
from xrgan.gan.warm_start import load_matching_weights
from xrgan.hardware import choose_precision, describe, is_fast, versions_of
from xrgan.rundir import RunDir

# What a run that exists may change without becoming another run.
RESUMABLE_OPTIONS = {
    "train.epochs",
    "train.minutes",
    "train.sample_every",
    "train.evaluate_every",
    "train.patience",
    "train.keep_checkpoints",
    "train.tensorboard",
    "train.compile",
    "train.cuda_graph",
    "train.deterministic",
    "train.perceptual_weights",
}


def resolve_auto(config: Config, dataset: PackedDataset, device: torch.device, processes: int = 1) -> Config:
    """Decide what `auto` left open, by the model, the data and the device, and say in a line what will be done.

    Args:
        processes: that share every step.

    Returns:
        The configuration as the run's config.yaml shall hold it.

    Raises:
        XrganError: `conditional` on a dataset without classes, masks on one without, or no batch fits in memory.
    """
    recipe, images = recipe_of(config), len(dataset.of_split("train"))
    chosen: dict[str, Any] = {
        "conditional": len(dataset.classes) > 1,
        "masks": bool(dataset.masks) and recipe.draws_masks,
        "discriminator_pixels": enlarged(dataset.size),
        "progressive": recipe.progressive_at(dataset.size),
        "growth": "residual",
        "precision": choose_precision(config.train.precision, device),
        "augment": augmentation_for(config, images),
        "variance": recipe.variance_at(dataset.size),
    }
    decided = with_recipe(config.model_copy(update={"dataset": dataset.name}), chosen)
    plan = training_plan(decided)
    if plan.model.conditional and not dataset.classes:
        raise XrganError(f"{dataset.name} has no classes to draw by.", "Train with --unconditional.")
    if plan.model.masks and not dataset.masks:
        raise XrganError(f"{dataset.name} has no masks to draw.", "Prepare a source with masks, or leave out --masks.")
    if config.train.batch_size == AUTO:
        size = _batch_size(plan, dataset, device, processes)
        decided = decided.model_copy(update={"train": decided.train.model_copy(update={"batch_size": size})})
    console.notice(_summary(training_plan(decided), dataset, device))
    return decided


def _batch_size(plan: TrainingPlan, dataset: PackedDataset, device: torch.device, processes: int) -> int:
    """The recipe's batch size, or what of it few images and the device's memory allow; of several, as many each."""
    most = min(plan.batch_size, max(2, len(dataset.of_split("train")) // 4))
    if processes > 1:
        most = max(2, most // processes // 2 * 2)
    size = processes * largest_batch(plan, image_spec(dataset, plan.model), device, most)
    if not size:
        raise XrganError("Not even 2 images a step fit in memory.", "`xrgan prepare --size` makes smaller images.")
    return size


def _summary(plan: TrainingPlan, dataset: PackedDataset, device: torch.device) -> str:
    """What a run is about to do, and why."""
    model, images = plan.model, len(dataset.of_split("train"))
    augmented = f"augmented with probability {plan.augment}" if plan.augment else "not augmented"
    if plan.augment == "adaptive":
        augmented = "augmented as the discriminator needs it"
    kind = f"one generator for {' and '.join(dataset.classes)}" if model.conditional else "no classes"
    drawn = f"with masks of {' and '.join(dataset.masks)}, " if model.masks else ""
    grows = f"growing through {', '.join(map(str, model.progressive))}, " if model.progressive else ""
    return (
        f"{model.name} at {dataset.size}×{dataset.size}, {grows}{kind}, {drawn}{images:,} training images "
        f"({augmented}), {plan.loss} loss{' with R1' if plan.r1 else ''}, {plan.batch_size} images a step, "
        f"on {describe(device)} in {plan.precision}."
    )


def check_shares(plan: TrainingPlan, processes: int) -> None:
    """Raise XrganError where several processes can't take the same even number of a step's images each."""
    if processes > 1 and plan.batch_size % (2 * processes):
        larger = -(-plan.batch_size // (2 * processes)) * 2 * processes
        raise XrganError(
            f"{processes} processes can't share {plan.batch_size} images a step: each takes the same even number.",
            f"Train in another number of processes, or a new run with `--batch-size {larger}`.",
        )


def create_run(job: Job, config: Config, init_from: RunDir | Export | None = None) -> None:
    """Make the run directory, once it is clear that training can start.

    Args:
        config: what config.yaml shall hold; the job was made from it.
        init_from: a run whose networks are the first ones: they become the checkpoint of step 0.

    Raises:
        XrganError: a size that the networks can't draw, no VGG16 where it is needed, or a run to start from that
            doesn't fit; or something else has the run's name.
    """
    with torch.device("meta"):
        build(job.plan.model, job.spec)
    environment = _environment(job)
    with growing(job.run) as folder:
        if init_from is not None:
            state = start(job)
            step = load_matching_weights(state, init_from, job)
            environment["initialised_from"] = _origin(init_from, step)
            state.run_id = _run_id(job, config, init_from)
            save(state, replace(job, run=folder))
        elif job.plan.perceptual:  # it is read again, but not missed hours later
            perceptual_network(job.plan.perceptual_weights, job.spec.channels, torch.device("cpu"))
        if job.plan.perceptual and not job.plan.perceptual_weights:
            console.notice("The perceptual loss looks through EfficientNet-Lite0: no file of VGG16's weights is named.")
        folder.write_environment(environment | {"run_id": _run_id(job, config, init_from)})
        folder.write_config(config)


def _origin(init_from: RunDir | Export, step: int) -> dict[str, Any]:
    """What environment.yaml says of the run that this one begins with; an export's own past comes with it."""
    origin: dict[str, Any] = {"run": init_from.name, "step": step, "dataset": init_from.trained_on()}
    if isinstance(init_from, Export):
        origin["before"] = list(init_from.manifest.learned_from)
    return origin


def _run_id(job: Job, config: Config, init_from: RunDir | Export | None) -> str:
    """What tells a run's checkpoints from those of a run that learns otherwise: of all that decides its weights."""
    decides = {f"{section}.{key}": value for section in ("model", "train") for key, value in getattr(config, section)}
    decides = {key: value for key, value in decides.items() if key not in RESUMABLE_OPTIONS}
    decides |= {"dataset": job.dataset.content_hash, "splits": job.dataset.splits.tolist()}
    decides |= {"from": [init_from.name, init_from.run_id()] if init_from else []}
    return hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:16]


def warn_of_other_machine(run: RunDir, device: torch.device, precision: str) -> None:
    """Say where a run is resumed on what rounds otherwise than where it began, or is slow in its precision."""
    environment, threads = run.read_environment(), torch.get_num_threads()
    began, now = (name.partition(" (")[0] for name in (str(environment.get("device", "")), describe(device)))
    another = "from those of an uninterrupted run"
    if began not in ("", now):
        console.notice(f"{run.path} began on {began} and goes on on {now}: its last bits will differ {another}.")
    elif device.type == "cpu" and environment.get("threads") not in (None, threads):
        before = environment["threads"]
        console.notice(
            f"{run.path} began with {before} threads and is resumed with {threads}: its weights will differ in their "
            f"last bits {another} (OMP_NUM_THREADS={before} gives the same)."
        )
    if not is_fast(precision, device):
        console.notice(f"{run.path} is trained in {precision}, which {now} multiplies slowly.")


def update_config(run: RunDir, saved: Config, wanted: Config) -> None:
    """Write into a run's config.yaml what it shall do from now on.

    Raises:
        XrganError: something was changed that would make it another run, or the run was trained with an option that
            is retired.
    """
    refuse_retired(run.config_file)
    before, after = as_trained(saved), as_trained(wanted)  # what both leave open is the same
    for section in ("model", "train"):
        old, new = getattr(before, section).model_dump(), getattr(after, section).model_dump()
        for key, value in new.items():
            if value != old[key] and f"{section}.{key}" not in RESUMABLE_OPTIONS:
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
        with locked(run):
            run.write_config(after)


def check_dataset(run: RunDir, dataset: PackedDataset) -> None:
    """Raise XrganError where the dataset is not the one that the run was trained on."""
    if run.trained_on() != dataset.content_hash:
        known = "options" in run.read_environment().get("dataset", {})
        again = "with the options in the run's environment.yaml" if known else "as it was prepared then"
        raise XrganError(
            f"{dataset.path} is not the dataset that {run.path} was trained on: its content hash differs.",
            f"Name the right one with --data, or prepare it again {again}.",
        )


def _environment(job: Job) -> dict[str, Any]:
    """What environment.yaml holds."""
    packages = ("torch", "torchvision", "numpy", "pandas", "pillow")
    return {
        "xrgan": xrgan.__version__,
        "git_commit": _git_commit(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
        "platform": platform.platform(),
        "device": describe(job.device),
        **versions_of(job.device),
        "threads": torch.get_num_threads(),
        "seed": job.plan.seed,
        "dataset": {
            "name": job.dataset.name,
            "content_hash": job.dataset.content_hash,
            "training_images": len(job.dataset.of_split("train")),
            "classes": list(job.dataset.classes),
            "size": job.dataset.size,
            "channels": job.dataset.channels,
            "source": job.dataset.source,
            "options": dict(job.dataset.options),
        },
    }


def _git_commit() -> str | None:
    """The commit of xrgan's own source, where it runs from a checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(xrgan.__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
