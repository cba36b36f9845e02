"""Synthetic images for those who need them, in files or in memory."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan import console
from xrgan.commands.inputs import compared_of, dataset_of, extractor_of
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.gan.rejection import Rejection

SCORED_FROM = 3 * 10**9  # the images that a checkpoint is scored by are not those that `sample` draws of a seed


def reject_copies(workspace: Workspace, run: RunDir, config: Config, data: str | None = None) -> "Rejection":
    """What turns down the images that `evaluate` would suspect to be copies of training images.

    Where the features' weights can't be had, pixels alone are compared, and the user is told.

    Raises:
        XrganError: no image was held out, or the dataset is not the one that the run was trained on.
    """
    from xrgan.evaluation.memorisation import copies
    from xrgan.gan.rejection import Rejection

    dataset = dataset_of(workspace, run, config, data)
    training, held_out = compared_of(dataset, config)
    if len(training) < (there := len(dataset.of_split("train"))):
        console.warn(f"Copies are looked for among {len(training):,} of {there:,} training images (evaluate.n).")
    extractor = None
    try:
        extractor = extractor_of(workspace, config)()
    except XrganError as error:
        console.warn(f"{error} Copies are looked for by their pixels alone.")
    spaces = f"pixels and {extractor.name} features" if extractor else "pixels"
    return Rejection(
        f"{spaces}, against {dataset.name}",
        lambda: copies.copy_filter(dataset.xrays(training), dataset.xrays(held_out), extractor),
    )


def drawn(workspace: Workspace, run: RunDir, config: Config, count: int, data: str | None) -> Path:
    """The run's synthetic folder with at least `count` images: drawn now, where there are too few."""
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import load_sampler

    if len(sample_folder.list_images(run.synthetic)) < count:
        console.notice(f"{run.synthetic} holds fewer than {count:,} images: drawing the rest.")
        seed = sample_folder.recorded_seed(run.synthetic, config.sample.seed)
        of_those = sample_folder.recorded_checkpoint(run.synthetic, run)
        sampler = load_sampler(run, config.device, config.sample.ema, of_those)
        rejection = reject_copies(workspace, run, config, data) if sample_folder.rejects_copies(run.synthetic) else None
        sample_folder.fill(sampler, run.synthetic, count, seed, run_name=run.name, rejection=rejection)
    return run.synthetic


def drawn_in_memory(run: RunDir, config: Config, file: Path, count: int) -> Any:
    """X-rays that a checkpoint draws, without their masks: uint8 (count, C, S, S)."""
    import numpy as np

    from xrgan.gan.sampler import BLOCK, load_sampler, sample_block

    sampler = load_sampler(run, config.device, checkpoint_name=str(file))
    first, blocks = SCORED_FROM // BLOCK, -(-count // BLOCK)
    images = [sample_block(sampler, config.evaluate.seed, first + k)[0] for k in range(blocks)]
    return np.concatenate(images)[:count, : sampler.spec.channels]
