"""What every study does with its trainings: which there are, how long one lasts, and which are still missing."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from xrgan import console
from xrgan.config import StudyConfig
from xrgan.downstream import results_cache
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.history import History
from xrgan.downstream.training_loop import Budget
from xrgan.downstream.trial import Trial, TrialKey, trial_from
from xrgan.errors import XrganError

Epoch = TypeVar("Epoch")
Rank = tuple[float, float]
"""Of a network: the fraction of the real images that it learned from, and its validation score."""

Report = Callable[[int, float], None]
"""Called every few steps with the number of new steps and the latest loss."""


def check_arms(config: StudyConfig) -> None:
    """Raises: XrganError: an arm has too little time."""
    if config.epochs < 2 and any(ARMS[name].synthetic == "before" for name in config.arms):
        raise XrganError(
            "synthetic→real needs 2 epochs or more: one before, one after.", "Give it more: `--epochs 10`."
        )


def number_of_folds(config: StudyConfig) -> int:
    assert config.k_folds != "auto", "whoever knows the generators has decided"
    return config.k_folds


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


def seed_of(place: TrialKey, config: StudyConfig) -> int:
    """Of initial weights, batches and choices: the same in all arms, because they are compared."""
    return 10_000 * config.seed + 100 * place.fold + place.seed


def learn(
    arm: Arm,
    real: Indices,
    synthetic: Indices,
    budget: Budget,
    pretraining: float,
    train: Callable[[Indices, Budget], History[Epoch]],
) -> History[Epoch]:
    """Train as the arm does, within the budget.

    Args:
        pretraining: share of the budget before real images are seen, in an arm that has such a time.
        train: goes on with the weights that it left.
    """
    match arm.synthetic:
        case "none":
            return train(real, budget)
        case "beside":
            return train(np.concatenate([real, synthetic]), budget)
        case "alone":
            return train(synthetic, budget)
        case "before":
            before, after = budget.parted(pretraining)
            return train(synthetic, before).followed_by(train(real, after))


def run_missing(
    folder: Path,
    fold: Fold,
    config: StudyConfig,
    what: str,
    epoch: type[Epoch],
    score: Callable[[Epoch], float],
    digest_of: Callable[[TrialKey], str],
    is_saved: Callable[[TrialKey, Rank], bool],
    train: Callable[[TrialKey, Report], Trial[Epoch]],
) -> list[Trial[Epoch]]:
    """All trainings of a fold, in their order: `folder` has some already; the others are done now, and kept there.

    Args:
        what: is trained, for the progress bar.
        epoch: what a training's epochs are.
        score: by which epochs are chosen, and the best network of an arm.
        digest_of: names everything that decides a training's result.
        is_saved: whether the network of an arm is on disk that ranks so; where the best one is not, it is trained anew.
        train: saves the network, too, if it is the arm's best.
    """
    digests = {place: digest_of(place) for place in grid(config, fold)}
    done = {place: trial for place, digest in digests.items() if (trial := _find(folder, digest, epoch))}
    for arm in config.arms:
        ranks = {place: (place.fraction, score(one.history.kept)) for place, one in done.items() if place.arm == arm}
        best = max(ranks, key=lambda place: ranks[place], default=None)
        if best and not is_saved(best, ranks[best]):
            del done[best]
    missing = [place for place in digests if place not in done]
    if done:
        console.notice(f"{name_of(fold)}{len(done)} of {len(digests)} trainings were there already.")
    if missing:
        steps = budget_of(fold, config).steps
        with console.progress(what, len(missing) * steps, unit="steps") as bar:
            for place in missing:
                left = steps

                def report(taken: int, loss: float, place: TrialKey = place) -> None:
                    nonlocal left
                    left -= taken
                    bar.advance(taken)
                    bar.describe(f"{place.arm}, {name_of(fold)}{place.fraction:g} of the images: loss {loss:.3f}")

                trial = train(place, report)
                results_cache.keep(folder, digests[place], trial.about(), trial.arrays())
                done[place] = trial
                bar.advance(left)  # that it didn't need
    return [done[place] for place in digests]


def _find(folder: Path, digest: str, epoch: type[Epoch]) -> Trial[Epoch] | None:
    there = results_cache.find(folder, digest)
    try:
        return trial_from(there, epoch) if there else None
    except (KeyError, TypeError):  # of another version of xrgan
        return None


def name_of(fold: Fold) -> str:
    return f"fold {fold.number}, " if fold.number else ""
