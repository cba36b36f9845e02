"""No more is concluded than the figures bear: from answers whose truth is known to the words of the summary."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.benchmarks.verdict_simulation import Design, shares
from tests.downstream.blobs import QUICK, answers, changed, constructed, set_at, summarised, toy_dataset
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import report
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.metrics import METRICS, score
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.trial import Trial

pytestmark = pytest.mark.slow

DATASET = toy_dataset(train=200, test=160)
TASK = Classification(QUICK)


def summary_of(
    on_test: Mapping[str, float],
    on_folds: Mapping[str, float] | None = None,
    k: int = 5,
    fractions: Sequence[float] = (1.0,),
    seeds: int = 1,
    dataset: PackedDataset = DATASET,
    **options: Any,
) -> dict[str, Any]:
    """The summary of a study whose arms are as good as is said (`toys.constructed`)."""
    pool = gather(dataset)
    folds = cut(pool, k, 0)
    trials = constructed(pool, folds, on_test, on_folds, fractions, seeds)
    wish = {"arms": tuple(on_test), "fractions": tuple(fractions), "seeds": seeds, "k_folds": k, "resamples": 40}
    return summarised(dataset, pool, folds, QUICK.model_copy(update=wish | options), trials)


def verdicts(summary: Mapping[str, Any]) -> dict[str, str]:
    return {f"{one['arm']} {one['fraction']:g}": one["verdict"] for one in summary["comparisons"]}


def numbers(content: Any) -> Iterator[float]:
    match content:
        case dict():
            yield from numbers(list(content.values()))
        case list() | tuple():
            for item in content:
                yield from numbers(item)
        case float():
            yield content


# --- the verdict


@pytest.mark.parametrize(
    ("k", "seeds", "on_test", "on_folds", "said"),
    [
        (5, 1, 3, 3, "helps"),
        (5, 1, 0.2, 0.2, "harms"),
        (5, 1, 1, 1, "nothing shown"),
        (5, 1, 1, 3, "nothing shown"),  # the test split decides, left-out folds are told besides
        (0, 3, 3, 1, "helps"),
        (0, 3, 0.2, 1, "harms"),
        (0, 3, 1, 1, "nothing shown"),
        (0, 1, 3, 1, "can't tell"),  # one training might be luck
        (0, 2, 3, 1, "can't tell"),
        (2, 1, 3, 3, "can't tell"),
    ],
)
def test_what_holds_with_other_patients_and_other_trainings_is_shown(
    k: int, seeds: int, on_test: float, on_folds: float, said: str
) -> None:
    summary = summary_of({"real": 1, "synthetic": on_test}, {"real": 1, "synthetic": on_folds}, k, seeds=seeds)
    assert verdicts(summary)["synthetic 1"] == said
    told = {
        "helps": "synthetic helps",
        "harms": "synthetic harms",
        "nothing shown": "nothing is shown for synthetic",
        "can't tell": "too few trainings to tell of synthetic",
    }
    assert summary["conclusion"] == f"Against real: {told[said]}."


def with_differences(*differences: float, k: int = 0, fractions: Sequence[float] = (1.0,)) -> dict[str, Any]:
    """The summary of a study where an arm's AUROC differs so much from seed to seed (or fold to fold)."""
    pool = gather(DATASET)
    labels, folds = pool.strata[pool.test], cut(pool, k, 0)
    seeds = 1 if k else len(differences)
    trials = []
    for one in constructed(pool, folds, {"real": 1, "synthetic": 1}, fractions=fractions, seeds=seeds):
        training = (one.key.fold if k else one.key.seed) - 1
        gain = differences[training] if one.key.arm == "synthetic" else 0
        strength = np.sqrt(2) * stats.norm.ppf(0.8 + gain)
        rank = stats.norm.ppf((np.argsort(np.argsort(np.arange(len(labels)) * 31 % 80)) + 0.5) / len(labels))
        odds = np.exp(strength * labels + rank)
        trials.append(replace(one, on_test=np.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)))
    wish = {"arms": ("real", "synthetic"), "seeds": seeds, "k_folds": k, "fractions": tuple(fractions)}
    return summarised(DATASET, pool, folds, QUICK.model_copy(update=wish | {"resamples": 100}), trials)


@pytest.mark.parametrize("k", [0, 4])
def test_trainings_that_disagree_show_nothing(k: int) -> None:
    """As in the study of pneumonia: +0.116, −0.037 and +0.023 were once called a hint of help."""
    sure = with_differences(0.08, 0.081, 0.079, 0.08, k=k)["comparisons"][0]
    assert sure["verdict"] == "helps" and sure["effect"]["p"] < 0.01
    unsure = with_differences(0.15, -0.01, 0.03, 0.15, k=k)["comparisons"][0]
    low, high = unsure["difference"]["auroc"]["interval"]
    assert 0 < low < high, "over patients alone it looks like help"
    assert unsure["verdict"] == "nothing shown" and unsure["effect"]["p"] > 0.05
    assert unsure["effect"]["mean"] == pytest.approx(sure["effect"]["mean"], abs=0.02)
    assert unsure["effect"]["detectable"] > 2 * sure["effect"]["detectable"]


def test_under_no_difference_hardly_any_study_shows_something() -> None:
    """The benchmark verdict_simulation does this for all designs, and oftener."""
    for design in (Design("", seeds=3, images=300), Design("", "segment", 74, 0.003, 3, arms=4)):
        found = shares(design, 60, resamples=60)
        assert found.get("helps", 0) + found.get("harms", 0) <= 0.08, design
        assert "can't tell" not in found


def test_a_large_true_difference_is_found() -> None:
    found = shares(Design("", seeds=5, images=300, effect=0.08), 20, resamples=60)
    assert found["helps"] >= 0.8 and "harms" not in found


def test_chance_alone_shows_hardly_ever_anything() -> None:
    """Two arms of equal strength and different answers: 20 studies with three folds, 20 of three seeds."""
    dataset = toy_dataset(train=60, test=80)
    pool = gather(dataset)
    labels = pool.strata
    found = []
    for study in range(20):
        for k, seeds in ((3, 1), (0, 3)):
            folds = cut(pool, k, 0)
            trials = []
            for number, one in enumerate(constructed(pool, folds, {"real": 1, "synthetic": 1}, seeds=seeds)):
                rng = np.random.default_rng([study, number])
                on_fold = one.on_fold
                if k:
                    on_fold = answers(labels[folds[one.key.fold - 1].test], 1, rng)
                trials.append(replace(one, on_test=answers(labels[pool.test], 1, rng), on_fold=on_fold))
            wish = {"arms": ("real", "synthetic"), "seeds": seeds, "k_folds": k, "resamples": 40}
            config = QUICK.model_copy(update=wish)
            found += verdicts(summarised(dataset, pool, folds, config, trials)).values()
    assert len(found) == 40 and sum(one in ("helps", "harms") for one in found) <= 1
    assert sum(one == "nothing shown" for one in found) >= 0.8 * len(found)


def discordant(only_synthetic: int, only_real: int, others: Sequence[str] = ()) -> dict[str, Any]:
    """A study of three seeds on the fixed split: so many images are right with one arm alone, so many with the other.

    Where the real arm errs it is sure of it, and where the synthetic one errs it is in doubt; other arms do as the
    real one.
    """
    pool = gather(DATASET)
    labels = pool.targets[pool.test].numpy()
    rng = np.random.default_rng(0)
    images = np.arange(len(labels))
    of_truth = rng.uniform(0.6, 0.95, len(labels))
    real = np.where(images < only_synthetic, 0.02, of_truth)
    synthetic = np.where(images >= len(labels) - only_real, 0.49, of_truth)
    arms = ["real", "synthetic", *others]
    trials = []
    for one in constructed(pool, cut(pool, 0, 0), dict.fromkeys(arms, 1.0), seeds=3):
        right = synthetic if one.key.arm == "synthetic" else real
        trials.append(replace(one, on_test=np.where(np.eye(2)[labels] == 1, right[:, None], 1 - right[:, None])))
    config = QUICK.model_copy(update={"arms": tuple(arms), "seeds": 3, "k_folds": 0})
    return summarised(DATASET, pool, cut(pool, 0, 0), config, trials)


def test_holm_s_correction_decides_and_mcnemar_is_reported() -> None:
    """Nine images against one: p = 0.021; of three comparisons 0.064."""
    alone = discordant(9, 1)
    assert alone["comparisons"][0]["images"] == {
        "only_this_arm_right": 9,
        "only_the_other_right": 1,
        "p": pytest.approx(0.0215, abs=1e-4),
        "p_holm": pytest.approx(0.0215, abs=1e-4),
    }
    among = discordant(9, 1, ["real+classic", "real+synthetic"])
    one = next(one for one in among["comparisons"] if one["arm"] == "synthetic")
    assert one["images"]["p_holm"] == pytest.approx(3 * one["images"]["p"])
    effects = [alone["comparisons"][0]["effect"], one["effect"]]
    assert [effect["p_holm"] / effect["p"] for effect in effects] == pytest.approx([1, 3])
    assert (verdicts(alone)["synthetic 1"], one["verdict"]) == ("helps", "nothing shown")


def test_what_is_shown_alone_is_not_among_several() -> None:
    alone = with_differences(0.06, 0.09, 0.035, 0.07)["comparisons"][0]
    assert alone["verdict"] == "helps" and 0.01 < alone["effect"]["p"] < 0.05
    assert alone["effect"]["p_holm"] == alone["effect"]["p"]
    among = with_differences(0.06, 0.09, 0.035, 0.07, fractions=(0.1, 0.2, 0.5, 1.0, 0.05))["comparisons"]
    assert {one["verdict"] for one in among} == {"nothing shown"}
    assert among[0]["effect"]["p_holm"] == pytest.approx(5 * alone["effect"]["p"], rel=1e-6)
    assert among[0]["effect"]["detectable"] > alone["effect"]["detectable"]


# --- what the summary holds


def test_results_are_the_scores_of_the_test_split() -> None:
    pool = gather(DATASET)
    folds = cut(pool, 5, 0)
    trials = constructed(pool, folds, {"real": 1, "synthetic": 2}, fractions=(0.5, 1.0), seeds=2)
    wish = {"arms": ("real", "synthetic"), "fractions": (0.5, 1.0), "seeds": 2, "k_folds": 5, "resamples": 10}
    summary = summarised(DATASET, pool, folds, QUICK.model_copy(update=wish), trials)
    keys = [("real", 0.5), ("synthetic", 0.5), ("real", 1.0), ("synthetic", 1.0)]
    assert [(one["arm"], one["fraction"]) for one in summary["results"]] == keys
    labels = pool.targets[pool.test].numpy()
    for one in summary["results"]:
        ours = [score(labels, x.on_test) for x in trials if x.key[:2] == (one["arm"], one["fraction"])]
        assert one["trainings"] == len(ours) == 10
        for name in METRICS:
            figure = one["test"][name]
            assert figure["mean"] == pytest.approx(np.mean([x[name] for x in ours]))
            assert figure["std"] == pytest.approx(np.std([x[name] for x in ours], ddof=1))
            assert figure["interval"][0] <= figure["interval"][1]
    assert (summary["results"][0]["n_real"], summary["results"][1]["n_real"]) == (20, 0)
    assert (summary["results"][0]["n_synthetic"], summary["results"][1]["n_synthetic"]) == (0, 20)
    assert summary["comparisons"][0]["folds"]["n"] == 5
    assert len(summary["comparisons"][0]["difference_by_seed"]) == 2


def test_it_says_what_it_is_about() -> None:
    summary = summary_of({"real": 1, "synthetic": 1}, k=0, resamples=100)
    assert summary["dataset"] == {
        "name": "toys",
        "content_hash": DATASET.content_hash,
        "classes": list(DATASET.classes),
    }
    assert ClassifyConfig.model_validate(summary["options"]) == QUICK.model_copy(
        update={"k_folds": 0, "arms": ("real", "synthetic")}
    )
    assert summary["images"] == {
        "training": {"NORMAL": 80, "PNEUMONIA": 80},
        "validation": {"NORMAL": 20, "PNEUMONIA": 20},
        "test": {"NORMAL": 80, "PNEUMONIA": 80},
        "test_patients": 80,
    }
    assert summary["baseline"] == "real"


@pytest.mark.parametrize(("k", "seeds"), [(0, 1), (0, 2), (2, 1)])
def test_what_can_t_be_known_is_null_and_nothing_is_nan(k: int, seeds: int) -> None:
    summary = summary_of({"real": 1, "synthetic": 2}, k=k, seeds=seeds)
    assert all(math.isfinite(number) for number in numbers(summary))
    json.dumps(summary, allow_nan=False)
    assert (summary["results"][0]["test"]["auroc"]["std"] is None) == (max(k, 1) * seeds == 1)
    assert (summary["comparisons"][0]["folds"] is None) == (k == 0)


def test_a_class_of_one_test_patient_and_folds_without_spread_leave_nulls() -> None:
    """Every other resample has no image of the class; equal differences in all folds give no p."""
    test = DATASET.of_split("test")
    few = changed(DATASET, labels=set_at(DATASET.labels, test[2:], 0))
    few = changed(few, patients=set_at(few.patients, test[:2], "one"), labels=set_at(few.labels, test[:2], 1))
    pool = gather(few)
    folds = cut(pool, 3, 0)
    labels = pool.strata

    def sure(one: Trial) -> Trial:
        right = one.key.arm == "synthetic"
        truth = labels[folds[one.key.fold - 1].test]
        return replace(one, on_fold=np.eye(2)[truth if right else 1 - truth])

    trials = [sure(one) for one in constructed(pool, folds, {"real": 1, "synthetic": 1})]
    config = QUICK.model_copy(update={"arms": ("real", "synthetic"), "k_folds": 3})
    summary = summarised(few, pool, folds, config, trials)
    assert all(math.isfinite(number) for number in numbers(summary))
    of_folds = summary["comparisons"][0]["folds"]
    assert (of_folds["mean"], of_folds["p"], of_folds["p_holm"]) == (1, None, None)
    assert verdicts(summary) == {"synthetic 1": "nothing shown"}
    assert "p = –" in summary["comparisons"][0]["sentence"]
    assert report.rows(TASK, summary)


def test_three_classes() -> None:
    three = toy_dataset(train=240, test=120, classes=("NORMAL", "BACTERIA", "VIRUS"))
    summary = summary_of({"real": 1, "synthetic": 3}, k=4, dataset=three)
    assert verdicts(summary) == {"synthetic 1": "helps"}
    assert summary["images"]["test"] == {"NORMAL": 40, "BACTERIA": 40, "VIRUS": 40}


def test_without_the_real_arm_the_first_one_is_the_baseline() -> None:
    summary = summary_of({"real+classic": 0.5, "real+synthetic": 4, "synthetic": 0.5})
    assert summary["baseline"] == "real+classic"
    assert verdicts(summary) == {"real+synthetic 1": "helps", "synthetic 1": "nothing shown"}
    assert {one["against"] for one in summary["comparisons"]} == {"real+classic"}
    assert summary["conclusion"].startswith("Against real+classic")


def test_one_arm_is_compared_with_nothing() -> None:
    summary = summary_of({"synthetic": 1})
    assert summary["comparisons"] == [] and "nothing is compared" in summary["conclusion"]
    assert summary["results"][0]["test"]["auroc"]["mean"] > 0.5
    assert [len(row) for row in report.rows(TASK, summary)] == [len(report.columns(TASK, summary))]


# --- words


def test_the_conclusion_names_every_arm_by_what_is_shown_of_it() -> None:
    arms = {"real": 0.5, "real+classic": 5, "real+synthetic": -2, "synthetic→real": 0.5}
    conclusion = summary_of(arms)["conclusion"]
    assert "real+classic helps" in conclusion and "real+synthetic harms" in conclusion
    assert "nothing is shown for synthetic→real" in conclusion


def test_the_conclusion_names_fractions_that_differ() -> None:
    pool = gather(DATASET)
    folds = cut(pool, 5, 0)
    few = constructed(pool, folds, {"real": 0.5, "synthetic": 4}, fractions=(0.05,))
    all_ = constructed(pool, folds, {"real": 1, "synthetic": 1}, fractions=(1.0,))
    config = QUICK.model_copy(
        update={"arms": ("real", "synthetic"), "fractions": (0.05, 1.0), "k_folds": 5, "resamples": 40}
    )
    summary = summarised(DATASET, pool, folds, config, [*few, *all_])
    assert verdicts(summary) == {"synthetic 0.05": "helps", "synthetic 1": "nothing shown"}
    assert "synthetic at 5 % helps" in summary["conclusion"]
    assert "synthetic at 100 %" in summary["conclusion"]


def test_a_sentence_holds_the_verdict_s_evidence_first() -> None:
    (one,) = summary_of({"real": 1, "synthetic": 3})["comparisons"]
    said, besides = one["sentence"].split(" Besides: ")
    effect = one["effect"]
    for figure in (effect["mean"], *effect["interval"]):
        assert f"{figure:+.3f}" in said
    for words in ("synthetic against real", "100 %", "helps.", "over patients and trainings", "Holm"):
        assert words in said
    assert f"a true difference of {effect['detectable']:.3f} would be found in 80 % of such studies" in said
    for figure in (*one["difference"]["auroc"]["interval"], one["folds"]["mean"]):
        assert f"{figure:+.3f}" in besides
    for words in ("5 left-out folds", "McNemar", "Holm", "of these very networks", "over patients alone"):
        assert words in besides
    (one,) = summary_of({"real": 1, "synthetic": 0.2}, k=0, seeds=3)["comparisons"]
    assert all(f"{abs(figure):.3f}" in one["sentence"] for figure in one["difference_by_seed"])
    assert "−" in one["sentence"] and "-0." not in one["sentence"] and "folds" not in one["sentence"]


def test_with_one_training_there_is_no_interval_to_show() -> None:
    (one,) = summary_of({"real": 1, "synthetic": 3}, k=0)["comparisons"]
    assert one["effect"] | {"mean": 0} == {
        "mean": 0,
        "interval": [None, None],
        "trainings": 1,
        "p": None,
        "p_holm": None,
        "detectable": None,
    }
    assert "can't tell. AUROC +" in one["sentence"] and "80 %" not in one["sentence"]


def test_synthetic_images_beside_classic_augmentation_are_held_against_it() -> None:
    strengths = {"real": 0.5, "real+classic": 2.5, "real+classic+synthetic": 2.5}
    summary = summary_of(strengths, k=0, seeds=3)
    against = {one["arm"]: one["against"] for one in summary["comparisons"]}
    assert against == {"real+classic": "real", "real+classic+synthetic": "real+classic"}
    (classic, both) = summary["comparisons"]
    assert classic["difference"]["auroc"]["mean"] > 0.1 and both["difference"]["auroc"]["mean"] == 0
    assert summary["conclusion"].count("Against ") == 2
    assert "Against real+classic: nothing is shown for real+classic+synthetic." in summary["conclusion"]
    assert report.rows(TASK, summary)[2][-1] == "nothing shown (against real+classic)"


def test_where_both_arms_guess_none_helps_or_harms() -> None:
    """One guesses worse than the other, for sure: that is no gain."""
    (one,) = summary_of({"real": -3, "synthetic": -0.5})["comparisons"]
    assert one["effect"]["mean"] > 0.1 and one["effect"]["p_holm"] < 0.05 and one["verdict"] == "nothing shown"
    assert "both do no better than guessing, so that it means nothing" in one["sentence"]
    (one,) = summary_of({"real": -3, "synthetic": 3})["comparisons"]
    assert one["verdict"] == "helps" and "guessing" not in one["sentence"]


def test_the_table_has_a_row_an_arm_and_fraction() -> None:
    summary = summary_of({"real": 1, "synthetic": 0.2})
    real, synthetic = report.rows(TASK, summary)
    columns = report.columns(TASK, summary)
    assert len(real) == len(synthetic) == len(columns) and columns[0] == "arm"
    figure, effect = summary["results"][1]["test"]["auroc"], summary["comparisons"][0]["effect"]
    assert real[0] == "real" and real[-1] == ""
    assert synthetic[1] == f"{figure['mean']:.3f}" and "harms" in synthetic[-1]
    assert f"−{-effect['mean']:.3f}" in synthetic
    several = summary_of({"real": 1, "synthetic": 1}, fractions=(0.05, 1.0))
    assert [row[:2] for row in report.rows(TASK, several)] == [
        ["5 %", "real"],
        ["5 %", "synthetic"],
        ["100 %", "real"],
        ["100 %", "synthetic"],
    ]
    assert len(report.columns(TASK, several)) == len(columns) + 1
    assert "+0.000" in report.rows(TASK, several)[1], "nothing has no sign of its own"
