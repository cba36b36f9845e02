"""Each checkpoint of a run beside held-out images. It has no flags: those who need it import it when they run."""

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xrgan import console
from xrgan.commands.inputs import dataset_of, extractor_of
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_report, checkpoint_scores
from xrgan.evaluation.checkpoint_scores import CHOOSES, Quality, Row, Setting
from xrgan.evaluation.extractors import Extractor
from xrgan.gan import checkpoint, setup
from xrgan.gan.batches import make_batches
from xrgan.gan.plan import training_plan
from xrgan.gan.sampler import BLOCK, load_sampler, sample_block
from xrgan.rundir import RunDir
from xrgan.tensor_files import Content
from xrgan.workspace import Workspace

SCORED_FROM = 3 * 10**9  # the images that a checkpoint is scored by are not those that `sample` draws of a seed
OverTime = tuple[list[Row], Row | None]
"""The scored checkpoints that compare, the first step first, and the best one."""


def evaluate_checkpoints(workspace: Workspace, run: RunDir, config: Config, data: str | None = None) -> OverTime:
    """Score every checkpoint of a run that is on disk and not scored yet, and mark the best one.

    Raises:
        XrganError: there is no checkpoint, or no held-out image, or the dataset is not the run's.
    """
    dataset = dataset_of(workspace, run, config, data)
    setup.check_dataset(run, dataset)
    on_disk = checkpoint.on_disk(run.checkpoints)
    if not on_disk:
        raise XrganError(f"{run.path} has no checkpoint yet.", f"`xrgan resume --run {run.path}` trains it.")
    return CheckpointScorer(run, dataset, config, extractor_of(workspace, config)()).score(on_disk)


class CheckpointScorer:
    """Scores a run's checkpoints by FID, KID and clipped coverage against the same real images; marks the best one.

    Raises:
        XrganError: there are less than two images to compare with, or the generator learns to please the extractor.
    """

    def __init__(self, run: RunDir, dataset: PackedDataset, config: Config, extractor: Extractor) -> None:
        self._run, self._dataset, self._config, self._extractor = run, dataset, config, extractor
        if extractor.trained_against:
            raise XrganError(
                f"Checkpoints are not scored by {extractor.name}: the discriminator looks through it.",
                "`--extractor inception` or `--extractor lite1` looks with other eyes.",
            )
        self._setting = _setting(dataset, config, extractor)
        self._steps_per_epoch = make_batches(dataset, training_plan(config)).steps_per_epoch

    def score(self, checkpoints: Mapping[int, Path]) -> OverTime:
        """Score those checkpoints (step → file) that the run's table lacks, and mark the best of all on disk."""
        folder = self._run.evaluation
        rows = checkpoint_scores.read(folder)
        # Rows of earlier versions, without coverage, are made anew.
        known = {row.step for row in rows if row.setting == self._setting and not math.isnan(row.clipped_coverage)}
        for step, file in checkpoints.items():
            if step in known:
                continue
            try:
                rows.append(self._row(step, file))
            except checkpoint.BadCheckpoint as error:
                if len(checkpoints) == 1:
                    raise
                console.warn(f"{error.message} It is not scored.")
                continue
            checkpoint_scores.write(folder, rows)  # interrupted, it resumes here
            console.notice(checkpoint_report.sentence(rows[-1]))
        on_disk = checkpoint.on_disk(self._run.checkpoints)
        comparable, best = checkpoint_report.publish(folder, rows, self._setting, on_disk)
        if best is not None:
            checkpoint.mark_best(on_disk[best.step])
        return comparable, best

    def score_reached(self, path: Path, wanted: bool) -> float:
        """Take notice of a checkpoint that training has reached: forget the rows behind it, score it if wanted.

        Returns:
            The seconds of training since the best checkpoint; 0 where none is best, or none was wanted.
        """
        on_disk = checkpoint.on_disk(self._run.checkpoints)
        step = next(step for step in on_disk if checkpoint.path_of(self._run.checkpoints, step) == path)
        checkpoint_scores.forget_after(self._run.evaluation, step)
        if not wanted:
            return 0.0
        # The best one, too, so that no other takes its place unless it is better under these settings.
        rows, best = self.score(
            {of: file for of, file in on_disk.items() if of == step or file.name == checkpoint.BEST}
        )
        return rows[-1].seconds - best.seconds if best is not None else 0.0

    def _row(self, step: int, file: Path) -> Row:
        """Score one checkpoint."""
        images_seen, seconds = checkpoint.load_as(file, _progress, self._run.run_id())
        images = drawn_in_memory(self._run, self._config, file, self._setting.n)
        floor, own = self._floor, self._quality(images, f"step {step}'s")
        return Row(
            checkpoint=checkpoint.path_of(self._run.checkpoints, step).stem,
            epoch=round(step / self._steps_per_epoch, 2),
            step=step,
            images_seen=images_seen,
            **self._setting._asdict(),
            fid=own.fid,
            fid_floor=floor.fid,
            kid=own.kid,
            kid_std=own.kid_std,
            kid_floor=floor.kid,
            clipped_coverage=own.clipped_coverage,
            clipped_coverage_floor=floor.clipped_coverage,
            seconds=seconds,
        )

    @cached_property
    def _floor(self) -> Quality:
        """What as many training images score."""
        return self._quality(self._some_of("train"), "training")

    def _quality(self, images: NDArray[np.uint8], whose: str) -> Quality:
        """The scores of images (n, C, S, S) against the real ones."""
        setting, description = self._setting, f"Features of {whose} images"
        real = self._some_of(setting.split)
        return checkpoint_scores.score(real, images, setting.layer, setting.seed, self._extractor, description)

    def _some_of(self, split: str) -> NDArray[np.uint8]:
        return self._dataset.xrays(self._dataset.some_of((split,), self._setting.n, self._setting.seed))


def _progress(content: Content) -> tuple[int, float]:
    """Images seen, and seconds of training."""
    return int(content["images_seen"]), float(content["seconds"])


def drawn_in_memory(run: RunDir, config: Config, file: Path, count: int) -> NDArray[np.uint8]:
    """Draw X-rays from a checkpoint, without their masks: uint8 (count, C, S, S)."""
    sampler = load_sampler(run, config.device, checkpoint_name=str(file))
    first, blocks = SCORED_FROM // BLOCK, -(-count // BLOCK)
    images = [sample_block(sampler, config.evaluate.seed, first + k)[0] for k in range(blocks)]
    return np.concatenate(images)[:count, : sampler.spec.channels]


def _setting(dataset: PackedDataset, config: Config, extractor: Extractor) -> Setting:
    """Which images the checkpoints of a run are scored by: the val split's, unless another one is asked for.

    Raises:
        XrganError: there are less than two images to compare with.
    """
    chosen = config.evaluate
    split: str = chosen.split
    if split == "held-out":
        split = CHOOSES if len(dataset.of_split(CHOOSES)) else "test"
    n = min(chosen.n, len(dataset.of_split(split)), len(dataset.of_split("train")))
    if n < 2:
        raise XrganError(
            f"{dataset.name} has no {split} images to score checkpoints by.", "`xrgan prepare --split` holds some out."
        )
    layer = chosen.fid_layer if extractor.is_inception else extractor.last
    return Setting(split, n, chosen.seed, extractor.name, layer)
