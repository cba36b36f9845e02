"""The study that answers whether synthetic X-rays help: arms on the same folds, steps, weights and test images."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import classic, kept, report, verdict
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.classifier import Budget, Examples, History, predict, run, train
from xrgan.downstream.folds import Fold, Indices, thin
from xrgan.downstream.leaks import Seen, check_generator
from xrgan.downstream.networks import SMALLEST_IMAGE, Classifier, build
from xrgan.downstream.outcome import Outcome, Place, outcome_of
from xrgan.downstream.pool import Pool, Supply, check_real, choose_synthetic, cut, gather
from xrgan.downstream.saved import About, save_classifier
from xrgan.downstream.weights import locate
from xrgan.errors import XrganError

DECIDE = {"arch", "weights", "unfreeze", "k_folds", "gan_per_fold", "leaks", "ratio", "pretraining", "epochs"}
DECIDE |= {"patience", "batch_size", "lr", "seed"}

SupplyOf = Callable[[Fold], Supply]
"""Synthetic images for a fold, whose indices are rows of the dataset."""


def classify(
    dataset: PackedDataset,
    config: ClassifyConfig,
    device: torch.device,
    folder: Path,
    supply_of: SupplyOf | None = None,
    seen: tuple[Seen, ...] = (),
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

    Returns:
        What summary.yaml holds.

    Raises:
        XrganError: the images are not what a study needs, a generator saw test images, or the weights can't be had.
    """
    started = time.monotonic()
    pool, folds = check(dataset, config, seen)
    outcomes = [
        outcome for fold in folds for outcome in _run_fold(dataset, pool, fold, config, device, folder, supply_of)
    ]
    summary = verdict.summarise(dataset, pool, folds, config, outcomes) | {
        "seconds": round(time.monotonic() - started, 1)
    }
    report.write(folder, pool, folds, outcomes, summary)
    return summary


def check(dataset: PackedDataset, config: ClassifyConfig, seen: tuple[Seen, ...] = ()) -> tuple[Pool, list[Fold]]:
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
    if config.epochs < 2 and any(ARMS[name].synthetic == "before" for name in config.arms):
        raise XrganError(
            "synthetic→real needs 2 epochs or more: one before, one after.", "Give it more: `--epochs 10`."
        )
    k = _number_of_folds(config)
    check_real(dataset, k)
    if config.weights != "none":
        locate(config.arch, config.weights)
    pool = gather(dataset, config.leaks == "drop", seen)
    return pool, cut(pool, k, config.seed, seen)


@dataclass(frozen=True)
class _Bench:
    """One fold's images, and what is computed of them once for all of its trainings."""

    pool: Pool
    fold: Fold
    supply: Supply | None
    config: ClassifyConfig
    device: torch.device

    @cached_property
    def images(self) -> Tensor:
        """uint8 (N + M, C, H, W): the pool's, then the supply's."""
        return torch.cat([self.pool.images, self.supply.images]) if self.supply else self.pool.images

    @cached_property
    def labels(self) -> Tensor:
        return torch.cat([self.pool.labels, self.supply.labels]) if self.supply else self.pool.labels

    @cached_property
    def features(self) -> Tensor:
        """What a frozen body answers to all of them: float (N + M, F)."""
        with _seeded(self.config.seed):
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
    supply = supply_of(pool.in_dataset(fold)) if supply_of else None
    for seen in (supply.seen or ()) if supply else ():
        check_generator(seen, fold, pool.groups)
    bench = _Bench(pool, fold, supply, config, device)
    there = {place: kept.find(folder, _digest(dataset, bench, place)) for place in _places(config, fold)}
    missing = [place for place, found in there.items() if found is None]
    outcomes = [outcome_of(found) for found in there.values() if found]
    if outcomes:
        console.notice(f"{_name(fold)}{len(outcomes)} of {len(there)} trainings were there already.")
    if missing:
        steps = _budget(fold, config).steps
        with console.progress("Classifiers", len(missing) * steps, unit="steps") as bar:
            for place in missing:
                left = steps

                def report(taken: int, loss: float, place: Place = place) -> None:
                    nonlocal left
                    left -= taken
                    bar.advance(taken)
                    bar.describe(f"{place.arm}, {_name(fold)}{place.fraction:g} of the images: loss {loss:.3f}")

                outcome, network = _run_one(bench, place, report)
                bar.advance(left)  # that it didn't need
                _save(folder, dataset, bench, outcome, network)
                outcomes.append(outcome)
    return outcomes


def _run_one(bench: _Bench, place: Place, report: Callable[[int, float], None]) -> tuple[Outcome, Classifier]:
    started = time.monotonic()
    config, pool, arm = bench.config, bench.pool, ARMS[place.arm]
    seed = 10_000 * config.seed + 100 * place.fold + place.seed  # the same in all arms: they are compared
    labels = pool.labels.numpy()
    fold = thin(bench.fold, labels, pool.groups, place.fraction, seed)
    synthetic = _synthetic(bench, fold, arm, seed)
    with _seeded(seed):
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
    report: Callable[[int, float], None],
) -> History:
    """Train in place as the arm does."""
    budget = _budget(bench.fold, bench.config)

    def learn(training: Indices, budget: Budget, seed: int) -> History:
        examples = Examples(inputs, bench.labels, training, fold.validation, len(bench.pool.classes))
        change = {"change": classic.augment} if arm.classic else {}
        return train(learner, examples, budget, bench.device, seed, report, **change)

    match arm.synthetic:
        case "none":
            return learn(fold.training, budget, seed)
        case "beside":
            return learn(np.concatenate([fold.training, synthetic]), budget, seed)
        case "alone":
            return learn(synthetic, budget, seed)
        case "before":
            before, after = budget.parted(bench.config.pretraining)
            return learn(synthetic, before, seed).followed_by(learn(fold.training, after, seed))


def _synthetic(bench: _Bench, fold: Fold, arm: Arm, seed: int) -> Indices:
    """The synthetic images that a training uses, as indices into the bench's: none, or chosen by the seed.

    Beside real images, `ratio` for each of them. By themselves, `ratio` for each real one of fraction 1: who has few
    real images isn't short of synthetic ones.
    """
    if arm.synthetic == "none":
        return fold.training[:0]
    assert bench.supply is not None, "an arm needs synthetic images"
    rng = np.random.default_rng(seed)
    real = fold.training if arm.synthetic == "beside" else bench.fold.training
    chosen = choose_synthetic(bench.pool, real, bench.supply, bench.config.ratio, rng)
    return chosen + len(bench.pool.images)


def _save(folder: Path, dataset: PackedDataset, bench: _Bench, outcome: Outcome, network: Classifier) -> None:
    config, place = bench.config, outcome.place
    kept.keep(folder, _digest(dataset, bench, place), outcome.about(), outcome.arrays())
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
        kept.digest_of(dataset=dataset.content_hash, config=config.model_dump(include=DECIDE)),
        dict(dataset.options),
    )
    save_classifier(folder, network, about)


def _digest(dataset: PackedDataset, bench: _Bench, place: Place) -> str:
    """The name of everything that decides a training's result."""
    config = bench.config.model_dump(include=DECIDE)
    needs = ARMS[place.arm].synthetic != "none" and bench.supply
    synthetic = bench.supply.digest if needs and bench.supply else ""
    test = kept.digest_of(test=bench.pool.test.tolist(), training=bench.fold.training.tolist())
    return kept.digest_of(dataset=dataset.content_hash, parts=test, config=config, place=place, synthetic=synthetic)


def _places(config: ClassifyConfig, fold: Fold) -> Iterator[Place]:
    """Every arm before the next seed: whoever stops early has whole comparisons."""
    for seed in range(1, config.seeds + 1):
        for fraction in config.fractions:
            for arm in config.arms:
                yield Place(arm, fraction, fold.number, seed)


def _build(pool: Pool, config: ClassifyConfig) -> Classifier:
    return build(config.arch, pool.images.shape[1], len(pool.classes), config.weights, config.unfreeze)


def _budget(fold: Fold, config: ClassifyConfig) -> Budget:
    steps_per_epoch = math.ceil(len(fold.training) / config.batch_size)
    return Budget(config.epochs, steps_per_epoch, config.batch_size, config.lr, config.patience)


def _number_of_folds(config: ClassifyConfig) -> int:
    assert config.k_folds != "auto", "whoever knows the generators has decided"
    return config.k_folds


def _name(fold: Fold) -> str:
    return f"fold {fold.number}, " if fold.number else ""


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's global random state (initial weights, dropout, augmentation) from a seed; the caller's comes back."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
