"""What both studies do before they start: the number of folds, their synthetic images, one generator per fold."""

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xrgan import console
from xrgan.commands.sample import drawn
from xrgan.commands.synthetic_images import Origin, training_provenance
from xrgan.config import AUTO, Config, StudyConfig
from xrgan.errors import XrganError
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

if TYPE_CHECKING:
    from xrgan.data.packed import PackedDataset
    from xrgan.downstream.folds import Fold
    from xrgan.downstream.leaks import TrainingProvenance
    from xrgan.downstream.pool import Pool, SyntheticImages
    from xrgan.downstream.summary import Summary
    from xrgan.downstream.task import Task

FOLDS = 5
PER_FOLD = "generators"  # below a run's classify/ or segment/

Section = Literal["classify", "segment"]
Known = tuple["TrainingProvenance", ...] | None
"""What the generators of synthetic images learned from; None where nobody knows it of one of them."""

SharedImages = Callable[["Pool", Known], "SyntheticImages"]
FoldImages = Callable[[Path, Known], "SyntheticImages"]


@dataclasses.dataclass(frozen=True)
class StudyRequest:
    """A study as a command asks for it.

    Attributes:
        run: whose generator is judged, and whose folder gets the study.
        config: in which `k_folds` is a number.
        data: the name of the study's dataset, where it isn't the run's own.
    """

    workspace: Workspace
    run: RunDir
    config: Config
    section: Section
    dataset: "PackedDataset"
    data: str | None

    @property
    def options(self) -> StudyConfig:
        chosen: StudyConfig = getattr(self.config, self.section)
        return chosen

    @property
    def folder(self) -> Path:
        return self.run.classify if self.section == "classify" else self.run.segment


def run_with_images(
    request: StudyRequest,
    task: "Task",
    origins: Sequence[Origin],
    shared_images: SharedImages,
    fold_images: FoldImages,
) -> "Summary":
    """Run a study; where an arm needs synthetic images, with those of `origins`, or of one generator per fold.

    Args:
        shared_images: reads those of `origins`, for all folds.
        fold_images: reads those that a fold's own generator drew, from their folder.

    Returns:
        What the study's summary.yaml holds.
    """
    from xrgan.downstream.arms import needs_synthetic
    from xrgan.downstream.study import check, run_study
    from xrgan.hardware import choose_device

    dataset, device, folder = request.dataset, choose_device(request.config.device), request.folder
    if not needs_synthetic(request.options.arms):
        return run_study(task, dataset, device, folder)
    if request.options.gan_per_fold:

        def of_fold(fold: "Fold") -> "SyntheticImages":
            images, provenance = draw_for_fold(request, fold)
            return fold_images(images, (provenance,))

        return run_study(task, dataset, device, folder, of_fold)
    provenances = [training_provenance(request.workspace, origin, dataset) for origin in origins]
    known = tuple(one for one in provenances if one is not None)
    checked = check(task, dataset, known)
    shared = shared_images(checked[0], known if len(known) == len(provenances) else None)
    return run_study(task, dataset, device, folder, lambda _: shared, known, checked)


def with_folds(config: Config, section: Section) -> Config:
    """Write the number of folds that `auto` means into a study's options."""
    from xrgan.downstream.arms import needs_synthetic

    chosen: StudyConfig = getattr(config, section)
    if chosen.k_folds != AUTO:
        return config
    shared = needs_synthetic(chosen.arms) and not chosen.gan_per_fold  # one generator's images go into all folds
    k = 0 if shared else FOLDS
    if shared:
        console.notice(
            "Folds: none, the dataset's own split; the generator has seen images that folds would leave out"
            " (`--gan-per-fold` trains one a fold)."
        )
    return config.model_copy(update={section: chosen.model_copy(update={"k_folds": k})})


def refuse_beside_gan_per_fold(config: StudyConfig, synthetic: object) -> None:
    """Raise XrganError where images are named though generators are to be trained."""
    if config.gan_per_fold and synthetic:
        raise XrganError(
            "--gan-per-fold draws its own images: --synthetic has no place beside it.", "Leave one out.", exit_code=2
        )


def draw_for_fold(request: StudyRequest, fold: "Fold") -> "tuple[Path, TrainingProvenance]":
    """Train a fold's own generator, as the run was, on the fold's training images alone: its images, and whom it saw.

    Interrupted, it resumes where it stopped.
    """
    import numpy as np

    from xrgan.downstream.leaks import TrainingProvenance
    from xrgan.gan import setup, training
    from xrgan.gan.job import make_job
    from xrgan.gan.prune import is_pruned, prune
    from xrgan.hardware import choose_device

    dataset, config, chosen = request.dataset, _of_a_fold(request.config), request.options
    splits = np.full(len(dataset.splits), "test", dtype="<U5")
    splits[fold.training], splits[fold.validation] = "train", "val"
    of_fold = dataclasses.replace(dataset, splits=splits)
    generator = RunDir(request.folder / PER_FOLD / f"fold{fold.number}of{chosen.k_folds}-seed{chosen.seed}")
    job = make_job(generator, of_fold, config, choose_device(config.device))
    is_done = False
    if generator.exists():
        setup.check_dataset(generator, of_fold)
        saved = generator.read_config()
        setup.update_config(generator, saved, config)
        is_done = is_pruned(generator) and _how_long(saved) == _how_long(config)
        if is_pruned(generator) and not is_done:
            shutil.rmtree(generator.path)  # it can't go on: it is trained anew, for longer
    if not generator.exists():
        setup.create_run(job, config)
    what = f"fold {fold.number} of {chosen.k_folds}" if fold.number else "the dataset's own split"
    console.notice(f"A generator for {what}: {generator.path}")
    if not is_done and training.train(job).stopped_by:
        raise KeyboardInterrupt
    images = drawn(request.workspace, generator, config, round(len(fold.training) * chosen.ratio), None)
    if not is_pruned(generator):
        prune(generator)  # it draws, should more images be asked for, and need not go on
    return images, TrainingProvenance(generator.name, np.unique(dataset.groups[fold.training]))


def _of_a_fold(config: Config) -> Config:
    """How a fold's generator is trained: as the run was, but it keeps no more than resuming needs."""
    return config.model_copy(update={"train": config.train.model_copy(update={"keep_checkpoints": 2})})


def _how_long(config: Config) -> tuple[int, float]:
    return config.train.epochs, config.train.minutes
