"""Each checkpoint of a run beside held-out images."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xrgan import console
from xrgan.commands.inputs import dataset_of, extractor_of
from xrgan.commands.sample import drawn_in_memory
from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.evaluation.checkpoint_scores import Distances, Row, Setting
    from xrgan.evaluation.extractors import Extractor
    from xrgan.gan.training import Score

OverTime = tuple[list["Row"], "Row | None"]
"""The scored checkpoints that compare, the first step first, and the best one."""


def evaluate_checkpoints(workspace: Workspace, run: RunDir, config: Config, data: str | None = None) -> OverTime:
    """Score every checkpoint of a run that is on disk and not scored yet, and mark the best one.

    Raises:
        XrganError: there is no checkpoint, or no held-out image, or the dataset is not the run's.
    """
    from xrgan.gan import checkpoint, setup

    dataset = dataset_of(workspace, run, config, data)
    setup.check_dataset(run, dataset)
    there = checkpoint.on_disk(run.checkpoints)
    if not there:
        raise XrganError(f"{run.path} has no checkpoint yet.", f"`xrgan resume --run {run.path}` trains it.")
    return _scorer(run, dataset, config, extractor_of(workspace, config)())(there)


def score_of_training(run: RunDir, dataset: "PackedDataset", config: Config, extractor: "Extractor") -> "Score":
    """What training calls with the checkpoints that it reaches."""
    from xrgan.evaluation import checkpoint_scores
    from xrgan.gan import checkpoint

    score = _scorer(run, dataset, config, extractor)

    def reached(path: Path, wanted: bool) -> None:
        there = checkpoint.on_disk(run.checkpoints)
        step = next(step for step in there if checkpoint.path_of(run.checkpoints, step) == path)
        checkpoint_scores.forget_after(run.evaluation, step)
        if wanted:  # the best one, too, so that no other takes its place unless it is better under these settings
            score({of: file for of, file in there.items() if of == step or file.name == checkpoint.BEST})

    return reached


def _scorer(
    run: RunDir, dataset: "PackedDataset", config: Config, extractor: "Extractor"
) -> Callable[[Mapping[int, Path]], OverTime]:
    """What scores those checkpoints (step → file) that the run's table lacks, and marks the best of all.

    Raises:
        XrganError: there is nothing to compare with.
    """
    from xrgan.evaluation import checkpoint_report, checkpoint_scores
    from xrgan.gan import checkpoint
    from xrgan.gan.batches import make_batches

    setting = _setting_over_time(dataset, config, extractor)
    steps_per_epoch = make_batches(dataset, config).steps_per_epoch

    def distances(images: Any, what: str) -> "Distances":
        real = dataset.xrays(dataset.some_of((setting.split,), setting.n, setting.seed))
        return checkpoint_scores.score(
            real, images, setting.layer, setting.seed, extractor, f"Features of {what} images"
        )

    @functools.cache
    def floor() -> "Distances":
        return distances(dataset.xrays(dataset.some_of(("train",), setting.n, setting.seed)), "training")

    def row(step: int, file: Path) -> "Row":
        content = checkpoint.load(file)
        lowest, here = floor(), distances(drawn_in_memory(run, config, file, setting.n), f"step {step}'s")
        return checkpoint_scores.Row(
            checkpoint=checkpoint.path_of(run.checkpoints, step).stem,
            epoch=round(step / steps_per_epoch, 2),
            step=step,
            images_seen=content["images_seen"],
            **setting._asdict(),
            fid=here.fid,
            fid_floor=lowest.fid,
            kid=here.kid,
            kid_std=here.kid_std,
            kid_floor=lowest.kid,
            seconds=content["seconds"],
        )

    def score(checkpoints: Mapping[int, Path]) -> OverTime:
        rows = checkpoint_scores.read(run.evaluation)
        known = {one.step for one in rows if one.setting == setting}
        for step, file in checkpoints.items():
            if step not in known:
                rows.append(row(step, file))
                checkpoint_scores.write(run.evaluation, rows)  # interrupted, it goes on here
                console.notice(checkpoint_report.sentence(rows[-1]))
        there = checkpoint.on_disk(run.checkpoints)
        comparable, best = checkpoint_report.publish(run.evaluation, rows, setting, there)
        if best is not None:
            checkpoint.mark_best(there[best.step])
        return comparable, best

    return score


def _setting_over_time(dataset: "PackedDataset", config: Config, extractor: "Extractor") -> "Setting":
    """Which images the checkpoints of a run are scored by: the val split's, unless another one is asked for.

    Raises:
        XrganError: there are less than two images to compare with.
    """
    from xrgan.evaluation.checkpoint_scores import CHOOSES, Setting

    chosen = config.evaluate
    split = str(chosen.split)
    if split == "held-out":
        split = CHOOSES if len(dataset.of_split(CHOOSES)) else "test"
    n = min(chosen.n, len(dataset.of_split(split)), len(dataset.of_split("train")))
    if n < 2:
        raise XrganError(
            f"{dataset.name} has no {split} images to score checkpoints by.", "`xrgan prepare --split` holds some out."
        )
    layer = chosen.fid_layer if extractor.is_inception else extractor.last
    return Setting(split, n, chosen.seed, extractor.name, layer)
