"""Arms beside one another, from answers whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from tests.downstream.blobs import QUICK, constructed, results_of, toy_dataset
from xrgan.downstream import comparison
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.metrics import METRICS, auroc, score
from xrgan.downstream.classification.task import LEADING, Classification, together
from xrgan.downstream.comparison import ArmComparison, compare, left_out_ratio
from xrgan.downstream.folds import Fold
from xrgan.downstream.statistics import corrected_t_test, interval
from xrgan.downstream.trial import ArmKey, Floats, Trial, by_arm

POOL = gather(toy_dataset(train=120, test=100))
LABELS = POOL.strata
OWN = cut(POOL, 0, 0)
FIVE = cut(POOL, 5, 0)


def resample(trials: list[Trial], folds: list[Fold] = OWN, resamples: int = 30) -> dict[ArmKey, Floats]:
    task = Classification(QUICK.model_copy(update={"resamples": resamples}))
    return comparison.resample(task, results_of(POOL, folds, trials))


def compared(
    trials: list[Trial], folds: list[Fold], baseline: str = "real", test_to_training: float = 0.3
) -> list[ArmComparison]:
    """Args: test_to_training: left-out images per image learned from."""
    task, results = Classification(QUICK), results_of(POOL, folds, trials)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "left_out_ratio", lambda _: test_to_training)
        return compare(task, results, resample(trials, folds), baseline)


def test_differences_are_of_the_test_split_mean_over_trainings() -> None:
    trials = constructed(POOL, OWN, {"real": 1, "synthetic": 0.5}, seeds=3)
    (one,) = compared(trials, OWN)
    assert (one.arm, one.baseline, one.fraction, one.folds) == ("synthetic", "real", 1.0, None)
    labels = LABELS[POOL.test]
    ours, theirs = ([score(labels, x.on_test) for x in trials if x.key.arm == arm] for arm in ("synthetic", "real"))
    for name in METRICS:
        expected = [a[name] - b[name] for a, b in zip(ours, theirs, strict=True)]
        assert one.difference[name] == pytest.approx(np.mean(expected), abs=1e-12)
    by_seed = [a[LEADING] - b[LEADING] for a, b in zip(ours, theirs, strict=True)]
    assert one.by_seed == pytest.approx(by_seed)
    assert one.difference[LEADING] < 0 and one.interval[LEADING][0] < one.difference[LEADING] < one.interval[LEADING][1]


def test_equal_arms_differ_by_nothing_whoever_the_patients_are() -> None:
    """Because both are scored on the same resamples; each by itself, its interval is wide."""
    trials = constructed(POOL, FIVE, {"real": 1, "synthetic": 1})
    samples = resample(trials, FIVE)
    (one,) = compared(trials, FIVE)
    for name, k in zip(METRICS, range(len(METRICS)), strict=True):
        assert one.difference[name] == 0 and one.interval[name] == (0, 0)
        low, high = interval(samples["real", 1.0][:, k])
        assert high - low > 0.01
    assert one.folds and (one.folds.mean, one.folds.p, one.folds_holm) == (0, 1, 1)
    assert (one.paired.wins, one.paired.losses, one.paired.p, one.paired_holm) == (0, 0, 1, 1)
    assert one.by_seed == (0,)


def test_the_folds_test_has_one_value_per_fold() -> None:
    trials = constructed(POOL, FIVE, {"real": 1, "synthetic": 1}, {"real": 2, "synthetic": 1}, seeds=3)
    (one,) = compared(trials, FIVE, test_to_training=0.3)
    gains = []
    for fold in FIVE:
        ours, theirs = (
            np.mean([auroc(LABELS[fold.test], x.on_fold) for x in trials if x.key[:3] == (arm, 1.0, fold.number)])
            for arm in ("synthetic", "real")
        )
        gains.append(ours - theirs)
    expected = corrected_t_test(np.array(gains), 0.3)
    assert one.folds and one.folds.degrees == 4
    assert (one.folds.mean, one.folds.p) == (pytest.approx(expected.mean), pytest.approx(expected.p))
    assert one.difference[LEADING] == 0, "the test split says otherwise, and is not asked"


def test_mcnemar_counts_images_by_the_mean_over_trainings() -> None:
    labels = LABELS[POOL.test]
    right, wrong = np.eye(2)[labels] * 0.8 + 0.1, np.eye(2)[1 - labels] * 0.8 + 0.1
    unsure = np.where(np.eye(2)[labels] == 1, 0.45, 0.55)
    base = constructed(POOL, OWN, {"real": 1, "synthetic": 1}, seeds=2)
    answer = {("real", 1): right, ("real", 2): unsure, ("synthetic", 1): right.copy(), ("synthetic", 2): unsure.copy()}
    answer["synthetic", 1][:7] = wrong[:7]
    answer["real", 1][7:9] = wrong[7:9]
    trials = [replace(one, on_test=answer[one.key.arm, one.key.seed]) for one in base]
    (one,) = compared(trials, OWN)
    assert (one.paired.wins, one.paired.losses) == (2, 7)
    ones = by_arm(trials)["real", 1.0]
    assert np.allclose(together([one.on_test for one in ones]), (answer["real", 1] + answer["real", 2]) / 2)


@pytest.mark.slow
def test_arms_are_compared_with_the_baseline_at_their_fraction() -> None:
    arms = {"real": 1, "real+classic": 1.5, "synthetic": 0.5}
    trials = constructed(POOL, FIVE, arms, fractions=(0.1, 1.0))
    made = compared(trials, FIVE)
    assert [(one.arm, one.fraction) for one in made] == [
        ("real+classic", 0.1),
        ("synthetic", 0.1),
        ("real+classic", 1.0),
        ("synthetic", 1.0),
    ]
    alone = compared([one for one in trials if one.key.fraction == 0.1], FIVE)
    for one, same in zip(made, alone, strict=False):
        assert one.difference == same.difference and one.folds == same.folds and one.paired == same.paired
    others = compared(trials, FIVE, baseline="real+classic")
    assert others[0].difference[LEADING] == pytest.approx(-made[0].difference[LEADING])


@pytest.mark.slow
def test_holm_counts_every_comparison_for_each_kind_of_test() -> None:
    arms = {"real": 1, "real+classic": 1.6, "real+synthetic": 1.2, "synthetic": 0.6}
    trials = constructed(POOL, FIVE, arms, fractions=(0.1, 1.0))
    made = compared(trials, FIVE)
    assert len(made) == 6
    for p, adjusted in (
        ([one.folds.p for one in made if one.folds], [one.folds_holm for one in made]),
        ([one.paired.p for one in made], [one.paired_holm for one in made]),
    ):
        np.testing.assert_allclose(adjusted, multipletests(p, method="holm")[1])
        assert min(adjusted) == pytest.approx(min(1, 6 * min(p)))
        assert any(a > b for a, b in zip(adjusted, p, strict=True))
    pair = [one for one in trials if one.key.fraction == 1 and one.key.arm in ("real", "synthetic")]
    (alone,) = compared(pair, FIVE)
    assert alone.folds and alone.folds_holm == alone.folds.p and alone.paired_holm == alone.paired.p


def test_the_bootstrap_draws_patients_not_images() -> None:
    """Of two images a patient, both always come: as many hits, twice."""
    labels = LABELS[POOL.test]
    (trial,) = constructed(POOL, OWN, {"real": 1})
    by_patient = np.where(np.arange(len(labels)) // 2 % 3 == 0, 1 - labels, labels)  # a third of the patients wrong
    trial = replace(trial, on_test=np.eye(2)[by_patient])
    samples = resample([trial], OWN, 400)["real", 1.0]
    accuracy = samples[:, list(METRICS).index("accuracy")]
    assert accuracy.std() == pytest.approx(np.sqrt(2 / 9 / 50), rel=0.15), "50 patients, not 100 images"


def test_what_is_left_out_is_counted_per_image_learned_from() -> None:
    ratios = [len(fold.test) / len(fold.training) for fold in FIVE]
    assert left_out_ratio(FIVE) == pytest.approx(np.mean(ratios)) and 0.2 < left_out_ratio(FIVE) < 0.4


def test_folds_or_seeds_are_the_trainings_of_the_effect_test() -> None:
    arms = {"real": 1, "synthetic": 0.5}
    (one,) = compared(constructed(POOL, FIVE, arms, seeds=2), FIVE, test_to_training=0.3)
    assert one.effect.trainings == 5 and one.effect.mean == pytest.approx(one.difference[LEADING])
    (own,) = compared(constructed(POOL, OWN, arms, seeds=3), OWN)
    assert own.effect.trainings == 3 and own.effect.mean == pytest.approx(np.mean(own.by_seed))
    low, high = own.effect.interval
    assert low < own.interval[LEADING][0] and own.interval[LEADING][1] < high, "wider than over patients alone"


def test_images_that_folds_share_make_their_agreement_worth_less() -> None:
    trials = constructed(POOL, FIVE, {"real": 1, "synthetic": 0.5})
    (alone,), (shared,) = (compared(trials, FIVE, test_to_training=ratio) for ratio in (0.0, 1.0))
    assert shared.effect.p > alone.effect.p and shared.effect.detectable > alone.effect.detectable


def test_every_comparison_of_the_study_counts_for_the_verdict_s_test() -> None:
    trials = constructed(POOL, FIVE, {"real": 1, "real+classic": 1.4, "real+synthetic": 1.2, "synthetic": 0.6})
    made = compared(trials, FIVE)
    np.testing.assert_allclose(
        [one.effect_holm for one in made], multipletests([one.effect.p for one in made], method="holm")[1]
    )
