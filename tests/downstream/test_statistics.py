"""The tests behind a verdict: published examples, other libraries, and how often they err where the truth is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC
from statsmodels.stats import contingency_tables

from xrgan.downstream.classification.metrics import METRICS, score_or_nan
from xrgan.downstream.folds import Indices
from xrgan.downstream.statistics import (
    EffectTest,
    McNemar,
    TTest,
    Wilcoxon,
    bootstrap,
    corrected_t_test,
    effect_test,
    holm,
    interval,
    logit_interval,
    mcnemar,
    mean_and_std,
    newcombe_interval,
    wilcoxon,
)

pytestmark = pytest.mark.slow


def test_corrected_t_test_of_scikit_learns_documentation() -> None:
    """ "Statistical comparison of models using grid search" prints t = 0.750, one-sided p = 0.227."""
    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    test = corrected_t_test(rbf - linear, test_to_training=10 / 90)
    assert test.degrees == 99
    assert test.statistic == pytest.approx(0.750, abs=0.0005)
    assert test.p / 2 == pytest.approx(0.227, abs=0.0005)


def test_corrected_t_test_by_hand() -> None:
    # mean 2, s² = (4 + 0 + 4) / 2 = 4; error² = 4 (1/3 + 1/2) = 10/3; t(0.975, 2) = 4.302653
    error = math.sqrt(10 / 3)
    test = corrected_t_test(np.array([0.0, 2.0, 4.0]), 0.5)
    assert (test.mean, test.degrees) == (2, 2)
    assert test.statistic == pytest.approx(2 / error)
    assert test.interval == pytest.approx((2 - 4.302653 * error, 2 + 4.302653 * error), abs=1e-5)
    assert test.p == pytest.approx(1 - (2 / error) / math.sqrt(2 + (2 / error) ** 2))  # two degrees: in closed form


@pytest.mark.parametrize("n", [2, 5, 30])
def test_it_is_the_paired_t_test_where_nothing_overlaps(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(0.02, 0.03, n), rng.normal(0, 0.03, n)
    ours, scipys = corrected_t_test(a - b, 0), stats.ttest_rel(a, b)
    assert (ours.statistic, ours.p) == pytest.approx((scipys.statistic, scipys.pvalue), rel=1e-9)
    assert ours.interval == pytest.approx(tuple(scipys.confidence_interval(0.95)), rel=1e-9)
    assert ours.degrees == scipys.df


def test_the_correction_keeps_its_word_where_folds_share_images() -> None:
    """Differences that correlate by ρ have the variance that the correction assumes for ρ / (1 − ρ): p is exact."""
    rng, folds, correlation = np.random.default_rng(0), 10, 0.2
    common, own = rng.normal(size=(3000, 1)), rng.normal(size=(3000, folds))
    differences = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * own
    tests = [corrected_t_test(row, correlation / (1 - correlation)) for row in differences]
    false_alarms = np.mean([test.p < 0.05 for test in tests])
    assert 0.04 < false_alarms < 0.06
    assert np.mean([not test.interval[0] <= 0 <= test.interval[1] for test in tests]) == pytest.approx(false_alarms)
    assert np.mean([corrected_t_test(row, 0).p < 0.05 for row in differences]) > 0.2  # the plain test


def test_differences_without_spread() -> None:
    assert corrected_t_test(np.zeros(5), 0.25) == TTest(0, (0, 0), 0, 4, 1)
    assert corrected_t_test(np.array([0.1, 0.2]) + 0.2 - np.array([0.3, 0.4]), 0.25) == TTest(0, (0, 0), 0, 1, 1)
    same = corrected_t_test(np.array([0.3, 0.4, 0.8]) - np.array([0.2, 0.3, 0.7]), 0.25)  # 0.1 but for round-off
    assert same.mean == pytest.approx(0.1)
    assert math.isnan(same.p) and math.isnan(same.statistic) and all(map(math.isnan, same.interval))


@pytest.mark.parametrize("differences", [[0.1], [0.1, math.nan], []])
def test_a_t_test_needs_two_figures(differences: list[float]) -> None:
    with pytest.raises(AssertionError):
        corrected_t_test(np.array(differences), 0.25)


def pairs(both: int, only_a: int, only_b: int, neither: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    counts = [both, only_a, only_b, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


def test_mcnemar_of_the_presidents_approval() -> None:
    """Agresti 1990, page 350; the exact p is that of R's binom.test(150, 236) and exact2x2."""
    test = mcnemar(*pairs(794, 150, 86, 570))
    assert (test.only_a, test.only_b) == (150, 86)
    assert test.p == pytest.approx(3.716e-05, rel=1e-4)


@pytest.mark.parametrize(("only_a", "only_b"), [(9, 2), (2, 9), (1, 0), (5, 5), (0, 12), (40, 61)])
def test_mcnemar_against_statsmodels_and_the_binomial_test(only_a: int, only_b: int) -> None:
    both = 21
    test = mcnemar(*pairs(both, only_a, only_b, 12))
    theirs = contingency_tables.mcnemar([[both, only_a], [only_b, 12]], exact=True).pvalue
    assert test == McNemar(only_a, only_b, pytest.approx(theirs))
    assert test.p == pytest.approx(stats.binomtest(only_a, only_a + only_b).pvalue)


def test_mcnemar_with_nothing_to_tell_them_apart() -> None:
    assert mcnemar(*pairs(7, 0, 0, 3)) == McNemar(0, 0, 1)


def test_mcnemar_refuses_what_is_no_truth_value() -> None:
    with pytest.raises(AssertionError):
        mcnemar(np.array([1, 0]), np.array([1, 1]))  # type: ignore[arg-type]


def test_holm_by_hand() -> None:
    # 4 × .005, 3 × .01, 2 × .03, and .04 no lower than that
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_a_test_that_could_not_be_done_counts_as_one_of_them() -> None:
    assert holm([math.nan, 0.01, 0.04]) == pytest.approx([math.nan, 0.03, 0.08], nan_ok=True)


PATIENTS = np.array(["p7", "p1", "p7", "p3", "p1", "p7"])


def times(indices: Indices) -> NDArray[np.float64]:
    """How often each of the images above is in a resample."""
    return np.bincount(indices, minlength=len(PATIENTS)).astype(np.float64)


def test_a_resample_is_of_whole_patients() -> None:
    drawn = bootstrap(PATIENTS, times, resamples=400, seed=0)
    assert drawn.shape == (400, 6)
    for row in drawn:
        p7, p1, p3 = row[0], row[1], row[3]
        assert row.tolist() == [p7, p1, p7, p3, p1, p7]
        assert p7 + p1 + p3 == 3
    assert drawn.max() == 3  # with replacement
    assert drawn.mean(axis=0) == pytest.approx(np.ones(6), abs=0.15)  # each as likely as the others


def test_the_seed_alone_decides_who_is_drawn() -> None:
    first = bootstrap(PATIENTS, times, 20, seed=1)
    numbers = np.unique(PATIENTS, return_inverse=True)[1]
    assert bootstrap(numbers, times, 20, seed=1).tolist() == first.tolist()
    assert bootstrap(PATIENTS, lambda i: times(i) * 2, 20, seed=1).tolist() == (2 * first).tolist()
    assert bootstrap(PATIENTS, times, 20, seed=2).tolist() != first.tolist()


def test_a_resample_without_a_class_has_no_figures() -> None:
    labels = np.array([0, 1, 0, 0, 1, 0])  # p1 alone has class 1
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7], [0.6, 0.4], [0.8, 0.2]])
    figures = bootstrap(PATIENTS, lambda i: score_or_nan(labels[i], probabilities[i]), 300, seed=0)
    assert figures.shape == (300, len(METRICS))
    drawn = bootstrap(PATIENTS, times, 300, seed=0)
    one_class = (drawn[:, 1] == 0) | (drawn[:, 1] == 3)
    assert 0 < one_class.sum() < 300
    assert np.isnan(figures).all(axis=1).tolist() == np.isnan(figures).any(axis=1).tolist() == one_class.tolist()


def test_interval_is_of_what_is_defined() -> None:
    samples = np.arange(101.0)
    assert interval(samples) == pytest.approx((2.5, 97.5))
    assert interval(np.concatenate([samples, np.full(101, np.nan)])) == pytest.approx((2.5, 97.5))
    assert all(map(math.isnan, interval(np.concatenate([samples, np.full(102, np.nan)]))))


def test_an_auroc_of_few_patients_has_an_interval_that_holds_the_truth() -> None:
    """True AUROC 0.9, 12 ill ones of 60: of 200 such test splits."""
    held = {"percentiles": 0, "logit": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        ill, well = rng.normal(np.sqrt(2) * stats.norm.ppf(0.9), 1, 12), rng.normal(size=48)
        above = (ill[:, None] > well).astype(float)
        of_ill, of_well = np.split(rng.multinomial(60, np.full(60, 1 / 60), 300), [12], axis=1)
        samples = ((of_ill @ above) * of_well).sum(axis=1) / (of_ill.sum(axis=1) * of_well.sum(axis=1))
        for name, (low, high) in (
            ("percentiles", interval(samples)),
            ("logit", logit_interval(float(above.mean()), samples, 60, 12)),
        ):
            held[name] += low <= 0.9 <= high
    assert held["percentiles"] / 200 < 0.92 <= held["logit"] / 200 <= 0.99


def test_the_logit_interval_stays_in_the_range_and_holds_the_figure() -> None:
    samples = np.clip(np.random.default_rng(0).normal(0.98, 0.02, 500), 0, 1)
    low, high = logit_interval(0.99, samples, 20, 5)
    assert 0 < low < 0.95 and 0.99 <= high < 1
    assert all(map(math.isnan, logit_interval(math.nan, np.full(50, math.nan), 20, 5)))


def test_a_perfect_auroc_of_few_patients_may_be_luck() -> None:
    low, high = logit_interval(1.0, np.ones(50), 30, 6)
    assert 0.6 < low < 0.9 and high == 1
    assert (low, high) == pytest.approx(newcombe_interval(1.0, 6, 24), abs=1e-9)
    assert logit_interval(1.0, np.ones(50), 3000, 600)[0] > 0.99


@given(st.floats(0, 1), st.integers(1, 300), st.integers(1, 300))
def test_newcombes_interval_solves_his_equation(value: float, ill: int, well: int) -> None:
    ends = newcombe_interval(value, ill, well)
    assert 0 <= ends[0] <= value <= ends[1] <= 1
    mirrored = newcombe_interval(1 - value, well, ill)
    assert ends == pytest.approx((1 - mirrored[1], 1 - mirrored[0]), abs=1e-6)
    for true in ends:  # Hanley and McNeil 1982, as Newcombe has their variance
        pairs = (ill + well) / 2 - 1
        spread = 1 + pairs * (1 - true) / (2 - true) + pairs * true / (1 + true)
        assert value - true == pytest.approx(
            np.sign(value - true) * 1.959964 * math.sqrt(true * (1 - true) * spread / (ill * well)), abs=1e-6
        )


def clustered(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Patients and right answers of 60 patients with 1 to 8 images each; a patient's are mostly all right or wrong."""
    patients = np.repeat(np.arange(60), rng.integers(1, 9, 60))
    ease = rng.beta(0.7, 0.3, 60)  # mean 0.7 = the true accuracy
    return patients, rng.random(len(patients)) < ease[patients]


def coverage(group: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> float:
    """How often the 95 % interval of the accuracy holds the truth."""
    rng, held = np.random.default_rng(5), 0
    for seed in range(400):
        patients, right = clustered(rng)
        samples = bootstrap(group(patients), lambda i, right=right: right[i].mean(keepdims=True), 250, seed)
        low, high = interval(samples[:, 0])
        held += low <= 0.7 <= high
    return held / 400


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    assert 0.90 <= coverage(lambda patients: patients) <= 0.98


def test_images_drawn_one_by_one_would_promise_too_much() -> None:
    assert coverage(lambda patients: np.arange(len(patients))) < 0.8


def test_wilcoxons_own_example() -> None:
    """Darwin's maize, crossed against self-fertilised, in the documentation of R's and SciPy's functions: p = 0.041."""
    differences = np.array([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]) / 8
    test = wilcoxon(differences)
    assert (test.better, test.worse) == (13, 2)
    assert test.p == pytest.approx(0.041260, abs=5e-7)
    assert test.lean == pytest.approx((96 - 24) / 120)  # rank sums


def test_wilcoxon_by_hand() -> None:
    assert wilcoxon(np.array([0.1, 0.2, 0.3, 0.4, 0.5])) == Wilcoxon(5, 0, 1.0, 2 / 2**5)  # of 32 sign patterns two
    assert wilcoxon(np.zeros(9)) == Wilcoxon(0, 0, 0.0, 1.0)
    assert wilcoxon(np.array([0.0, 0.25])) == Wilcoxon(1, 0, 1.0, 1.0)  # a single one shows nothing


def test_wilcoxon_turns_with_the_sign_and_takes_round_off_for_nothing() -> None:
    differences = np.random.default_rng(0).normal(0.02, 0.1, 80)
    one, other = wilcoxon(differences), wilcoxon(-differences)
    assert (one.better, one.worse, one.p) == (other.worse, other.better, pytest.approx(other.p))
    assert one.lean == pytest.approx(-other.lean)
    assert wilcoxon(np.full(30, 1e-16)) == Wilcoxon(0, 0, 0.0, 1.0)
    assert wilcoxon(np.append(differences, 1e-15)) == one


def test_wilcoxon_errs_in_one_of_twenty_where_nothing_is() -> None:
    rng = np.random.default_rng(1)
    found = [wilcoxon(rng.normal(0, 1, 24)).p < 0.05 for _ in range(1000)]
    assert np.mean(found) == pytest.approx(0.05, abs=0.02)


def test_the_deviation_is_that_of_a_sample() -> None:
    assert mean_and_std([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(math.sqrt(2))}


# --- trainings and patients


def test_without_patients_chance_it_is_the_t_test_of_the_trainings() -> None:
    differences = np.array([0.095, 0.022, 0.035])
    test = effect_test(differences, np.full(100, differences.mean()), patients=50)
    expected = stats.ttest_1samp(differences, 0)
    assert test.p == pytest.approx(expected.pvalue, rel=1e-6) and test.trainings == 3
    assert test.interval == pytest.approx(tuple(expected.confidence_interval()))


def test_without_chance_in_training_it_is_the_t_test_over_patients() -> None:
    over_patients = 0.03 + 0.01 * stats.norm.ppf((np.arange(1000) + 0.5) / 1000)
    test = effect_test(np.full(3, 0.03), over_patients, patients=40)
    error = over_patients.std()
    assert test.p == pytest.approx(2 * stats.t.sf(0.03 / error, 39), rel=1e-6)


def test_folds_that_share_images_are_corrected_as_in_the_corrected_t_test() -> None:
    differences = np.array([0.01, 0.05, 0.03, 0.02, 0.06])
    test = effect_test(differences, np.full(100, differences.mean()), patients=50, shared=0.25)
    expected = corrected_t_test(differences, 0.25)
    assert test.p == pytest.approx(expected.p, rel=1e-6) and test.interval == pytest.approx(expected.interval)


@pytest.mark.parametrize("ratio", [0.0, 0.3, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("trainings", [3, 5])
def test_the_effect_test_keeps_its_level_at_any_ratio_of_variances(trainings: int, ratio: float) -> None:
    """Over patients as they are: in truth 30 of them, whose mean has a deviation of 1; trainings vary by `ratio`."""
    rng, found, studies = np.random.default_rng(0), 0, 1500
    for _ in range(studies):
        patients = rng.normal(0, np.sqrt(30), 30)
        differences = patients.mean() + rng.normal(0, ratio, trainings)
        spread = patients.std(ddof=1) / np.sqrt(30)
        test = effect_test(differences, np.array([-spread, spread]) + differences.mean(), patients=30)
        found += test.p < 0.05
    assert found / studies < 0.05 + 2 * np.sqrt(0.05 * 0.95 / studies)
    assert found / studies > 0.01, "and isn't useless"


def test_a_difference_that_is_detectable_is_found_in_four_of_five_studies() -> None:
    rng = np.random.default_rng(1)
    over_patients = np.array([-0.01, 0.01])

    def study(effect: float) -> EffectTest:
        differences = effect + rng.normal(0, 0.01) + rng.normal(0, 0.02, 10)
        return effect_test(differences, over_patients + differences.mean(), patients=200)

    detectable = np.median([study(0).detectable for _ in range(300)])
    assert 0.03 < detectable < 0.06
    assert 0.7 < np.mean([study(float(detectable)).p < 0.05 for _ in range(500)]) < 0.95


def test_what_can_t_be_told_is_nan_and_what_doesn_t_differ_is_one() -> None:
    nothing = effect_test(np.zeros(3), np.zeros(50), patients=10)
    assert (nothing.p, nothing.interval, nothing.detectable) == (1.0, (0.0, 0.0), 0.0)
    for differences, samples, patients in (
        (np.array([0.1]), np.ones(50), 10),
        (np.ones(3), np.full(50, np.nan), 10),
        (np.ones(3), np.ones(50), 1),
        (np.full(3, 0.1), np.full(50, 0.1), 10),  # nothing to hold it against
    ):
        assert math.isnan(effect_test(differences, samples, patients).p)
