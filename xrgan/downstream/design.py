"""The design of a study: which trainings there are, and of each its images, its steps and its seed."""

import math
from collections.abc import Iterable, Iterator

import numpy as np

from xrgan.config import StudyConfig
from xrgan.downstream.arms import ARMS, Arm, needs_synthetic
from xrgan.downstream.folds import Fold, Indices, Part, subsample
from xrgan.downstream.pool import Pool
from xrgan.downstream.training_loop import Budget, Phase
from xrgan.downstream.trial import TrialKey


def grid(config: StudyConfig, fold: Fold) -> Iterator[TrialKey]:
    """Every arm before the next seed: whoever stops early has whole comparisons."""
    for seed in range(1, config.seeds + 1):
        for fraction in config.fractions:
            for arm in config.arms:
                yield TrialKey(arm, fraction, fold.number, seed)


def deciding_first(keys: Iterable[TrialKey], config: StudyConfig) -> list[TrialKey]:
    """Put trainings whose network decides for others before these: it is trained once."""
    return sorted(keys, key=lambda key: (key.seed, config.fractions.index(key.fraction), ARMS[key.arm].agreed))


def parts(config: StudyConfig, fold: Fold, pool: Pool) -> list[tuple[Part, list[TrialKey]]]:
    """The trainings of a fold, by the real images that the generator of their synthetic images may learn from.

    All of the fold's, or, with `gan_per_fraction`, those that the networks of one fraction and seed have. With all
    real images they are the same whatever the seed.
    """
    keys, whole = list(grid(config, fold)), len(fold.training)
    if not (config.gan_per_fraction and needs_synthetic(config.arms)):
        return [(Part(fold, whole), keys)]
    found: dict[tuple[float, int], list[TrialKey]] = {}
    for key in keys:
        found.setdefault((key.fraction, 0 if key.fraction == 1 else key.seed), []).append(key)
    return [(Part(thinned(fold, pool, ones[0], config), whole, *place), ones) for place, ones in found.items()]


def thinned(fold: Fold, pool: Pool, key: TrialKey, config: StudyConfig) -> Fold:
    """The real images of a fold that a training has: those of its fraction, chosen by its seed."""
    return subsample(fold, pool.strata, pool.groups, key.fraction, seed_of(key, config))


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
