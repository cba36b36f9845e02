"""How often the studies' verdict errs where no arm differs from another, and how often it finds what is there.

Score models stand in for networks: every training has a strength of its own, because training is random, and answers
the same test patients as the others do, with some noise in common. They go through the study's comparison and verdict.

    python -m tests.benchmarks.verdict_simulation [--studies 400]
"""

import argparse
import gc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy import stats

from xrgan import console
from xrgan.config import ClassifyConfig, SegmentConfig
from xrgan.downstream.classification.metrics import auroc
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.comparison import compare, resample
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.pool import Pool
from xrgan.downstream.segmentation.task import Segmentation
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import Epoch, Floats, History, Trial, TrialKey
from xrgan.downstream.verdict import HARMS, HELPS, NOTHING, UNKNOWN, judge

ARMS = ("real", "real+classic", "real+synthetic", "synthetic→real")
AUROC, DICE = 0.9, 0.94
IN_COMMON = 0.8  # share of the variance of an image's score that all trainings have in common
HISTORY = History((Epoch(0.5, {"auroc": 0.9, "dice": 0.9}),), 0, 1)


@dataclass(frozen=True)
class Design:
    """A study without any difference between arms, unless `effect` says so.

    Attributes:
        by_seed: standard deviation of the leading figure's difference between two arms, from seed to seed.
        effect: true difference of the leading figure between each arm and the baseline.
    """

    name: str
    section: str = "classify"
    images: int = 600
    by_seed: float = 0.02
    seeds: int = 3
    folds: int = 0
    arms: int = 2
    fractions: tuple[float, ...] = (1.0,)
    effect: float = 0.0


NULL = [
    Design("AUROC, no chance in training, 3 seeds", by_seed=0.0),
    *(Design(f"AUROC, {seeds} seeds", seeds=seeds) for seeds in (2, 3, 5, 10)),
    *(Design(f"AUROC, 4,000 test images, {seeds} seeds", images=4000, seeds=seeds) for seeds in (2, 3)),
    Design("AUROC, 4 arms × 2 fractions, 3 seeds", arms=4, fractions=(0.1, 1.0)),
    Design("AUROC, 4 arms × 2 fractions, 5 seeds", arms=4, fractions=(0.1, 1.0), seeds=5),
    Design("AUROC, 5 folds, 1 seed", folds=5, seeds=1),
    *(Design(f"Dice, 74 patients, {seeds} seeds", "segment", 74, 0.003, seeds) for seeds in (2, 3, 5)),
    Design("Dice, 6 comparisons, 3 seeds", "segment", 74, 0.003, 3, arms=4, fractions=(0.1, 1.0)),
]
"""The table of the audit, and what the advice of the reports leads to."""

POWER = [
    replace(design, name=f"{design.name}, true difference {effect}", effect=effect)
    for design in (
        Design("AUROC, 3 seeds"),
        Design("AUROC, 5 seeds", seeds=5),
        Design("AUROC, 10 seeds", seeds=10),
        Design("AUROC, 5 folds, 1 seed", folds=5, seeds=1),
    )
    for effect in (0.02, 0.04, 0.06)
]


@dataclass(frozen=True)
class AurocAlone(Classification):
    """The figure that decides, and no other: a hundred times faster."""

    def metrics(self, names: Sequence[str]) -> dict[str, str]:  # noqa: ARG002
        return {"auroc": "AUROC"}

    def figures(self, answers: Floats, pool: Pool, images: Indices) -> Floats:
        return np.array([auroc(pool.strata[images], answers)])


def verdicts(design: Design, studies: int, resamples: int = 100) -> Iterator[list[str]]:
    """The verdicts of each of so many studies, one per comparison."""
    gc.freeze()  # statsmodels' Holm collects garbage at every call, which takes half a second where torch is loaded
    for number in range(studies):
        rng = np.random.default_rng([1, number])
        options = {"resamples": resamples, "arms": ARMS[: design.arms], "seed": number}
        task: Task
        if design.section == "classify":
            task = AurocAlone(ClassifyConfig().model_copy(update=options))
        else:
            task = Segmentation(SegmentConfig().model_copy(update=options))
        results = _study(design, rng)
        yield [judge(one) for one in compare(task, results, resample(task, results), ARMS[0])]


def shares(design: Design, studies: int, resamples: int = 100) -> dict[str, float]:
    """Verdict → the share of studies with such a verdict."""
    found = Counter(verdict for one in verdicts(design, studies, resamples) for verdict in set(one))
    return {verdict: count / studies for verdict, count in found.items()}


def _study(design: Design, rng: np.random.Generator) -> Results:
    """Two images per patient in classification, one in segmentation; folds leave out a fifth of other patients."""
    of_fold = design.images if design.folds else 0
    total = design.images + design.folds * of_fold
    rows = np.arange(total)
    labels = rows // 2 % 2
    groups = rows // 2 if design.section == "classify" else rows
    parts = [design.images + number * of_fold + np.arange(of_fold) for number in range(design.folds)]
    learned = np.arange(design.images, total)
    folds = [
        Fold(number, np.setdiff1d(learned, part), learned[:0], part) for number, part in enumerate(parts, start=1)
    ] or [Fold(0, rows[:0], rows[:0], rows[:0])]
    empty = torch.empty(total, 0)
    test = np.arange(design.images)
    names = ("a", "b") if design.section == "classify" else ("lungs",)
    pool = Pool(empty, torch.from_numpy(labels), names, labels, groups, rows, learned, learned[:0], test)
    in_common = rng.standard_normal(total)
    trials = []
    for fold in folds:
        for seed in range(1, design.seeds + 1):
            for fraction in design.fractions:
                for arm in ARMS[: design.arms]:
                    gain = design.effect * (arm != ARMS[0]) + rng.standard_normal() * design.by_seed / np.sqrt(2)
                    answer = _probabilities if design.section == "classify" else _dice
                    answers = answer(labels, in_common, gain, rng)
                    key = TrialKey(arm, fraction, fold.number, seed)
                    trials.append(Trial(key, 20, 20, HISTORY, answers[test], answers[fold.test], 0.0))
    return Results(pool, folds, trials, frozenset(), Path("nowhere"), torch.device("cpu"))


def _probabilities(labels: Indices, in_common: Floats, gain: float, rng: np.random.Generator) -> Floats:
    """Two normal distributions whose AUROC is `AUROC` + gain: (n, 2)."""
    strength = np.sqrt(2) * stats.norm.ppf(min(AUROC + gain, 0.999))
    noise = np.sqrt(IN_COMMON) * in_common + np.sqrt(1 - IN_COMMON) * rng.standard_normal(len(labels))
    positive = 1 / (1 + np.exp(-(strength * labels + noise)))
    return np.stack([1 - positive, positive], axis=1)


def _dice(labels: Indices, in_common: Floats, gain: float, rng: np.random.Generator) -> Floats:
    """Images differ by 0.03, trainings' opinions of one by 0.01: (n, 1, 3)."""
    dice = DICE + gain + 0.03 * in_common + 0.01 * rng.standard_normal(len(labels))
    return np.repeat(dice[:, None, None], 3, axis=2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=400, help="simulated studies of each design")
    studies = parser.parse_args().studies
    console.configure(quiet=True)
    for title, designs in (("No true difference", NULL), ("A true difference", POWER)):
        console.show_text(f"{title}, {studies} studies each: helps / harms / nothing shown / can't tell, in % of them")
        for design in designs:
            found = shares(design, studies)
            cells = [f"{100 * found.get(verdict, 0):5.1f}" for verdict in (HELPS, HARMS, NOTHING, UNKNOWN)]
            console.show_text(f"{design.name:52}" + " /".join(cells))


if __name__ == "__main__":
    main()
