"""The study that answers whether synthetic X-rays help: arms on the same folds, steps, weights and test images."""

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import study
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.classification import classic, report, verdict
from xrgan.downstream.classification.classifier import Epoch, Examples, History, predict, run, train
from xrgan.downstream.classification.comparison import Outcome
from xrgan.downstream.classification.imagenet_weights import locate
from xrgan.downstream.classification.networks import SMALLEST_IMAGE, Classifier, build
from xrgan.downstream.classification.pool import Pool, Supply, check_real, choose_synthetic, cut, gather
from xrgan.downstream.classification.saved import About, is_saved, save_classifier
from xrgan.downstream.fold_data import Bench, supply_for
from xrgan.downstream.folds import Fold, Indices, subsample
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.study import Rank, Report, budget_of, number_of_folds, seed_of
from xrgan.downstream.training_loop import Budget, fixed_seed
from xrgan.downstream.trial import TrialKey
from xrgan.errors import XrganError

DECIDE = frozenset({"arch", "weights", "unfreeze"})

SupplyOf = Callable[[Fold], Supply]
"""Synthetic images for a fold, whose indices are rows of the dataset."""


def classify(
    dataset: PackedDataset,
    config: ClassifyConfig,
    device: torch.device,
    folder: Path,
    supply_of: SupplyOf | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    checked: tuple[Pool, list[Fold]] | None = None,
) -> dict[str, Any]:
    """Train a classifier for each arm, fraction, fold and seed, and then score all of them on the untouched test split.

    The training images (train and val) are cut into folds by patient. A classifier learns from all folds but one,
    a part of which picks its best epoch; the left-out fold, and in the end the test split, judge it. Without folds,
    the dataset's train and val do that. All arms of a fold and seed start from the same weights and may take the same
    number of steps: `config.epochs` passes over the fold's real images at fraction 1.

    Interrupted, and asked again with the same settings and images, it goes on with the trainings that are missing;
    asked for more arms, fractions or seeds, it adds them.

    Args:
        config: with `k_folds` as a number.
        folder: gets scores.csv (a row a training), summary.yaml, report.md, pictures, checkpoints/ (of each arm and
            fold the best), and trainings/, from which it goes on.
        supply_of: needed if an arm is.
        seen: what generators learned from whose images go into every fold.
        checked: what `check` returned, so that nothing is read and said twice.

    Returns:
        What summary.yaml holds.

    Raises:
        XrganError: the images are not what a study needs, a generator saw test images, or the weights can't be had.
    """
    started = time.monotonic()
    pool, folds = checked or check(dataset, config, seen)
    outcomes = [
        outcome for fold in folds for outcome in _run_fold(dataset, pool, fold, config, device, folder, supply_of)
    ]
    summary = verdict.summarise(dataset, pool, folds, config, outcomes) | {
        "seconds": round(time.monotonic() - started, 1)
    }
    report.write(folder, pool, folds, outcomes, summary)
    return summary


def check(
    dataset: PackedDataset, config: ClassifyConfig, seen: tuple[TrainingProvenance, ...] = ()
) -> tuple[Pool, list[Fold]]:
    """Say what stands in a study's way, before synthetic images are drawn for it; fetches ImageNet weights if need be.

    Raises:
        XrganError: as `classify`.
    """
    smallest = SMALLEST_IMAGE.get(config.arch, 1)
    if dataset.size < smallest:
        raise XrganError(
            f"{config.arch} needs images of {smallest} pixels or more; {dataset.name} has {dataset.size}.",
            "Use `--arch resnet18`, or prepare larger images.",
        )
    study.check_arms(config)
    k = number_of_folds(config)
    check_real(dataset, k)
    if config.weights != "none":
        locate(config.arch, config.weights)
    pool = gather(dataset, config.leaks == "drop", seen)
    return pool, cut(pool, k, config.seed, seen)


class _Bench(Bench[Pool, Supply, ClassifyConfig]):
    """What is computed of a fold's images once for all of its trainings."""

    @cached_property
    def labels(self) -> Tensor:
        return torch.cat([self.pool.labels, self.supply.labels]) if self.supply else self.pool.labels

    @cached_property
    def features(self) -> Tensor:
        """What a frozen body answers to all of them: float (N + M, F)."""
        with fixed_seed(self.config.seed):
            network = _build(self.pool, self.config).to(self.device).eval()
        with console.progress(f"Features of {self.config.arch}", len(self.images)) as bar:
            return run(network.features, self.images, np.arange(len(self.images)), self.device, bar.advance)


def _run_fold(
    dataset: PackedDataset,
    pool: Pool,
    fold: Fold,
    config: ClassifyConfig,
    device: torch.device,
    folder: Path,
    supply_of: SupplyOf | None,
) -> list[Outcome]:
    bench = _Bench(dataset, pool, fold, supply_for(fold, pool, supply_of), config, device, DECIDE)

    def train_one(place: TrialKey, report: Report) -> Outcome:
        outcome, network = _run_one(bench, place, report)
        _save(folder, bench, outcome, network)
        return outcome

    def saved(place: TrialKey, rank: Rank) -> bool:
        return is_saved(folder, place.arm, place.fold, bench.study_of(place.arm), rank)

    return study.run_missing(
        folder, fold, config, "Classifiers", Epoch, lambda epoch: epoch.auroc, bench.digest_of, saved, train_one
    )


def _run_one(bench: _Bench, place: TrialKey, report: Report) -> tuple[Outcome, Classifier]:
    started = time.monotonic()
    config, pool, arm = bench.config, bench.pool, ARMS[place.arm]
    seed = seed_of(place, config)
    labels = pool.labels.numpy()
    fold = subsample(bench.fold, labels, pool.groups, place.fraction, seed)

    def choose(real: Indices, supply: Supply, rng: np.random.Generator) -> Indices:
        return choose_synthetic(pool, real, supply, config.ratio, rng)

    synthetic = bench.synthetic(fold, arm, seed, choose)
    with fixed_seed(seed):
        network = _build(pool, config)
        on_features = network.frozen and not arm.classic
        learner = network.head if on_features else network
        inputs = bench.features if on_features else bench.images
        history = _learn(learner, inputs, bench, fold, synthetic, arm, seed, report)
    on_test, on_fold = (predict(learner, inputs, part, bench.device) for part in (pool.test, fold.test))
    n_real = 0 if arm.synthetic == "alone" else len(fold.training)
    seconds = round(time.monotonic() - started, 2)
    return Outcome(place, n_real, len(synthetic), history, on_test, on_fold, seconds), network


def _learn(
    learner: torch.nn.Module,
    inputs: Tensor,
    bench: _Bench,
    fold: Fold,
    synthetic: Indices,
    arm: Arm,
    seed: int,
    report: Report,
) -> History:
    """Train in place as the arm does."""

    def learn(training: Indices, budget: Budget) -> History:
        examples = Examples(inputs, bench.labels, training, fold.validation, len(bench.pool.classes))
        change = {"change": classic.augment} if arm.classic else {}
        return train(learner, examples, budget, bench.device, seed, report, **change)

    budget = budget_of(bench.fold, bench.config)
    return study.learn(arm, fold.training, synthetic, budget, bench.config.pretraining, learn)


def _save(folder: Path, bench: _Bench, outcome: Outcome, network: Classifier) -> None:
    config, place = bench.config, outcome.place
    channels, size = bench.pool.images.shape[1:3]
    about = About(
        config.arch,
        channels,
        size,
        bench.pool.classes,
        place.arm,
        place.fold,
        place.fraction,
        place.seed,
        outcome.history.kept.auroc,
        bench.study_of(place.arm),
        dict(bench.dataset.options),
    )
    save_classifier(folder, network, about)


def _build(pool: Pool, config: ClassifyConfig) -> Classifier:
    return build(config.arch, pool.images.shape[1], len(pool.classes), config.weights, config.unfreeze)
