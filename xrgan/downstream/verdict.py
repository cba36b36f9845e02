"""From what a study's networks answered to its summary: figures, and what may and may not be concluded from them."""

from collections.abc import Mapping, Sequence

import numpy as np

from xrgan.data.packed import PackedDataset
from xrgan.downstream.arm_results import arm_result
from xrgan.downstream.arms import baseline_of
from xrgan.downstream.caveats import LEAST_TRAININGS, caveats, doubts, guess
from xrgan.downstream.comparison import ArmComparison, compare, resample
from xrgan.downstream.external import external_summary
from xrgan.downstream.subgroups import subgroup_results
from xrgan.downstream.summary import Comparison, DatasetFacts, FoldsTest, Summary
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import by_arm
from xrgan.downstream.wording import between, known, number, pair, share, signed, with_holm

SIGNIFICANT = 0.05
HELPS, HARMS, NOTHING, UNKNOWN = "helps", "harms", "nothing shown", "can't tell"


def summarise(task: Task, dataset: PackedDataset, results: Results) -> Summary:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    config, pool, grouped = task.config, results.pool, by_arm(results.trials)
    samples = resample(task, results)
    baseline = baseline_of(config.arms)
    arms = [arm_result(task, results, ones, samples[key]) for key, ones in grouped.items()]
    guessing = {one["fraction"]: guess(task, arms, one["fraction"]) for one in arms}
    comparisons = [
        _comparison(task, results, one, {one.arm, one.baseline} <= {*guessing[one.fraction]})
        for one in compare(task, results, samples, baseline)
    ]
    elsewhere = external_summary(task, results, results.external, baseline) if results.external else None
    patients = {"test_patients": len(np.unique(pool.test_groups))}
    facts: DatasetFacts = {"name": dataset.name, "content_hash": dataset.content_hash}
    facts[task.names] = list(pool.names)
    summary: Summary = {
        "dataset": facts,
        "options": config.model_dump(mode="json"),
        "images": task.facts(dataset, pool) | patients,
        "baseline": baseline,
        "results": arms,
        "comparisons": comparisons,
        "conclusion": conclusion(comparisons, baseline),
        "caveats": [*doubts(task, results, arms, elsewhere), *task.caveats(pool), *caveats(task, results)],
    }
    if groups := subgroup_results(task, results, dataset):
        summary["subgroups"] = groups
    if elsewhere:
        summary["external"] = elsewhere
    return summary


def judge(one: ArmComparison, guessing: bool = False) -> str:
    """What may be said of an arm: it helps or harms, nothing is shown, or there are too few trainings to tell.

    Shown is what would hold with other patients in the test split and with other trainings, too, with all comparisons
    of the study in mind (`statistics.effect_test`, Holm): under no difference, one study in twenty shows something.

    Args:
        guessing: both arms do no better than that: whichever guesses worse, nothing helps or harms.
    """
    if one.effect.trainings < LEAST_TRAININGS:
        return UNKNOWN
    if guessing or not one.effect_holm < SIGNIFICANT:  # NaN is not
        return NOTHING
    return HELPS if one.effect.mean > 0 else HARMS


def sentence(task: Task, one: ArmComparison, verdict: str, guessing: bool = False) -> str:
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
    said += "; both do no better than guessing, so that it means nothing" if guessing else ""
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


def _comparison(task: Task, results: Results, one: ArmComparison, guessing: bool) -> Comparison:
    """An arm beside the baseline, for the summary.

    Args:
        guessing: whether both do no better than that.
    """
    verdict = judge(one, guessing)
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
        "sentence": sentence(task, one, verdict, guessing),
    }
    comparison[task.paired.key] = paired | one.paired.more | {"p": one.paired.p, "p_holm": known(one.paired_holm)}
    return comparison
