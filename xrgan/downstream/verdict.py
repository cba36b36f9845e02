"""From what a study's networks answered to its summary: figures, and what may and may not be concluded from them."""

from collections.abc import Mapping, Sequence

import numpy as np

from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.arm_results import arm_result
from xrgan.downstream.arms import ARMS, baseline_of, needs_synthetic
from xrgan.downstream.comparison import ArmComparison, compare, resample
from xrgan.downstream.external import external_summary
from xrgan.downstream.subgroups import subgroup_results
from xrgan.downstream.summary import ArmResult, Comparison, DatasetFacts, FoldsTest, Summary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import ArmKey, Trial, by_arm
from xrgan.downstream.wording import between, known, mean_of, number, pair, share, signed, with_holm

SIGNIFICANT = 0.05
LEAST_TRAININGS = 3
"""Seeds, or folds, below which nobody knows how much chance in training does."""

ENOUGH_TRAININGS = 5
"""Below which quantiles of t are so large that only large differences are found."""

HELPS, HARMS, NOTHING, UNKNOWN = "helps", "harms", "nothing shown", "can't tell"


def summarise(task: Task, dataset: PackedDataset, results: Results) -> Summary:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    config, pool, grouped = task.config, results.pool, by_arm(results.trials)
    samples = resample(task, results)
    baseline = baseline_of(config.arms)
    comparisons = [_comparison(task, results, one) for one in compare(task, results, samples, baseline)]
    patients = {"test_patients": len(np.unique(pool.test_groups))}
    facts: DatasetFacts = {"name": dataset.name, "content_hash": dataset.content_hash}
    facts[task.names] = list(pool.names)
    arms = [arm_result(task, results, ones, samples[key]) for key, ones in grouped.items()]
    summary: Summary = {
        "dataset": facts,
        "options": config.model_dump(mode="json"),
        "images": task.facts(dataset, pool) | patients,
        "baseline": baseline,
        "results": arms,
        "comparisons": comparisons,
        "conclusion": conclusion(comparisons, baseline),
        "caveats": [*task.caveats(pool), *task.oddities(results), *_below_chance(task, arms), *caveats(task, results)],
    }
    if groups := subgroup_results(task, results, dataset):
        summary["subgroups"] = groups
    if results.external:
        summary["external"] = external_summary(task, results, results.external, baseline)
    return summary


def judge(one: ArmComparison) -> str:
    """What may be said of an arm: it helps or harms, nothing is shown, or there are too few trainings to tell.

    Shown is what would hold with other patients in the test split and with other trainings, too, with all comparisons
    of the study in mind (`statistics.effect_test`, Holm): under no difference, one study in twenty shows something.
    """
    if one.effect.trainings < LEAST_TRAININGS:
        return UNKNOWN
    if not one.effect_holm < SIGNIFICANT:  # NaN is not
        return NOTHING
    return HELPS if one.effect.mean > 0 else HARMS


def sentence(task: Task, one: ArmComparison, verdict: str) -> str:
    """The verdict and all that it rests on; then what was found besides."""
    effect, label = one.effect, task.wording.leading
    said = (
        f"{one.arm} against {one.baseline} with {share(one.fraction)} of the real images: {verdict}."
        f" {label} {signed(effect.mean)} on the test split"
    )
    if known(effect.p) is not None:
        said += (
            f" (95 % over patients and trainings {between(effect.interval, signed)};"
            f" {with_holm(effect.p, one.effect_holm)})"
        )
        said += f"; a true difference of {number(effect.detectable)} would be found in 80 % of such studies"
    return f"{said}. Besides: {'; '.join(_besides(task, one))}."


def _besides(task: Task, one: ArmComparison) -> list[str]:
    """What the verdict doesn't rest on, since it forgets that training is random, or that patients are."""
    said = [f"95 % over patients alone {between(one.interval[task.leading], signed)}"]
    if len(one.by_seed) > 1:
        said.append(f"by seed {', '.join(signed(difference) for difference in one.by_seed)}")
    if one.folds:
        said.append(
            f"{signed(one.folds.mean)} over {one.folds.degrees + 1} left-out folds (corrected t-test"
            f" {with_holm(one.folds.p, one.folds_holm)})"
        )
    paired = task.paired.sentence.format(wins=one.paired.wins, losses=one.paired.losses)
    return [*said, f"{paired} ({task.paired.test}, of these very networks, {with_holm(one.paired.p, one.paired_holm)})"]


def conclusion(comparisons: Sequence[Comparison], baseline: str) -> str:
    """One sentence for each arm that others are held against: who helps or harms, and of whom nothing is shown."""
    if not comparisons:
        return f"Only {baseline} was trained: nothing is compared."
    by_other: dict[str, list[Comparison]] = {}
    for one in comparisons:
        by_other.setdefault(one["against"], []).append(one)
    return " ".join(_against(other, ones) for other, ones in by_other.items())


def _against(other: str, comparisons: Sequence[Comparison]) -> str:
    """What is concluded of the arms that are held against another."""
    fractions = list(dict.fromkeys(one["fraction"] for one in comparisons))
    found: dict[str, dict[str, list[float]]] = {}
    for one in comparisons:
        found.setdefault(one["verdict"], {}).setdefault(one["arm"], []).append(one["fraction"])

    def named(arms: Mapping[str, list[float]]) -> str:
        """Arms, with their fractions where they are not all there are."""
        return ", ".join(
            arm if at == fractions else f"{arm} at {' and '.join(share(fraction) for fraction in at)}"
            for arm, at in arms.items()
        )

    said = [f"{named(found[effect])} {_verb(effect, found[effect])}" for effect in (HELPS, HARMS) if effect in found]
    said += [f"nothing is shown for {named(found[NOTHING])}"] if NOTHING in found else []
    said += [f"too few trainings to tell of {named(found[UNKNOWN])}"] if UNKNOWN in found else []
    at_all = f" with {' and '.join(map(share, fractions))} of the real images" if len(fractions) > 1 else ""
    return f"Against {other}{at_all}: {'; '.join(said)}."


def _verb(effect: str, arms: Mapping[str, list[float]]) -> str:
    """ "helps" of one arm, "help" of several."""
    return effect if len(arms) == 1 else effect.removesuffix("s")


def caveats(task: Task, results: Results) -> list[str]:
    """What to keep in mind in any study."""
    config, pool, networks = task.config, results.pool, task.wording.networks
    folds, grouped = results.folds[0].number > 0, by_arm(results.trials)
    said = _of_few_synthetic(config, grouped, task.wording.too_few)
    said += [*_of_agreed(grouped), *_of_fractions(config, networks), *_of_other_data(results)]
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


def _below_chance(task: Task, arms: Sequence[ArmResult]) -> list[str]:
    """A caveat where networks do no better than guessing: what they differ by is no gain."""
    if task.chance is None:
        return []
    said = []
    for fraction in dict.fromkeys(one["fraction"] for one in arms):
        means = {one["arm"]: one["test"][task.leading]["mean"] for one in arms if one["fraction"] == fraction}
        guessing = [arm for arm, mean in means.items() if mean is not None and mean <= task.chance]
        if guessing:
            none, are = len(guessing) == len(means) > 1, "are" if len(guessing) > 1 else "is"
            said.append(
                f"With {share(fraction)} of the real images, {' and '.join(guessing)} {are}"
                f" no better than guessing ({task.wording.leading} {task.chance:g} or less)"
                f"{': no arm has learned anything, and no difference between them means a gain' if none else ''}."
            )
    return said


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


def _of_fractions(config: StudyConfig, networks: str) -> list[str]:
    """A caveat where generators learned from more images than networks did."""
    if not needs_synthetic(config.arms) or min(config.fractions) == 1:
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
    return [
        f"The generator learned from all training images, also where the {networks} saw a fraction: such arms"
        " tell what a generator is worth that was trained elsewhere on more images, not what few images can do."
    ]


def _comparison(task: Task, results: Results, one: ArmComparison) -> Comparison:
    """An arm beside the baseline, for the summary."""
    verdict = judge(one)
    of_folds: FoldsTest | None = None
    if one.folds:
        of_folds = {
            "n": len(results.folds),
            "mean": one.folds.mean,
            "interval": pair(one.folds.interval),
            "t": known(one.folds.statistic),
            "p": known(one.folds.p),
            "p_holm": known(one.folds_holm),
        }
    paired: dict[str, float | None] = {task.paired.wins: one.paired.wins, task.paired.losses: one.paired.losses}
    comparison: Comparison = {
        "arm": one.arm,
        "against": one.baseline,
        "fraction": one.fraction,
        "difference": {
            name: {"mean": mean, "interval": pair(one.interval[name])} for name, mean in one.difference.items()
        },
        "difference_by_seed": list(one.by_seed),
        "effect": {
            "mean": one.effect.mean,
            "interval": pair(one.effect.interval),
            "trainings": one.effect.trainings,
            "p": known(one.effect.p),
            "p_holm": known(one.effect_holm),
            "detectable": known(one.effect.detectable),
        },
        "folds": of_folds,
        "verdict": verdict,
        "sentence": sentence(task, one, verdict),
    }
    comparison[task.paired.key] = paired | one.paired.more | {"p": one.paired.p, "p_holm": known(one.paired_holm)}
    return comparison
