"""The study that answers whether synthetic X-rays help: arms on the same folds, steps, weights and test images."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from xrgan import console, ranks
from xrgan.data.packed import PackedDataset
from xrgan.downstream import checkpoints, report
from xrgan.downstream.arms import ARMS
from xrgan.downstream.caveats import doubts
from xrgan.downstream.design import parts
from xrgan.downstream.folds import Fold, Part
from xrgan.downstream.leaks import TrainingProvenance, check_folds, check_generator
from xrgan.downstream.pool import External, FoldData, Pool, SyntheticImages
from xrgan.downstream.summary import Summary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trainings import Trainings, study_digest
from xrgan.downstream.trial import Trial, TrialKey
from xrgan.downstream.verdict import summarise
from xrgan.errors import XrganError

SyntheticFor = Callable[[Part], SyntheticImages]
"""Synthetic images for a fold, or for one fraction and seed of it, whose indices are rows of the dataset."""

_Place = tuple[Fold, Part, list[TrialKey]]
"""Trainings that learn from images of one generator, if of any, and the part of a fold that it learns from."""


def run_study(
    task: Task,
    dataset: PackedDataset,
    device: torch.device,
    folder: Path,
    synthetic_for: SyntheticFor | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    checked: tuple[Pool, list[Fold]] | None = None,
    external: External | None = None,
) -> Summary:
    """Train a network for each arm, fraction, fold and seed, and then score all of them on the untouched test split.

    The training images (train and val) are cut into folds by patient. A network learns from all folds but one,
    a part of which picks its best epoch; the left-out fold, and in the end the test split, judge it. Without folds,
    the dataset's train and val do that. All arms of a fold and seed start from the same weights and may take the same
    number of steps: `config.epochs` passes over the fold's real images at fraction 1.

    Interrupted, and started again with the same settings and images, it resumes with the trainings that are missing;
    asked for more arms, fractions or seeds, it adds them. Several processes (`ranks`) share the trainings, and the
    first one does the rest.

    Args:
        task: its config has `k_folds` as a number.
        folder: gets scores.csv (one row per training), summary.yaml, report.md, pictures, checkpoints/ (the best per
            arm and fold), and trainings/, from which it resumes.
        synthetic_for: needed if an arm uses synthetic images.
        seen: what generators learned from whose images go into every fold.
        checked: what `check` returned, so that nothing is read and said twice.
        external: another hospital's images, of which all networks are asked; they choose nothing.

    Returns:
        What summary.yaml holds, in every process.

    Raises:
        XrganError: the images are not what a study needs, a generator saw test images, or the weights can't be had.
    """
    started = time.monotonic()
    console.waiting("Reading the images")
    pool, folds = checked or check(task, dataset, seen)
    grounds = _Grounds(task, dataset, pool, folds, device, folder, synthetic_for, external)
    shared = ranks.size() > 1
    if shared:
        grounds.share()

    def finish() -> Summary:
        results = grounds.results(told=shared)
        console.waiting("Comparing the arms")
        summary = summarise(task, dataset, results)
        for doubt in doubts(task, results, summary["results"], summary.get("external")):
            console.warn(doubt)
        summary["seconds"] = round(time.monotonic() - started, 1)
        report.write(task, results, summary)
        return summary

    return ranks.by_first(finish)


@dataclass(frozen=True)
class _Grounds:
    """What all trainings of a study stand on; the arguments of `run_study`."""

    task: Task
    dataset: PackedDataset
    pool: Pool
    folds: list[Fold]
    device: torch.device
    folder: Path
    synthetic_for: SyntheticFor | None
    external: External | None

    def places(self) -> list[_Place]:
        """The parts of all folds, with their trainings."""
        return [(fold, *of_part) for fold in self.folds for of_part in parts(self.task.config, fold, self.pool)]

    def at(self, fold: Fold, part: Part, keys: list[TrialKey]) -> Trainings:
        """The trainings of a part, whose generator is trained now where they have their own."""
        synthetic = _synthetic_images(self.synthetic_for, self.pool, part)
        data = FoldData(self.dataset, self.pool, fold, synthetic, self.external)
        return Trainings(self.task, data, self.device, self.folder, self.task.trainer(data, self.device), keys)

    def share(self) -> None:
        """Let each of several processes do its part of what `folder` hasn't yet; the first then finds all of it there.

        A generator and the trainings that learn from its images are one process's; where generators are shared, or
        there are none, every training by itself may be another's.
        """
        own, places = slice(ranks.rank(), None, ranks.size()), self.places()
        if self.task.config.trains_generators:
            with ranks.alone():
                for place in places[own]:
                    self.at(*place).run()
        else:
            missing = ranks.by_first(lambda: [self.at(*place).missing() for place in places])
            dealt = [(k, key) for k, keys in enumerate(missing) for key in keys]
            if dealt:
                console.notice(f"{ranks.size()} processes share {len(dealt)} trainings.")
            for k, place in enumerate(places):
                if keys := [key for at, key in dealt[own] if at == k]:
                    self.at(*place).do(keys)
        ranks.wait()
        if ranks.is_first():
            checkpoints.end_sharing(self.folder)

    def results(self, told: bool) -> Results:
        """Do the trainings that `folder` hasn't yet, fold by fold, and gather what all of them gave.

        Args:
            told: whether the user knows what was there already.
        """
        trials: list[Trial] = []
        studies: set[str] = set()
        behind: dict[TrialKey, int | None] = {}
        learned: tuple[TrainingProvenance, ...] = ()
        for place in self.places():
            trainings = self.at(*place)
            trials += trainings.run(told)
            behind |= trainings.behind()
            learned += (trainings.data.synthetic.seen if trainings.data.synthetic else None) or ()
            studies |= {study_digest(self.task, trainings.data, arm) for arm in self.task.config.arms}
        of_all = (self.pool, self.folds, trials, frozenset(studies), self.folder, self.device)
        return Results(*of_all, behind, self.external, learned)


def check(task: Task, dataset: PackedDataset, seen: tuple[TrainingProvenance, ...] = ()) -> tuple[Pool, list[Fold]]:
    """Say what stands in a study's way, before synthetic images are drawn for it.

    Raises:
        XrganError: as `run_study`.
    """
    k = task.config.k_folds
    assert k != "auto", "whoever knows the generators has decided"
    task.check(dataset, k)
    for arm in task.config.arms:
        if task.config.epochs < len(ARMS[arm].phases):
            raise XrganError(f"{arm} needs 2 epochs or more: one before, one after.", "Give it more: `--epochs 10`.")
    pool = task.gather(dataset, k, seen)
    folds = task.cut(pool, k)
    check_folds(folds, pool.groups, seen)
    return pool, folds


def _synthetic_images(synthetic_for: SyntheticFor | None, pool: Pool, part: Part) -> SyntheticImages | None:
    """The synthetic images for a fold, or for a part of it.

    Raises:
        XrganError: their generator learned from a patient in the fold's left-out part.
    """
    synthetic = synthetic_for(part._replace(fold=part.fold.at(pool.rows))) if synthetic_for else None
    for one in (synthetic.seen or ()) if synthetic else ():
        check_generator(one, part.fold, pool.groups)
    return synthetic
