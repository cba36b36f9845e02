from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cards.cases import known, unknown
from xrgan.cards.facts import Facts
from xrgan.report.answers import answers, best_score, can_readers_tell, does_it_copy, does_it_help, is_it_good


def scored(folder: Path, **metrics: Any) -> Facts:
    return replace(known(folder), scores={"reference": "held-out", "images": {"n": 2000}, "metrics": metrics})


@pytest.mark.parametrize(
    ("fid", "coverage", "state"),
    [(11.0, 0.9, "good"), (18.0, 0.9, "fair"), (11.0, 0.6, "fair"), (25.0, 0.9, "poor"), (11.0, 0.3, "poor")],
)
def test_goodness_is_the_worse_of_distance_and_variety(tmp_path: Path, fid: float, coverage: float, state: str) -> None:
    facts = scored(tmp_path, fid={"value": fid, "floor": 10.0}, clipped_coverage={"value": coverage, "floor": 1.0})
    answer = is_it_good(facts)
    assert answer.state == state
    assert f"FID {fid:.1f}, where real images score 10.0" in answer.reasons[0] and "2,000" in answer.reasons[2]


def test_what_was_not_measured_names_the_next_step(tmp_path: Path) -> None:
    for answer in answers(unknown(tmp_path), {}):
        assert answer.state == "open" and answer.next_step.startswith("xrgan ") and "old" in answer.next_step


def test_scores_against_the_training_images_say_so(tmp_path: Path) -> None:
    facts = scored(tmp_path, fid={"value": 11.0, "floor": 10.0})
    facts = replace(facts, scores={**facts.scores, "reference": "train"})
    assert "flatters" in " ".join(is_it_good(facts).reasons)


def test_the_class_that_is_covered_least_is_named(tmp_path: Path) -> None:
    assert "least in NORMAL (0.31)" in " ".join(is_it_good(known(tmp_path)).reasons)


@pytest.mark.parametrize(
    ("score", "state", "words"),
    [
        ({"value": 0.0, "suspects": 0, "n": 100, "floor": 0.01, "interval": [0.0, 0.04]}, "good", "No copy was found"),
        ({"value": 0.02, "suspects": 2, "n": 100, "floor": 0.01, "interval": [0.005, 0.07]}, "good", "chance"),
        ({"value": 0.3, "suspects": 30, "n": 100, "floor": 0.01, "interval": [0.2, 0.4]}, "poor", "suspected"),
        ({"value": 0.02, "suspects": 2, "n": 100, "floor": None, "interval": [0.005, 0.07]}, "poor", "suspected"),
    ],
)
def test_copies_are_judged_beside_real_images(tmp_path: Path, score: Any, state: str, words: str) -> None:
    answer = does_it_copy(scored(tmp_path, memorisation=score))
    assert answer.state == state and words in answer.words
    assert "No suspect is no proof" in " ".join(answer.reasons)


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        (["nothing shown", "helps"], "good"),
        (["harms"], "poor"),
        (["nothing shown"], "fair"),
        (["can't tell"], "open"),
        (["helps", "harms"], "fair"),
    ],
)
def test_help_is_what_the_studies_say(tmp_path: Path, verdicts: list[str], state: str) -> None:
    study = {"conclusion": "So it is.", "comparisons": [{"arm": "synthetic", "verdict": one} for one in verdicts]}
    answer = does_it_help(replace(known(tmp_path), studies={"classify": study}))
    assert answer.state == state and answer.reasons == ("classify: So it is.",)
    assert all(one in answer.words for one in verdicts)


def test_that_classic_augmentation_helps_is_no_answer(tmp_path: Path) -> None:
    comparisons = [{"arm": "real+classic", "verdict": "helps"}]
    answer = does_it_help(replace(known(tmp_path), studies={"classify": {"comparisons": comparisons}}))
    assert (answer.state, answer.words) == ("open", "Not studied yet")
    comparisons.append({"arm": "real+classic+synthetic", "verdict": "nothing shown"})
    answer = does_it_help(replace(known(tmp_path), studies={"classify": {"comparisons": comparisons}}))
    assert (answer.state, answer.words) == ("fair", "Classify: nothing shown")


def test_inception_is_asked_first_and_what_flatters_last(tmp_path: Path) -> None:
    metrics = {"fid@lite0": {"value": 1.0, "trained_against": True}, "fid@lite1": {"value": 2.0}}
    assert best_score(scored(tmp_path, **metrics), "fid") == {"value": 2.0}
    assert best_score(scored(tmp_path, **metrics, fid={"value": 3.0}), "fid") == {"value": 3.0}
    assert best_score(scored(tmp_path), "fid") is None


@pytest.mark.parametrize(
    ("interval", "words"), [([0.6, 0.9], "Yes"), ([0.4, 0.6], "Not shown"), ([0.1, 0.4], "They mistake")]
)
def test_readers_tell_where_they_are_right_more_often_than_chance(interval: list[float], words: str) -> None:
    answer = can_readers_tell({"accuracy": {"value": 0.5, "interval": interval}, "conclusion": "So it is."})
    assert answer.words.startswith(words) and answer.reasons == ("So it is.",)
