"""What any study may conclude: the verdict on an arm, the sentence that holds it, and what to keep in mind."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from xrgan.config import StudyConfig
from xrgan.downstream.arms import ARMS
from xrgan.downstream.comparison import ArmComparison, Key
from xrgan.downstream.folds import Fold
from xrgan.downstream.trial import Trial
from xrgan.downstream.wording import between, known, mean_of, number, pair, share, signed, with_holm

SIGNIFICANT = 0.05
HELPS, HARMS, NOTHING = "helps", "harms", "nothing shown"
HINT = {HELPS: "a hint of help", HARMS: "a hint of harm"}

Epoch = TypeVar("Epoch")


def judge(one: ArmComparison, leading: str, favours: bool, p_holm: float) -> str:
    """What may be said of an arm: it helps or harms, there is a hint of it, or nothing is shown.

    Shown is what holds over other patients (the interval) and over other training images (the test over folds; without
    folds, every seed agrees and the paired test on the test split agrees as well).

    Args:
        leading: the figure that decides; more of it is better.
        favours: whether the paired test on the test split leans to the arm.
        p_holm: of that test, with all comparisons of the study in mind.
    """
    low, high = one.interval[leading]
    over_patients = low > 0 or high < 0
    helps = one.difference[leading] > 0
    if one.folds:
        over_training = one.folds_holm < SIGNIFICANT and (one.folds.mean > 0) == helps
    else:
        seeds_agree = len(one.by_seed) > 1 and all((difference > 0) == helps for difference in one.by_seed)
        over_training = seeds_agree and p_holm < SIGNIFICANT and favours == helps
    effect = HELPS if helps else HARMS
    if over_patients and over_training:
        return effect
    return HINT[effect] if over_patients or over_training else NOTHING


def sentence(one: ArmComparison, leading: str, label: str, folds: int, paired: str, verdict: str) -> str:
    """The verdict and all that it rests on.

    Args:
        label: of the leading figure.
        folds: how many there are; 0 = the dataset's own split.
        paired: what the paired test on the test split says.
    """
    said = (
        f"{one.arm} against {one.baseline} with {share(one.fraction)} of the real images: {label}"
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
    return f"{said}; {paired}: {verdict}."


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


def result(key: Key, trials: Sequence[Trial[Epoch]], test: Mapping[str, Any]) -> dict[str, Any]:
    """An arm at a fraction, for the summary. Args: test: its figures on the test split."""
    arm, fraction = key
    return {
        "arm": arm,
        "fraction": fraction,
        "trainings": len(trials),
        "n_real": mean_of(one.n_real for one in trials),
        "n_synthetic": mean_of(one.n_synthetic for one in trials),
        "test": dict(test),
    }


def comparison(one: ArmComparison, folds: int) -> dict[str, Any]:
    """An arm beside the baseline, for the summary; the study adds its paired test, the verdict and the sentence."""
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
    return {
        "arm": one.arm,
        "against": one.baseline,
        "fraction": one.fraction,
        "difference": {
            name: {"mean": mean, "interval": pair(one.interval[name])} for name, mean in one.difference.items()
        },
        "difference_by_seed": list(one.by_seed),
        "folds": of_folds,
    }


def _verb(effect: str, arms: Mapping[str, list[float]]) -> str:
    """ "helps" of one arm, "help" of several."""
    return effect if len(arms) == 1 else effect.removesuffix("s")


def caveats(
    config: StudyConfig,
    folds: Sequence[Fold],
    grouped: Mapping[Key, Sequence[Trial[Epoch]]],
    networks: str,
    too_few: str,
    test: str,
) -> list[str]:
    """What to keep in mind.

    Args:
        networks: what was trained.
        too_few: why there may be fewer synthetic images than asked for.
        test: how large the test split is, and what its figures don't know.
    """
    said = []
    used = {key: ones for key, ones in grouped.items() if ARMS[key[0]].synthetic == "beside"}
    had = [mean_of(o.n_synthetic for o in ones) / mean_of(o.n_real for o in ones) for ones in used.values()]
    if had and min(had) < 0.95 * config.ratio:
        said.append(f"Only {min(had):.2f} synthetic images a real one were used, not {config.ratio:g}: {too_few}.")
    if any(ARMS[arm].synthetic != "none" for arm, _ in grouped):
        if min(config.fractions) < 1 and not config.gan_per_fold:
            said.append(
                f"The generator learned from all training images, also where the {networks} saw a fraction: such arms"
                " tell what a generator is worth that was trained elsewhere on more images, not what few images can do."
            )
        elif min(config.fractions) < 1:
            said.append(
                f"Each fold's generator learned from all of the fold's training images, also where the {networks} saw"
                " a fraction of them."
            )
    if not folds[0].number:
        said.append(
            "One split, no folds: the seeds tell how much chance in training does, not how much other training"
            " patients would."
        )
    if config.seeds == 1 and not folds[0].number:
        said.append("One training an arm: chance in training may be as large as the differences (`--seeds 3`).")
    return [
        *said,
        test,
        "Validation images picked the epochs, and no figure is taken from them; the test split picked nothing, as long"
        " as it wasn't used to choose a generator or these settings.",
        "It holds for this dataset, this generator, this network and this number of images; others may answer"
        " otherwise.",
    ]


def left_out_a_training_image(folds: Sequence[Fold]) -> float:
    """Images left out for each one that was learned from, mean over folds; those that picked the epoch don't count."""
    return float(np.mean([len(fold.test) / len(fold.training) for fold in folds]))


def columns(summary: Mapping[str, Any], label: str) -> list[str]:
    """Of `rows`. Args: label: of the leading figure."""
    with_fraction = ["real data"] if _several_fractions(summary) else []
    return [*with_fraction, "arm", label, "95 %", f"Δ {label}", "95 %", "verdict"]


def rows(summary: Mapping[str, Any], leading: str) -> list[list[str]]:
    """The table of a summary for a terminal: a row an arm and fraction."""
    verdicts = {(one["arm"], one["fraction"]): one for one in summary["comparisons"]}
    table = []
    for one in summary["results"]:
        figure = one["test"][leading]
        cells = [share(one["fraction"])] if _several_fractions(summary) else []
        cells += [one["arm"], number(figure["mean"]), between(figure["interval"])]
        against = verdicts.get((one["arm"], one["fraction"]))
        difference = against["difference"][leading] if against else None
        if against and difference:
            cells += [signed(difference["mean"]), between(difference["interval"], signed), against["verdict"]]
        else:
            cells += ["", "", ""]
        table.append(cells)
    return table


def _several_fractions(summary: Mapping[str, Any]) -> bool:
    return len({one["fraction"] for one in summary["results"]}) > 1
