"""The study that answers whether synthetic X-rays help: two arms, the same folds, steps, weights and test images."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import figures, verdict
from xrgan.downstream.classifier import Budget, Examples, predict, run, train
from xrgan.downstream.networks import SMALLEST_IMAGE, Classifier, build
from xrgan.downstream.outcome import ARMS, AUGMENTED, BASELINE, Outcome
from xrgan.downstream.pool import Fold, Pool, check_real, choose_synthetic, gather, split
from xrgan.downstream.saved import About, save_classifier
from xrgan.downstream.scores import score
from xrgan.downstream.weights import locate
from xrgan.errors import XrganError
from xrgan.files import write_text, write_yaml


def classify(
    dataset: PackedDataset,
    synthetic_images: NDArray[np.uint8],
    synthetic_labels: NDArray[np.int64],
    config: ClassifyConfig,
    device: torch.device,
    folder: Path,
) -> dict[str, Any]:
    """Train a classifier on real images, and one on real and synthetic ones, fold by fold, and score both on test.

    The training images (train and val) are cut into folds by patient. A classifier learns from all folds but one;
    the left-out fold picks its best epoch, and the untouched real test split gives every figure. In a fold, both arms
    start from the same weights and take the same number of steps: `config.epochs` passes over the real images.

    Args:
        synthetic_images: uint8 (M, C, H, W), of the dataset's shape.
        synthetic_labels: int64 (M,), index into the dataset's classes; -1 = no label.
        folder: gets scores.csv (a row an arm and fold), summary.yaml, curves.png, folds.png, and classifier.pt, the
            best one on its validation images of those that saw real ones alone.

    Returns:
        What summary.yaml holds; `verdict.rows` makes a table of it.

    Raises:
        XrganError: the images are not what a study needs, or the weights can't be had.
    """
    started = time.monotonic()
    check(dataset, config)
    pool = gather(dataset, synthetic_images, synthetic_labels)
    folds = split(pool, config.k_folds, config.seed)
    outcomes, classifier = _run_all(pool, folds, config, device)
    summary = verdict.summarise(dataset, pool, config, outcomes, seconds=time.monotonic() - started)
    _write(folder, outcomes, summary)
    save_classifier(folder, *classifier)
    return summary


def check(dataset: PackedDataset, config: ClassifyConfig) -> None:
    """Say what stands in a study's way, before synthetic images are drawn for it; fetches ImageNet weights if need be.

    Raises:
        XrganError: the dataset or the network won't do, or the weights can't be had.
    """
    smallest = SMALLEST_IMAGE.get(config.arch, 1)
    if dataset.size < smallest:
        raise XrganError(
            f"{config.arch} needs images of {smallest} pixels or more; {dataset.name} has {dataset.size}.",
            "Use `--arch resnet18`, or prepare larger images.",
        )
    check_real(dataset, config.k_folds)
    if config.weights != "none":
        locate(config.arch, config.weights)


def _run_all(
    pool: Pool, folds: Sequence[Fold], config: ClassifyConfig, device: torch.device
) -> tuple[list[Outcome], tuple[Classifier, About]]:
    """Every arm and fold, and the best classifier on real images alone."""
    inputs = _inputs(pool, config, device)
    total = len(ARMS) * sum(_budget(fold, config).steps for fold in folds)
    outcomes: list[Outcome] = []
    best: tuple[float, Classifier, About] | None = None
    with console.progress("Classifiers", total, unit="steps") as bar:
        for fold in folds:
            for arm in ARMS:

                def report(steps: int, loss: float, arm: str = arm, fold: Fold = fold) -> None:
                    bar.advance(steps)
                    bar.describe(f"{arm}, fold {fold.number}/{len(folds)}: loss {loss:.3f}")

                outcome, network = _run_one(pool, inputs, arm, fold, config, device, report)
                outcomes.append(outcome)
                reached = outcome.history.epochs[outcome.history.best].auroc
                if arm == BASELINE and (best is None or reached > best[0]):
                    channels, size = pool.images.shape[1:3]
                    best = reached, network, About(config.arch, channels, size, pool.classes, arm, fold.number)
    assert best is not None, "a study has two folds at least"
    return outcomes, best[1:]


def _run_one(
    pool: Pool,
    inputs: Tensor,
    arm: str,
    fold: Fold,
    config: ClassifyConfig,
    device: torch.device,
    report: Callable[[int, float], None],
) -> tuple[Outcome, Classifier]:
    started = time.monotonic()
    seed = 100 * config.seed + fold.number  # the same in both arms: they are compared fold by fold
    synthetic = fold.training[:0]
    if arm == AUGMENTED:
        synthetic = choose_synthetic(pool, fold.training, config.ratio, np.random.default_rng(seed))
    training = np.concatenate([fold.training, synthetic])
    examples = Examples(inputs, pool.labels, training, fold.validation, len(pool.classes))
    with _seeded(seed):
        network = _build(pool, config)
        learner = network.head if network.frozen else network
        history = train(learner, examples, _budget(fold, config), device, seed, report)
    scores = score(pool.labels[pool.test].numpy(), predict(learner, inputs, pool.test, device))
    seconds = time.monotonic() - started
    return Outcome(arm, fold.number, len(fold.training), len(synthetic), history, scores, seconds), network


def _inputs(pool: Pool, config: ClassifyConfig, device: torch.device) -> Tensor:
    """What the learning part takes, a row an image: the images, or what a frozen body answers to them, asked once."""
    with _seeded(config.seed):
        network = _build(pool, config)
    if not network.frozen:
        return pool.images
    network.to(device).eval()
    with console.progress(f"Features of {config.arch}", len(pool.images)) as bar:
        return run(network.features, pool.images, np.arange(len(pool.images)), device, bar.advance)


def _build(pool: Pool, config: ClassifyConfig) -> Classifier:
    return build(config.arch, pool.images.shape[1], len(pool.classes), config.weights, config.unfreeze)


def _budget(fold: Fold, config: ClassifyConfig) -> Budget:
    steps_per_epoch = math.ceil(len(fold.training) / config.batch_size)
    return Budget(config.epochs, steps_per_epoch, config.batch_size, config.lr)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's global random state (initial weights, dropout) from a seed; the caller's own state comes back after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _write(folder: Path, outcomes: Sequence[Outcome], summary: dict[str, Any]) -> None:
    table = pd.DataFrame([outcome.row() for outcome in outcomes])
    write_text(folder / "scores.csv", table.to_csv(index=False, lineterminator="\n"))
    figures.save_curves(folder / "curves.png", outcomes)
    figures.save_folds(folder / "folds.png", outcomes)
    write_yaml(folder / "summary.yaml", summary)  # last: where it is, the rest is whole
