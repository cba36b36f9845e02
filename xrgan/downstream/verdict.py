"""From what a study's trainings answered to its summary: figures, and what may and may not be concluded from them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import comparison
from xrgan.downstream.arms import ARMS, baseline_of
from xrgan.downstream.comparison import LEADING, Compared, by_key, compare, resample, spread, test_labels
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.outcome import Outcome
from xrgan.downstream.pool import Pool
from xrgan.downstream.scores import METRICS
from xrgan.downstream.statistics import interval

SIGNIFICANT = 0.05
HELPS, HARMS, NOTHING = "helps", "harms", "nothing shown"
HINT = {HELPS: "a hint of help", HARMS: "a hint of harm"}


def summarise(
    dataset: PackedDataset, pool: Pool, folds: Sequence[Fold], config: ClassifyConfig, outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    """The summary of a study: plain dicts, lists, strings and numbers; what can't be known is null."""
    grouped = by_key(outcomes)
    samples = resample(pool, grouped, config.resamples, config.seed)
    baseline = baseline_of(config.arms)
    compared = compare(pool, grouped, samples, baseline, _test_to_training(folds), labels_left_out(pool, folds))
    comparisons = [_comparison(one, len(folds) if folds[0].number else 0) for one in compared]
    return {
        "dataset": {"name": dataset.name, "content_hash": dataset.content_hash, "classes": list(pool.classes)},
        "options": config.model_dump(mode="json"),
        "images": {
            "training": _counts(pool, pool.training),
            "validation": _counts(pool, pool.validation),
            "test": _counts(pool, pool.test),
            "test_patients": len(np.unique(pool.groups[pool.test])),
        },
        "baseline": baseline,
        "results": [_result(pool, key, ones, samples[key]) for key, ones in grouped.items()],
        "comparisons": comparisons,
        "conclusion": _conclusion(comparisons, baseline),
        "caveats": _caveats(config, folds, grouped, pool),
    }


def labels_left_out(pool: Pool, folds: Sequence[Fold]) -> dict[int, NDArray[np.int64]]:
    """The labels of each fold's left-out part, by the fold's number; none in the dataset's own split."""
    return {fold.number: pool.labels[fold.test].numpy() for fold in folds if fold.number}


def columns(summary: Mapping[str, Any]) -> list[str]:
    """Of `rows`."""
    with_fraction = ["real data"] if _several_fractions(summary) else []
    return [*with_fraction, "arm", "AUROC", "95 %", "Δ AUROC", "95 %", "verdict"]


def rows(summary: Mapping[str, Any]) -> list[list[str]]:
    """The table of a summary for a terminal: a row an arm and fraction."""
    verdicts = {(one["arm"], one["fraction"]): one for one in summary["comparisons"]}
    table = []
    for result in summary["results"]:
        leading = result["test"][LEADING]
        row = [share(result["fraction"])] if _several_fractions(summary) else []
        row += [result["arm"], number(leading["mean"]), between(leading["interval"])]
        one = verdicts.get((result["arm"], result["fraction"]))
        difference = one["difference"][LEADING] if one else None
        if one and difference:
            row += [signed(difference["mean"]), between(difference["interval"], signed), one["verdict"]]
        else:
            row += ["", "", ""]
        table.append(row)
    return table


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")  # no −0.000


def between(interval: Sequence[float | None], form: Any = number) -> str:
    return f"{form(interval[0])} … {form(interval[1])}"


def share(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _several_fractions(summary: Mapping[str, Any]) -> bool:
    return len({result["fraction"] for result in summary["results"]}) > 1


def _result(pool: Pool, key: comparison.Key, outcomes: Sequence[Outcome], samples: Any) -> dict[str, Any]:
    arm, fraction = key
    figures = spread(test_labels(pool), outcomes)
    intervals = {name: _pair(interval(samples[:, k])) for k, name in enumerate(METRICS)}
    return {
        "arm": arm,
        "fraction": fraction,
        "trainings": len(outcomes),
        "n_real": _mean_of(one.n_real for one in outcomes),
        "n_synthetic": _mean_of(one.n_synthetic for one in outcomes),
        "test": {name: _numbers(figures[name]) | {"interval": intervals[name]} for name in METRICS},
    }


def _comparison(one: Compared, folds: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "arm": one.arm,
        "against": one.baseline,
        "fraction": one.fraction,
        "difference": {name: {"mean": one.difference[name], "interval": _pair(one.interval[name])} for name in METRICS},
        "difference_by_seed": list(one.by_seed),
        "folds": None,
        "images": {
            "only_this_arm_right": one.images.only_a,
            "only_the_other_right": one.images.only_b,
            "p": one.images.p,
            "p_holm": _known(one.images_holm),
        },
    }
    if one.folds:
        said["folds"] = {
            "n": folds,
            "mean": one.folds.mean,
            "interval": _pair(one.folds.interval),
            "t": _known(one.folds.statistic),
            "p": _known(one.folds.p),
            "p_holm": _known(one.folds_holm),
        }
    return said | {"verdict": _verdict(one), "sentence": _sentence(one, folds)}


def _verdict(one: Compared) -> str:
    """What may be said of an arm: it helps or harms, there is a hint of it, or nothing is shown.

    Shown is what holds over other patients (the interval) and over other training images (the test over folds; without
    folds, every seed agrees and the images that only one arm gets right agree as well).
    """
    low, high = one.interval[LEADING]
    over_patients = low > 0 or high < 0
    helps = one.difference[LEADING] > 0
    if one.folds:
        over_training = one.folds_holm < SIGNIFICANT and (one.folds.mean > 0) == helps
    else:
        better = one.images.only_a > one.images.only_b
        seeds_agree = len(one.by_seed) > 1 and all((difference > 0) == helps for difference in one.by_seed)
        over_training = seeds_agree and one.images_holm < SIGNIFICANT and better == helps
    effect = HELPS if helps else HARMS
    if over_patients and over_training:
        return effect
    return HINT[effect] if over_patients or over_training else NOTHING


def _sentence(one: Compared, folds: int) -> str:
    said = (
        f"{one.arm} against {one.baseline} with {share(one.fraction)} of the real images: AUROC"
        f" {signed(one.difference[LEADING])} on the test split (95 % over its patients"
        f" {between(one.interval[LEADING], signed)})"
    )
    if one.folds:
        said += (
            f"; {signed(one.folds.mean)} over {folds} left-out folds (corrected t-test"
            f" p = {p_value(_known(one.folds.p))}, with Holm {p_value(_known(one.folds_holm))})"
        )
    elif len(one.by_seed) > 1:
        said += f"; by seed {', '.join(signed(difference) for difference in one.by_seed)}"
    return (
        f"{said}; of the test images, {one.images.only_a} are right with it alone and {one.images.only_b} without it"
        f" alone (McNemar p = {p_value(one.images.p)}, with Holm {p_value(_known(one.images_holm))}): {_verdict(one)}."
    )


def _conclusion(comparisons: Sequence[Mapping[str, Any]], baseline: str) -> str:
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

    said = [f"{named(found[effect])} {effect}" for effect in (HELPS, HARMS) if effect in found]
    said += [f"there is {hint} from {named(found[hint])}" for hint in HINT.values() if hint in found]
    said += [f"nothing is shown for {named(found[NOTHING])}"] if NOTHING in found else []
    at_all = f" with {' and '.join(map(share, fractions))} of the real images" if len(fractions) > 1 else ""
    return f"Against {baseline}{at_all}: {'; '.join(said)}."


def _caveats(
    config: ClassifyConfig, folds: Sequence[Fold], grouped: Mapping[comparison.Key, Sequence[Outcome]], pool: Pool
) -> list[str]:
    caveats = []
    used = {key: ones for key, ones in grouped.items() if ARMS[key[0]].synthetic == "beside"}
    had = [_mean_of(o.n_synthetic for o in ones) / _mean_of(o.n_real for o in ones) for ones in used.values()]
    if had and min(had) < 0.95 * config.ratio:
        caveats.append(
            f"Only {min(had):.2f} synthetic images a real one were used, not {config.ratio:g}: a class had no more to"
            " keep the real class mix."
        )
    if any(ARMS[arm].synthetic != "none" for arm, _ in grouped):
        if min(config.fractions) < 1 and not config.gan_per_fold:
            caveats.append(
                "The generator learned from all training images, also where the classifiers saw a fraction: such arms"
                " tell what a generator is worth that was trained elsewhere on more images, not what few images can do."
            )
        elif min(config.fractions) < 1:
            caveats.append(
                "Each fold's generator learned from all of the fold's training images, also where the classifiers saw"
                " a fraction of them."
            )
    if not folds[0].number:
        caveats.append(
            "One split, no folds: the seeds tell how much chance in training does, not how much other training"
            " patients would."
        )
    if config.seeds == 1 and not folds[0].number:
        caveats.append("One training an arm: chance in training may be as large as the differences (`--seeds 3`).")
    return [
        *caveats,
        f"The test split is {len(pool.test):,} images of {len(np.unique(pool.groups[pool.test])):,} patients; the"
        " intervals say how much other patients would change the figures. McNemar's test takes images for independent.",
        "Validation images picked the epochs, and no figure is taken from them; the test split picked nothing, as long"
        " as it wasn't used to choose a generator or these settings.",
        "It holds for this dataset, this generator, this network and this number of images; others may answer"
        " otherwise.",
    ]


def _test_to_training(folds: Sequence[Fold]) -> float:
    """Images left out for each one that was learned from, mean over folds; those that picked the epoch don't count."""
    return float(np.mean([len(fold.test) / len(fold.training) for fold in folds]))


def _counts(pool: Pool, indices: Indices) -> dict[str, int]:
    return {name: int(count) for name, count in zip(pool.classes, pool.counts(indices), strict=True)}


def _mean_of(values: Any) -> float:
    mean = float(np.mean(list(values)))
    return int(mean) if mean.is_integer() else round(mean, 1)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _pair(values: tuple[float, float]) -> list[float | None]:
    return [_known(value) for value in values]


def _numbers(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {name: _known(value) for name, value in figures.items()}
