"""From what a study's networks answered to its summary: figures, and what may and may not be concluded from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.arms import ARMS, baseline_of, needs_synthetic
from xrgan.downstream.comparison import ArmComparison, compare, figures_on_test, resample
from xrgan.downstream.statistics import interval, mean_and_std
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import ArmKey, Floats, Trial, by_arm
from xrgan.downstream.wording import between, known, mean_of, numbers, pair, share, signed, with_holm

SIGNIFICANT = 0.05
HELPS, HARMS, NOTHING = "helps", "harms", "nothing shown"
HINT = {HELPS: "a hint of help", HARMS: "a hint of harm"}


def summarise(task: Task, dataset: PackedDataset, results: Results) -> dict[str, Any]:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    config, pool, grouped = task.config, results.pool, by_arm(results.trials)
    samples = resample(task, results)
    baseline = baseline_of(config.arms)
    comparisons = [_comparison(task, results, one) for one in compare(task, results, samples, baseline)]
    patients = {"test_patients": len(np.unique(pool.test_groups))}
    return {
        "dataset": {"name": dataset.name, "content_hash": dataset.content_hash, task.names: list(pool.names)},
        "options": config.model_dump(mode="json"),
        "images": task.facts(dataset, pool) | patients,
        "baseline": baseline,
        "results": [_result(task, results, ones, samples[key]) for key, ones in grouped.items()],
        "comparisons": comparisons,
        "conclusion": conclusion(comparisons, baseline),
        "caveats": [*task.caveats(pool), *caveats(task, results)],
    }


def judge(one: ArmComparison, leading: str) -> str:
    """What may be said of an arm: it helps or harms, there is a hint of it, or nothing is shown.

    Shown is what holds over other patients (the interval) and over other training images (the test over folds; without
    folds, every seed agrees and the paired test on the test split agrees as well).

    Args:
        leading: the figure that decides; more of it is better.
    """
    low, high = one.interval[leading]
    over_patients = low > 0 or high < 0
    helps = one.difference[leading] > 0
    if one.folds:
        over_training = one.folds_holm < SIGNIFICANT and (one.folds.mean > 0) == helps
    else:
        seeds_agree = len(one.by_seed) > 1 and all((difference > 0) == helps for difference in one.by_seed)
        over_training = seeds_agree and one.paired_holm < SIGNIFICANT and (one.paired.lean > 0) == helps
    effect = HELPS if helps else HARMS
    if over_patients and over_training:
        return effect
    return HINT[effect] if over_patients or over_training else NOTHING


def sentence(task: Task, one: ArmComparison, folds: int, verdict: str) -> str:
    """The verdict and all that it rests on.

    Args:
        folds: how many there are; 0 = the dataset's own split.
    """
    leading = task.leading
    said = (
        f"{one.arm} against {one.baseline} with {share(one.fraction)} of the real images: {task.wording.leading}"
        f" {signed(one.difference[leading])} on the test split (95 % over its patients"
        f" {between(one.interval[leading], signed)})"
    )
    if one.folds:
        said += (
            f"; {signed(one.folds.mean)} over {folds} left-out folds (corrected t-test"
            f" {with_holm(one.folds.p, one.folds_holm)})"
        )
    elif len(one.by_seed) > 1:
        said += f"; by seed {', '.join(signed(difference) for difference in one.by_seed)}"
    paired = task.paired.sentence.format(wins=one.paired.wins, losses=one.paired.losses)
    return f"{said}; {paired} ({task.paired.test} {with_holm(one.paired.p, one.paired_holm)}): {verdict}."


def conclusion(comparisons: Sequence[Mapping[str, Any]], baseline: str) -> str:
    """One sentence: which arms help or harm, of which there is a hint, and for which nothing is shown."""
    if not comparisons:
        return f"Only {baseline} was trained: nothing is compared."
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
    said += [f"there is {hint} from {named(found[hint])}" for hint in HINT.values() if hint in found]
    said += [f"nothing is shown for {named(found[NOTHING])}"] if NOTHING in found else []
    at_all = f" with {' and '.join(map(share, fractions))} of the real images" if len(fractions) > 1 else ""
    return f"Against {baseline}{at_all}: {'; '.join(said)}."


def _verb(effect: str, arms: Mapping[str, list[float]]) -> str:
    """ "helps" of one arm, "help" of several."""
    return effect if len(arms) == 1 else effect.removesuffix("s")


def caveats(task: Task, results: Results) -> list[str]:
    """What to keep in mind in any study."""
    config, pool, networks = task.config, results.pool, task.wording.networks
    folds, grouped = results.folds[0].number > 0, by_arm(results.trials)
    said = [*_of_few_synthetic(config, grouped, task.wording.too_few), *_of_fractions(config, networks)]
    if not folds:
        said.append(
            "One split, no folds: the seeds tell how much chance in training does, not how much other training"
            " patients would."
        )
    if config.seeds == 1 and not folds:
        said.append("One training an arm: chance in training may be as large as the differences (`--seeds 3`).")
    return [
        *said,
        f"The test split is {len(pool.test):,} images of {len(np.unique(pool.test_groups)):,} patients; the intervals"
        f" say how much other patients would change the figures.{task.wording.test}",
        "Validation images picked the epochs, and no figure is taken from them; the test split picked nothing, as long"
        " as it wasn't used to choose a generator or these settings.",
        "It holds for this dataset, this generator, this network and this number of images; others may answer"
        " otherwise.",
    ]


def _of_few_synthetic(config: StudyConfig, grouped: Mapping[ArmKey, Sequence[Trial]], too_few: str) -> list[str]:
    """A caveat where there were fewer synthetic images than asked for."""
    mixed = [trials for (arm, _), trials in grouped.items() if ARMS[arm].mixes]
    had = [mean_of(one.n_synthetic for one in trials) / mean_of(one.n_real for one in trials) for trials in mixed]
    if not had or min(had) >= 0.95 * config.ratio:
        return []
    return [f"Only {min(had):.2f} synthetic images a real one were used, not {config.ratio:g}: {too_few}."]


def _of_fractions(config: StudyConfig, networks: str) -> list[str]:
    """A caveat where generators learned from more images than networks did."""
    if not needs_synthetic(config.arms) or min(config.fractions) == 1:
        return []
    if config.gan_per_fold:
        return [
            f"Each fold's generator learned from all of the fold's training images, also where the {networks} saw"
            " a fraction of them."
        ]
    return [
        f"The generator learned from all training images, also where the {networks} saw a fraction: such arms"
        " tell what a generator is worth that was trained elsewhere on more images, not what few images can do."
    ]


def _result(task: Task, results: Results, trials: Sequence[Trial], samples: Floats) -> dict[str, Any]:
    """An arm at a fraction, for the summary. Args: samples: its figures on other patients, (resamples, metrics)."""
    arm, fraction = trials[0].arm_key
    figures = [figures_on_test(task, results, one) for one in trials]
    test = {
        name: numbers(mean_and_std([one[name] for one in figures])) | {"interval": pair(interval(samples[:, k]))}
        for k, name in enumerate(task.metrics(results.pool.names))
    }
    return {
        "arm": arm,
        "fraction": fraction,
        "trainings": len(trials),
        "n_real": mean_of(one.n_real for one in trials),
        "n_synthetic": mean_of(one.n_synthetic for one in trials),
        "test": test,
    }


def _comparison(task: Task, results: Results, one: ArmComparison) -> dict[str, Any]:
    """An arm beside the baseline, for the summary."""
    folds = len(results.folds) if one.folds else 0
    verdict = judge(one, task.leading)
    of_folds = None
    if one.folds:
        of_folds = {
            "n": folds,
            "mean": one.folds.mean,
            "interval": pair(one.folds.interval),
            "t": known(one.folds.statistic),
            "p": known(one.folds.p),
            "p_holm": known(one.folds_holm),
        }
    paired = {task.paired.wins: one.paired.wins, task.paired.losses: one.paired.losses} | one.paired.more
    return {
        "arm": one.arm,
        "against": one.baseline,
        "fraction": one.fraction,
        "difference": {
            name: {"mean": mean, "interval": pair(one.interval[name])} for name, mean in one.difference.items()
        },
        "difference_by_seed": list(one.by_seed),
        "folds": of_folds,
        task.paired.key: paired | {"p": one.paired.p, "p_holm": known(one.paired_holm)},
        "verdict": verdict,
        "sentence": sentence(task, one, folds, verdict),
    }
