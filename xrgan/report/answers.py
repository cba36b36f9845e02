"""The first screen of a report: is it any good, does it copy, does it help? In a few words each, with the figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from xrgan.cards.facts import Facts, lowest_class
from xrgan.downstream.arms import about_synthetic
from xrgan.evaluation.scores_file import ScoreKey

State = Literal["good", "fair", "poor", "open"]
NEAR, FAR = 1.25, 2.0  # times the floor's FID
VARIED, POOR = 0.8, 0.5  # share of real images' clipped coverage
RULE = (
    f"Close to real: FID at most {NEAR:g} times what real images score against other real ones, and at least "
    f"{100 * VARIED:.0f} % of their clipped coverage. Far from real: more than {FAR:g} times, or less than "
    f"{100 * POOR:.0f} %. Some way off: between. It is a way to read figures, no test: look at the images, too."
)
NO_PROOF = "No suspect is no proof: the search knows near copies alone."
VERDICTS: Mapping[str, State] = {"helps": "good", "harms": "poor", "nothing shown": "fair", "can't tell": "open"}


@dataclass(frozen=True)
class Answer:
    """One question with its answer.

    Attributes:
        state: how it is marked.
        words: the answer in a few words.
        reasons: what it rests on, a sentence each.
        next_step: the command that would answer it; empty where it is answered.
    """

    question: str
    state: State
    words: str
    reasons: tuple[str, ...] = ()
    next_step: str = ""


def answers(facts: Facts, readers: Mapping[str, Any]) -> list[Answer]:
    """Answer what can be answered from a run's own files.

    Args:
        readers: what readers/summary.yaml holds; empty = nobody read.
    """
    found = [is_it_good(facts), does_it_copy(facts), does_it_help(facts)]
    return [*found, can_readers_tell(readers)] if readers else found


def is_it_good(facts: Facts) -> Answer:
    """Answer by FID beside its floor, and clipped coverage beside that of real images."""
    question, name = "Is it any good?", facts.run.name
    fid, coverage = best_score(facts, "fid"), best_score(facts, "clipped_coverage")
    ratios = _ratio(fid), _ratio(coverage)
    if ratios == (None, None):
        return Answer(question, "open", "Not measured yet", next_step=f"xrgan evaluate --run {name}")
    distance, variety = ratios
    far = (distance is not None and distance > FAR) or (variety is not None and variety < POOR)
    near = (distance is None or distance <= NEAR) and (variety is None or variety >= VARIED)
    state: State = "poor" if far else "good" if near else "fair"
    words = {"poor": "Far from real", "good": "Close to real", "fair": "Some way from real"}[state]
    reasons = [*_of_distance(fid, distance), *_of_variety(coverage, variety)]
    return Answer(question, state, words, (*reasons, *_of_number(facts)))


def best_score(facts: Facts, name: str) -> dict[str, Any] | None:
    """Find a score by that name, Inception's before others', those that flatter last; None = not measured."""
    keys = [key for key in facts.metrics if ScoreKey.parse(key).name == name]
    keys.sort(key=lambda key: (bool(facts.metrics[key].get("trained_against")), "@" in key, key))
    return facts.metrics[keys[0]] if keys else None


def _ratio(score: Mapping[str, Any] | None) -> float | None:
    if score is None or not score.get("floor"):
        return None
    return float(score["value"]) / float(score["floor"])


def _of_distance(score: Mapping[str, Any] | None, ratio: float | None) -> list[str]:
    if score is None or ratio is None:
        return []
    return [
        f"FID {score['value']:.1f}, where real images score {score['floor']:.1f}: {ratio:.1f} times as far from unseen "
        "patients as training images are (1 = no farther)."
    ]


def _of_variety(score: Mapping[str, Any] | None, ratio: float | None) -> list[str]:
    if score is None or ratio is None:
        return []
    said = f"Variety (clipped coverage) {score['value']:.2f}, of real images {score['floor']:.2f}: {100 * ratio:.0f} %"
    worst = lowest_class(score)
    return [said + (f"; least in {worst[0]} ({worst[1]:.2f})." if worst else ".")]


def _of_number(facts: Facts) -> list[str]:
    n = facts.scores.get("images", {}).get("n")
    if not n:
        return []
    held_out = facts.scores.get("reference") != "train"
    against = "real images that it never saw" if held_out else "the TRAINING images, which flatters"
    few = "" if n >= 1000 else ": few, so figures are rough"
    return [f"{n:,} synthetic images against {against}{few}."]


def does_it_copy(facts: Facts) -> Answer:
    """Answer by the share of suspected copies beside that of held-out real images."""
    question, score = "Does it copy?", best_score(facts, "memorisation")
    if score is None:
        return Answer(
            question, "open", "Not looked for yet", next_step=f"xrgan evaluate --run {facts.run.name} --memorisation"
        )
    suspects, n, floor = int(score.get("suspects", 0)), int(score.get("n", 0)), score.get("floor")
    low = (score.get("interval") or [score["value"]])[0]
    share = f"{suspects:,} of {n:,} images ({100 * score['value']:.1f} %) are suspected copies"
    against = "" if floor is None else f"; of held-out real images, {100 * floor:.1f} % would be"
    reasons = (f"{share}{against}.", NO_PROOF)
    if not suspects:
        return Answer(question, "good", "No copy was found", reasons)
    if floor is not None and low <= floor:
        return Answer(question, "good", "No more than chance explains", reasons)
    return Answer(
        question, "poor", "Copies are suspected", (*reasons, "`xrgan sample --reject-copies` leaves them out.")
    )


def does_it_help(facts: Facts) -> Answer:
    """Answer by the verdicts of the studies on synthetic images, with their conclusions."""
    question = "Does it help?"
    found = {name: study for name, study in facts.studies.items() if about_synthetic(study.get("comparisons", ()))}
    if not found:
        step = f"xrgan classify --run {facts.run.name}"
        return Answer(question, "open", "Not studied yet", next_step=step)
    verdicts = {
        name: [str(one.get("verdict")) for one in about_synthetic(study["comparisons"])]
        for name, study in found.items()
    }
    words = "; ".join(f"{name}: {', '.join(dict.fromkeys(each))}" for name, each in verdicts.items())
    said = [verdict for each in verdicts.values() for verdict in each]
    state: State = next((VERDICTS[one] for one in VERDICTS if one in said), "open")
    if {"helps", "harms"} <= {*said}:
        state = "fair"
    reasons = tuple(f"{name}: {study.get('conclusion', '')}" for name, study in found.items())
    return Answer(question, state, words[:1].upper() + words[1:], reasons)


def can_readers_tell(readers: Mapping[str, Any]) -> Answer:
    """Answer by the visual Turing test."""
    accuracy = readers["accuracy"]
    low, high = accuracy["interval"]
    state: State = "poor" if low > 0.5 else "fair"
    words = "Yes" if low > 0.5 else "Not shown" if high >= 0.5 else "They mistake one for the other"
    return Answer("Can readers tell?", state, words, (str(readers["conclusion"]),))
