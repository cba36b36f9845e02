"""What to keep in mind of a study: what puts its figures in doubt, and what they don't say."""

from collections.abc import Mapping, Sequence

import numpy as np

from xrgan.config import StudyConfig
from xrgan.downstream.arms import ARMS, CLASSIC, needs_synthetic
from xrgan.downstream.leaks import images_behind
from xrgan.downstream.summary import ArmResult, ExternalSummary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import ArmKey, Trial, by_arm
from xrgan.downstream.wording import mean_of, share

LEAST_TRAININGS = 3
"""Seeds, or folds, below which nobody knows how much chance in training does."""

ENOUGH_TRAININGS = 5
"""Below which quantiles of t are so large that only large differences are found."""

FEW_VALIDATION = 20  # images that pick an epoch


def doubts(
    task: Task, results: Results, arms: Sequence[ArmResult], elsewhere: ExternalSummary | None = None
) -> list[str]:
    """What puts the figures themselves in doubt: few patients, networks that tell nothing apart, or guess.

    Args:
        arms: their figures on the test split.
        elsewhere: their figures on another dataset.
    """
    said = [*task.few_patients(results.pool, "The test split"), *task.oddities(results)]
    said += [f"{one[0].upper()}{one[1:]}" for one in _guessing(task, arms)]
    if results.external and elsewhere:
        name = elsewhere["dataset"]
        said += task.few_patients(results.external.pool, name)
        said += [f"On {name}, {one}" for one in _guessing(task, elsewhere["results"])]
    return said


def caveats(task: Task, results: Results) -> list[str]:
    """What to keep in mind in any study."""
    config, pool, networks = task.config, results.pool, task.wording.networks
    folds, grouped = results.folds[0].number > 0, by_arm(results.trials)
    said = _of_few_synthetic(config, grouped, task.wording.too_few)
    said += [*_of_agreed(grouped), *_of_fractions(results, config, networks), *_of_other_data(results)]
    said += [*_of_few_validation(results, config), *_of_two_causes(config.arms)]
    trainings = len(results.folds) if folds else config.seeds
    if not folds:
        said.append(
            "One split, no folds: the seeds tell how much chance in training does, not how much other training"
            " patients would."
        )
    if trainings < LEAST_TRAININGS:
        said.append(
            f"{'Two folds' if folds else 'One training' if trainings == 1 else 'Two trainings'} an arm: chance in"
            " training may be as large as the differences, so nobody can tell"
            f" (`{'--k-folds 5' if folds else '--seeds 3'}`)."
        )
    elif trainings < ENOUGH_TRAININGS and len(grouped) > 1:
        said.append(
            f"{trainings} {'folds' if folds else 'trainings'} an arm find large differences alone"
            f" (`{'--k-folds 5' if folds else '--seeds 5'}` or more find smaller ones)."
        )
    return [
        *said,
        f"The test split is {len(pool.test):,} images of {len(np.unique(pool.test_groups)):,} patients; the intervals"
        f" say how much other patients would change the figures.{task.wording.test}",
        "Validation images picked the epochs, and no figure is taken from them; the test split picked nothing, as long"
        " as it wasn't used to choose a generator or these settings.",
        "It holds for this dataset, this generator, this network and this number of images; others may answer"
        " otherwise.",
    ]


def guess(task: Task, arms: Sequence[ArmResult], fraction: float) -> list[str]:
    """The arms that do no better than guessing with that fraction, by name: what they differ by is no gain."""
    means = {one["arm"]: one["test"][task.leading]["mean"] for one in arms if one["fraction"] == fraction}
    return [arm for arm, mean in means.items() if task.chance is not None and mean is not None and mean <= task.chance]


def _guessing(task: Task, arms: Sequence[ArmResult]) -> list[str]:
    """Which arms guess, or can't be told from those that do, fraction by fraction."""
    if task.chance is None:
        return []
    said, least = [], f"{task.wording.leading} {task.chance:g}"
    for fraction in dict.fromkeys(one["fraction"] for one in arms):
        with_it = f"with {share(fraction)} of the real images, "
        ends = {one["arm"]: one["test"][task.leading]["interval"] for one in arms if one["fraction"] == fraction}
        guessing = guess(task, arms, fraction)
        unsure = [
            arm for arm, (low, _) in ends.items() if arm not in guessing and low is not None and low <= task.chance
        ]
        turned = [arm for arm, (_, high) in ends.items() if high is not None and high < task.chance]
        if guessing:
            none = ": no arm has learned anything, and no difference between them means a gain"
            said.append(
                f"{with_it}{_are(guessing)} no better than guessing ({least} or less)"
                f"{none if len(guessing) == len(ends) > 1 else ''}."
            )
        if unsure:
            said.append(f"{with_it}{_are(unsure)} not told from guessing: the interval goes down to {least} or less.")
        if turned:
            said.append(f"{with_it}{_are(turned)} surely worse than guessing: are classes exchanged?")
    return said


def _are(arms: Sequence[str]) -> str:
    return f"{' and '.join(arms)} {'are' if len(arms) > 1 else 'is'}"


def _of_few_synthetic(config: StudyConfig, grouped: Mapping[ArmKey, Sequence[Trial]], too_few: str) -> list[str]:
    """A caveat where there were fewer synthetic images than asked for."""
    mixed = [trials for (arm, _), trials in grouped.items() if ARMS[arm].mixes and not ARMS[arm].agreed]
    had = [mean_of(one.n_synthetic for one in trials) / mean_of(one.n_real for one in trials) for trials in mixed]
    if not had or min(had) >= 0.95 * config.ratio:
        return []
    return [f"Only {min(had):.2f} synthetic images a real one were used, not {config.ratio:g}: {too_few}."]


def _of_agreed(grouped: Mapping[ArmKey, Sequence[Trial]]) -> list[str]:
    """A caveat where synthetic images were chosen by a network: how many it left."""
    used = {
        fraction: mean_of(one.n_synthetic for one in trials) / mean_of(one.n_real for one in trials)
        for (arm, fraction), trials in grouped.items()
        if ARMS[arm].agreed
    }
    if not used:
        return []
    said = ", ".join(f"{count:.2f} ({share(fraction)})" for fraction, count in used.items())
    return [
        f"real+agreed learned from {said} synthetic images per real one: of those that a network of the arm real, of"
        " the same real images and seed, understood as they were meant. What it can't tell yet, it leaves out."
    ]


def _of_other_data(results: Results) -> list[str]:
    """A caveat where generators learned from other datasets: which, and how many images."""
    names = list(dict.fromkeys(name for one in results.seen for name in one.datasets))
    if not names:
        return []
    most = max(one.elsewhere for one in results.seen)
    return [
        f"The generator learned from images of {' and '.join(names)}, too: {most:,} real images that no network of this"
        " study saw by itself."
    ]


def _of_two_causes(arms: Sequence[str]) -> list[str]:
    """A caveat where an arm has classic augmentation and synthetic images, and what it is held against has neither."""
    both = [arm for arm in arms if ARMS[arm].classic and ARMS[arm].uses_synthetic]
    if not both or CLASSIC in arms:
        return []
    return [
        f"Whether what {' and '.join(both)} gain or lose comes of the synthetic images or of the augmentation, nobody"
        f" can tell without the arm {CLASSIC}."
    ]


def _of_few_validation(results: Results, config: StudyConfig) -> list[str]:
    """A caveat where so few images pick an epoch that chance does."""
    whole = mean_of(len(fold.validation) for fold in results.folds)
    counts = {fraction: round(fraction * whole) for fraction in config.fractions}
    few = [f"{count} ({share(fraction)})" for fraction, count in counts.items() if count < FEW_VALIDATION]
    if not few:
        return []
    return [f"Few validation images pick the epochs, about {', '.join(few)}: by chance as much as by merit."]


def _of_fractions(results: Results, config: StudyConfig, networks: str) -> list[str]:
    """A caveat where generators learned from more images than networks did, or nobody knows from which."""
    if not needs_synthetic(config.arms):
        return []
    if None in results.behind.values():
        return ["Nobody knows which real images the generator learned from: test images may be among them."]
    if min(config.fractions) == 1:
        return []
    if config.gan_per_fraction:
        return [
            "Each generator learned from exactly the real images that the networks of its fraction and seed have, for"
            " as many steps as on all of them."
        ]
    if config.gan_per_fold:
        return [
            f"Each fold's generator learned from all of the fold's training images, also where the {networks} saw"
            " a fraction of them."
        ]
    training, rows = results.pool.rows[results.pool.training], [one.rows for one in results.seen]
    if rows and not np.isin(training, np.concatenate(rows)).all():
        return [
            f"The generator learned from {images_behind(training[:0], results.seen):,} real images, also where the"
            f" {networks} saw fewer: such arms tell what a generator is worth that was trained elsewhere."
        ]
    return [
        f"The generator learned from all training images, also where the {networks} saw a fraction: such arms"
        " tell what a generator is worth that was trained elsewhere on more images, not what few images can do."
    ]
