"""The study that answers whether synthetic X-rays help: arms on the same folds, steps, weights and test images."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xrgan import console
from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import checkpoints, report, results_cache
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.folds import Fold, Indices, subsample
from xrgan.downstream.leaks import TrainingProvenance, check_folds, check_generator
from xrgan.downstream.pool import FoldData, Pool, SyntheticImages
from xrgan.downstream.summary import Summary
from xrgan.downstream.task import Results, Task, Trainer
from xrgan.downstream.training_loop import Budget, Phase, Report
from xrgan.downstream.trial import Trial, TrialKey
from xrgan.downstream.verdict import summarise
from xrgan.downstream.wording import share
from xrgan.errors import XrganError

DECIDES = {"k_folds", "gan_per_fold", "leaks", "ratio", "pretraining", "epochs", "patience", "batch_size", "lr", "seed"}
"""The options of any study that decide what a training gives."""

CLASSIC_DECIDES = {"classic_rotation", "classic_shift", "classic_scale", "classic_shear", "classic_light"}
"""Those that do in arms with classic augmentation alone."""

SyntheticFor = Callable[[Fold], SyntheticImages]
"""Synthetic images for a fold, whose indices are rows of the dataset."""


def run_study(
    task: Task,
    dataset: PackedDataset,
    device: torch.device,
    folder: Path,
    synthetic_for: SyntheticFor | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    checked: tuple[Pool, list[Fold]] | None = None,
) -> Summary:
    """Train a network for each arm, fraction, fold and seed, and then score all of them on the untouched test split.

    The training images (train and val) are cut into folds by patient. A network learns from all folds but one,
    a part of which picks its best epoch; the left-out fold, and in the end the test split, judge it. Without folds,
    the dataset's train and val do that. All arms of a fold and seed start from the same weights and may take the same
    number of steps: `config.epochs` passes over the fold's real images at fraction 1.

    Interrupted, and started again with the same settings and images, it resumes with the trainings that are missing;
    asked for more arms, fractions or seeds, it adds them.

    Args:
        task: its config has `k_folds` as a number.
        folder: gets scores.csv (one row per training), summary.yaml, report.md, pictures, checkpoints/ (the best per
            arm and fold), and trainings/, from which it resumes.
        synthetic_for: needed if an arm uses synthetic images.
        seen: what generators learned from whose images go into every fold.
        checked: what `check` returned, so that nothing is read and said twice.

    Returns:
        What summary.yaml holds.

    Raises:
        XrganError: the images are not what a study needs, a generator saw test images, or the weights can't be had.
    """
    started = time.monotonic()
    console.waiting("Reading the images")
    pool, folds = checked or check(task, dataset, seen)
    trials: list[Trial] = []
    studies: set[str] = set()
    for fold in folds:
        data = FoldData(dataset, pool, fold, _synthetic_images(synthetic_for, pool, fold))
        trials += _FoldStudy(task, data, device, folder, task.trainer(data, device)).run()
        studies |= {study_digest(task, data, arm) for arm in task.config.arms}
    results = Results(pool, folds, trials, frozenset(studies), folder, device)
    console.waiting("Comparing the arms")
    for oddity in task.oddities(results):
        console.warn(oddity)
    summary = summarise(task, dataset, results)
    summary["seconds"] = round(time.monotonic() - started, 1)
    report.write(task, results, summary)
    return summary


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


def study_digest(task: Task, data: FoldData, arm: str) -> str:
    """Name everything that decides an arm's networks, but their fold, fraction and seed."""
    synthetic = data.synthetic.digest if data.synthetic and ARMS[arm].uses_synthetic else ""
    options = DECIDES | task.decides | (CLASSIC_DECIDES if ARMS[arm].classic else set())
    config = task.config.model_dump(include=options)
    return results_cache.digest(dataset=data.dataset.content_hash, config=config, synthetic=synthetic)


def trial_digest(task: Task, data: FoldData, key: TrialKey) -> str:
    """Name everything that decides a training's result."""
    pool, fold = data.pool, data.fold.at(data.pool.rows)
    rows = [part.tolist() for part in (fold.training, fold.validation, fold.test, pool.rows[pool.test])]
    return results_cache.digest(study=study_digest(task, data, key.arm), rows=rows, place=key)


def grid(config: StudyConfig, fold: Fold) -> Iterator[TrialKey]:
    """Every arm before the next seed: whoever stops early has whole comparisons."""
    for seed in range(1, config.seeds + 1):
        for fraction in config.fractions:
            for arm in config.arms:
                yield TrialKey(arm, fraction, fold.number, seed)


def budget_of(fold: Fold, config: StudyConfig) -> Budget:
    """What each arm of a fold may take, whatever the fraction."""
    steps_per_epoch = math.ceil(len(fold.training) / config.batch_size)
    return Budget(config.epochs, steps_per_epoch, config.batch_size, config.lr, config.patience)


def seed_of(key: TrialKey, config: StudyConfig) -> int:
    """The seed of initial weights, batches and choices: the same in all arms, because they are compared."""
    return 10_000 * config.seed + 100 * key.fold + key.seed


def phases_of(arm: Arm, real: Indices, synthetic: Indices, budget: Budget, pretraining: float) -> list[Phase]:
    """What a training of the arm learns from, one phase after another, within the budget.

    Args:
        pretraining: share of the budget of the first phase of two.
    """
    examples = {"real": real, "synthetic": synthetic}
    training = [np.concatenate([examples[kind] for kind in sorted(phase)]) for phase in arm.phases]
    budgets = [budget] if len(training) == 1 else budget.parted(pretraining)
    return [Phase(*phase) for phase in zip(training, budgets, strict=True)]


@dataclass(frozen=True)
class _FoldStudy:
    """All trainings of one fold."""

    task: Task
    data: FoldData
    device: torch.device
    folder: Path
    trainer: Trainer

    def run(self) -> list[Trial]:
        """Do the trainings that `folder` hasn't yet, and store them there; all of them in their order."""
        config, fold = self.task.config, self.data.fold
        digests = {key: trial_digest(self.task, self.data, key) for key in grid(config, fold)}
        done = self._stored(digests)
        missing = [key for key in digests if key not in done]
        if done:
            console.notice(f"{_name(fold)}{len(done)} of {len(digests)} trainings were there already.")
        if missing:
            steps = budget_of(fold, config).steps
            with console.progress(self.task.wording.networks.capitalize(), len(missing) * steps, unit="steps") as bar:
                for key in missing:
                    counted = _Counted(bar, _called(key), steps)
                    done[key] = self._train(key, counted.report)
                    results_cache.store(self.folder, digests[key], done[key].to_dict(), done[key].arrays())
                    counted.finish()
        return [done[key] for key in digests]

    def _stored(self, digests: dict[TrialKey, str]) -> dict[TrialKey, Trial]:
        """The trainings that are stored; those whose network is lost, but is its arm's best, count as missing."""
        found = {key: self._load(key, digest) for key, digest in digests.items()}
        done = {key: trial for key, trial in found.items() if trial}
        for arm in self.task.config.arms:
            ranks = {key: (key.fraction, one.history.kept.score) for key, one in done.items() if key.arm == arm}
            best = max(ranks, key=lambda key: ranks[key], default=None)
            if best and not self._has_checkpoint(best, ranks[best]):
                del done[best]
        return done

    def _load(self, key: TrialKey, digest: str) -> Trial | None:
        """The stored training, if it is one of those images."""
        stored = results_cache.load(self.folder, digest)
        try:
            trial = Trial.from_cache(stored, list(self.task.validation)) if stored else None
        except (KeyError, ValueError):  # of another version of xrgan, or changed
            return None
        images, targets = (len(self.data.pool.test), len(self.data.fold.test)), len(self.data.pool.names)
        return trial if trial and trial.key == key and trial.answers_to(images, targets) else None

    def _has_checkpoint(self, key: TrialKey, rank: tuple[float, float]) -> bool:
        study = study_digest(self.task, self.data, key.arm)
        return checkpoints.has_checkpoint(self.folder, key, study, rank, self.task.metadata_kind)

    def _train(self, key: TrialKey, report: Report) -> Trial:
        """One training, whose network is saved if it is the arm's best."""
        started = time.monotonic()
        task, data, arm = self.task, self.data, ARMS[key.arm]
        seed = seed_of(key, task.config)
        fold = subsample(data.fold, data.pool.strata, data.pool.groups, key.fraction, seed)
        synthetic = self._synthetic(fold, arm, seed)
        budget = budget_of(data.fold, task.config)
        phases = phases_of(arm, fold.training, synthetic, budget, task.config.pretraining)
        trained = self.trainer.train(arm, phases, fold.validation, seed, report)
        n_real = len(fold.training) if arm.uses_real else 0
        seconds = round(time.monotonic() - started, 2)
        trial = Trial(key, n_real, len(synthetic), trained.history, trained.on_test, trained.on_fold, seconds)
        metadata = task.metadata(data, trial, study_digest(task, data, key.arm))
        checkpoints.keep_best(self.folder, trained.network, metadata)
        return trial

    def _synthetic(self, fold: Fold, arm: Arm, seed: int) -> Indices:
        """The synthetic images that a training uses: none, or chosen by the seed.

        Beside real images, `ratio` for each of them. By themselves, `ratio` for each real one of fraction 1: who has
        few real images isn't short of synthetic ones.

        Args:
            fold: as the training's fraction leaves it.
        """
        pool, synthetic = self.data.pool, self.data.synthetic
        if not arm.uses_synthetic:
            return fold.training[:0]
        assert synthetic is not None, "an arm needs synthetic images"
        real = fold.training if arm.mixes else self.data.fold.training
        return self.task.choose_synthetic(pool, real, synthetic, np.random.default_rng(seed)) + len(pool.images)


class _Counted:
    """One training's steps on a bar that counts those of all."""

    def __init__(self, bar: console.Bar, what: str, steps: int) -> None:
        self.bar, self.what, self.left = bar, what, steps

    def report(self, steps: int, loss: float) -> None:
        self.left -= steps
        self.bar.advance(steps)
        self.bar.describe(f"{self.what}: loss {loss:.2f}")

    def finish(self) -> None:
        """Count the steps that it didn't need."""
        self.bar.advance(self.left)


def _synthetic_images(synthetic_for: SyntheticFor | None, pool: Pool, fold: Fold) -> SyntheticImages | None:
    """The synthetic images for a fold.

    Raises:
        XrganError: their generator learned from a patient in the fold's left-out part.
    """
    synthetic = synthetic_for(fold.at(pool.rows)) if synthetic_for else None
    for one in (synthetic.seen or ()) if synthetic else ():
        check_generator(one, fold, pool.groups)
    return synthetic


def _called(key: TrialKey) -> str:
    """A training in few words, for what a bar leaves of the line."""
    of_images = f" {share(key.fraction)}" if key.fraction < 1 else ""
    return f"{key.arm}{of_images}, {f'fold {key.fold}, ' if key.fold else ''}seed {key.seed}"


def _name(fold: Fold) -> str:
    return f"fold {fold.number}, " if fold.number else ""
