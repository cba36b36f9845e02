"""The study that answers whether synthetic X-rays with masks help a segmenter."""

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan.config import SegmentConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import study
from xrgan.downstream.arms import ARMS
from xrgan.downstream.fold_data import Bench, supply_for
from xrgan.downstream.folds import Fold, Indices, subsample
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.segmentation import metrics, report, verdict
from xrgan.downstream.segmentation.pool import Pool, Supply, check_real, choose_synthetic, cut, gather
from xrgan.downstream.segmentation.saved import About, is_saved, save_segmenter
from xrgan.downstream.segmentation.segmenter import Epoch, Examples, History, Segmenter, build, predict, train
from xrgan.downstream.segmentation.verdict import Outcome
from xrgan.downstream.study import Rank, Report, budget_of, number_of_folds, seed_of
from xrgan.downstream.training_loop import Budget
from xrgan.downstream.trial import TrialKey

DECIDE = frozenset({"width"})

SupplyOf = Callable[[Fold], Supply]
"""Synthetic pairs for a fold, whose indices are rows of the dataset."""


def segment(
    dataset: PackedDataset,
    config: SegmentConfig,
    device: torch.device,
    folder: Path,
    supply_of: SupplyOf | None = None,
    seen: tuple[TrainingProvenance, ...] = (),
    checked: tuple[Pool, list[Fold]] | None = None,
) -> dict[str, Any]:
    """Train a U-Net for each arm, fraction, fold and seed, and then score all of them on the untouched test split.

    As `classification.study.classify`: the training images are cut into folds by patient, a part of what a fold leaves
    to learn from picks the best epoch, and all arms of a fold and seed start from the same weights and may take the
    same number of steps. Interrupted, and asked again, it goes on with the trainings that are missing.

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
        XrganError: the images are not what a study needs, or a generator saw test images.
    """
    started = time.monotonic()
    pool, folds = checked or check(dataset, config, seen)
    outcomes: list[Outcome] = []
    studies: set[str] = set()
    for fold in folds:
        bench = _Bench(dataset, pool, fold, supply_for(fold, pool, supply_of), config, device, DECIDE)
        outcomes += _run_fold(bench, folder)
        studies |= {bench.study_of(arm) for arm in config.arms}
    summary = verdict.summarise(dataset, pool, folds, config, outcomes) | {
        "seconds": round(time.monotonic() - started, 1)
    }
    report.write(folder, pool, outcomes, summary, studies, device)
    return summary


def check(
    dataset: PackedDataset, config: SegmentConfig, seen: tuple[TrainingProvenance, ...] = ()
) -> tuple[Pool, list[Fold]]:
    """Say what stands in a study's way, before synthetic images are drawn for it.

    Raises:
        XrganError: as `segment`.
    """
    check_real(dataset)
    study.check_arms(config)
    k = number_of_folds(config)
    pool = gather(dataset, k, config.leaks == "drop", seen)
    return pool, cut(pool, k, config.seed, seen)


class _Bench(Bench[Pool, Supply, SegmentConfig]):
    """One fold's images with their masks."""

    @cached_property
    def masks(self) -> Tensor:
        return torch.cat([self.pool.masks, self.supply.masks]) if self.supply else self.pool.masks


def _run_fold(bench: _Bench, folder: Path) -> list[Outcome]:
    def train_one(place: TrialKey, report: Report) -> Outcome:
        outcome, network = _run_one(bench, place, report)
        save_segmenter(folder, network, _about(bench, outcome))
        return outcome

    def saved(place: TrialKey, rank: Rank) -> bool:
        return is_saved(folder, place.arm, place.fold, bench.study_of(place.arm), rank)

    return study.run_missing(
        folder,
        bench.fold,
        bench.config,
        "Segmenters",
        Epoch,
        lambda epoch: epoch.dice,
        bench.digest_of,
        saved,
        train_one,
    )


def _run_one(bench: _Bench, place: TrialKey, report: Report) -> tuple[Outcome, Segmenter]:
    started = time.monotonic()
    config, pool, arm, seed = bench.config, bench.pool, ARMS[place.arm], seed_of(place, bench.config)
    fold = subsample(bench.fold, pool.strata, pool.groups, place.fraction, seed)

    def choose(real: Indices, supply: Supply, rng: np.random.Generator) -> Indices:
        return choose_synthetic(len(real), supply, config.ratio, rng)

    synthetic = bench.synthetic(fold, arm, seed, choose)
    network = build(pool.images.shape[1], len(pool.structures), config.width, seed)

    def learn(training: Indices, budget: Budget) -> History:
        examples = Examples(bench.images, bench.masks, training, fold.validation)
        return train(network, examples, budget, bench.device, seed, report, arm.classic)

    history = study.learn(arm, fold.training, synthetic, budget_of(bench.fold, config), config.pretraining, learn)
    on_test, on_fold = (_score(network, bench, part) for part in (pool.test, fold.test))
    n_real = 0 if arm.synthetic == "alone" else len(fold.training)
    seconds = round(time.monotonic() - started, 2)
    return Outcome(place, n_real, len(synthetic), history, on_test, on_fold, seconds), network


def _score(network: Segmenter, bench: _Bench, part: Indices) -> NDArray[np.float64]:
    """What an `Outcome` holds of those images."""
    if not len(part):
        return np.empty((0, len(bench.pool.structures), len(metrics.METRICS)))
    predicted = predict(network, bench.images, part, bench.device)
    scores = metrics.score(predicted, bench.masks[part].numpy() > 127)
    return np.stack([scores[name] for name in metrics.METRICS], axis=2)


def _about(bench: _Bench, outcome: Outcome) -> About:
    place, dataset = outcome.place, bench.dataset
    return About(
        dataset.channels,
        dataset.size,
        dataset.masks,
        bench.config.width,
        place.arm,
        place.fold,
        place.fraction,
        place.seed,
        outcome.history.kept.dice,
        bench.study_of(place.arm),
        dict(dataset.options),
    )
