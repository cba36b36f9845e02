"""What paired scores and paired predictions show beyond chance: pure functions, a library's test where there is one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats
from statsmodels.stats import contingency_tables, multitest

from xrgan.downstream.folds import Indices

CONFIDENCE = 0.95
POWER = 0.8
LEAST_P = 1e-12
EDGE = 1e-12  # how near to 0 or 1 the true AUROC of a perfect one is looked for
ROUND_OFF = 1e-12  # equal differences of scores in [0, 2] may differ by this much


@dataclass(frozen=True)
class TTest:
    mean: float
    interval: tuple[float, float]  # 95 %, of the mean
    statistic: float
    degrees: int
    p: float  # two-sided


@dataclass(frozen=True)
class McNemar:
    only_a: int  # images that A alone gets right
    only_b: int
    p: float  # two-sided


@dataclass(frozen=True)
class Wilcoxon:
    better: int  # patients with a positive difference
    worse: int
    lean: float  # rank-biserial correlation, in [-1, 1]: all ranks on the positive side = 1
    p: float  # two-sided


@dataclass(frozen=True)
class EffectTest:
    """A mean difference with what two sources of chance may add to it: other trainings and other patients."""

    mean: float
    interval: tuple[float, float]  # 95 %; NaN with a single training
    trainings: int
    p: float  # two-sided
    detectable: float  # the least true difference that such a study finds four times out of five


def effect_test(
    differences: NDArray[np.float64],
    over_patients: NDArray[np.float64],
    patients: int,
    shared: float = 0.0,
    tests: int = 1,
) -> EffectTest:
    """Is a mean difference 0, had other patients been in the test split and had the networks been trained anew?

    Two variances add up: that of the mean over trainings, s² (1 / J + shared) with J − 1 degrees of freedom (Nadeau &
    Bengio 2003 where trainings are folds that share their images), and that over patients, from a bootstrap. Neither
    alone says whether a method helps: the networks at hand may differ by their seeds. A difference is significant
    where its square exceeds t₁² V₁ + t₂² V₂, each variance with the quantile of its own degrees of freedom: whatever
    the ratio of the two, that errs in no more than the stated share of cases (Banerjee 1961, Sankhyā A 23:359). What
    patients and trainings do together is in both variances, which makes the test a little stricter still.

    Args:
        differences: (J,) of the same test images, one per seed, or per fold (mean over its seeds).
        over_patients: (R,) bootstrap samples of their mean; NaN where it isn't defined.
        patients: that were drawn from.
        shared: images left out per image learned from, where trainings are folds; 0 = seeds of one split.
        tests: in the study; `detectable` minds them all (Bonferroni).
    """
    mean, trainings = float(np.mean(differences)), len(differences)
    if trainings < 2 or patients < 2 or 2 * np.isnan(over_patients).sum() > len(over_patients):
        return EffectTest(mean, (math.nan, math.nan), trainings, math.nan, math.nan)
    variances = np.array([np.var(differences, ddof=1) * (1 / trainings + shared), np.nanvar(over_patients)])
    variances[variances < ROUND_OFF**2] = 0
    degrees = np.array([trainings - 1, patients - 1])

    def margin(level: float) -> float:
        return float(np.sqrt(stats.t.isf(level / 2, degrees) ** 2 @ variances))

    margin_95 = margin(1 - CONFIDENCE)
    detectable = margin((1 - CONFIDENCE) / tests) + float(stats.norm.ppf(POWER)) * math.sqrt(variances.sum())
    return EffectTest(mean, (mean - margin_95, mean + margin_95), trainings, _level_of(abs(mean), margin), detectable)


def _level_of(difference: float, margin: Callable[[float], float]) -> float:
    """The level at which a margin, which falls with it, is just the difference: a p-value."""
    if difference <= ROUND_OFF:
        return 1.0
    if margin(LEAST_P) == 0:
        return math.nan  # nothing to hold it against
    if margin(LEAST_P) < difference:
        return LEAST_P
    return float(optimize.brentq(lambda level: margin(level) - difference, LEAST_P, 1.0))


def corrected_t_test(differences: NDArray[np.float64], test_to_training: float) -> TTest:
    """Is the mean of paired differences 0? The corrected resampled t-test of Nadeau & Bengio 2003.

    Classifiers trained on overlapping folds are no independent trials: the variance of their mean is not s² / J but
    s² (1 / J + n_test / n_training), J − 1 degrees of freedom (doi:10.1023/A:1024068626366).

    Without spread there is nothing to hold a difference against. Differences that are all 0 get p = 1. Differences
    that all have one other value get their mean and NaN for the rest: the formula's p = 0 would claim certainty just
    because so few or so coarse figures happened to agree.

    Args:
        differences: (J,) one a resample (fold, repetition), J ≥ 2.
        test_to_training: n_test / n_training of a resample; 0 is the plain paired t-test.
    """
    assert len(differences) >= 2 and test_to_training >= 0 and np.isfinite(differences).all()
    mean, degrees = float(np.mean(differences)), len(differences) - 1
    if np.abs(differences).max() <= ROUND_OFF:
        return TTest(0.0, (0.0, 0.0), 0.0, degrees, 1.0)
    if np.ptp(differences) <= ROUND_OFF:
        return TTest(mean, (math.nan, math.nan), math.nan, degrees, math.nan)
    error = float(np.std(differences, ddof=1)) * math.sqrt(1 / len(differences) + test_to_training)
    low, high = stats.t.interval(CONFIDENCE, degrees, loc=mean, scale=error)
    p = 2 * stats.t.sf(abs(mean / error), degrees)
    return TTest(mean, (float(low), float(high)), mean / error, degrees, float(p))


def mcnemar(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> McNemar:
    """Do two classifiers get equally many of the same images right? McNemar's exact (binomial) test.

    Only images that one of them alone gets right count; without any p = 1. It takes images for independent: where
    patients have several, p is too small.

    Args:
        right_a: (N,) whether A gets each image right; `right_b` the same of B.
    """
    assert right_a.dtype == right_b.dtype == np.bool_ and right_a.shape == right_b.shape
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    test = contingency_tables.mcnemar([[0, only_a], [only_b, 0]], exact=True)  # the diagonal doesn't matter
    return McNemar(only_a, only_b, float(test.pvalue))


def wilcoxon(differences: NDArray[np.float64]) -> Wilcoxon:
    """Do paired scores of the same patients lean to one side? Wilcoxon's signed-rank test of their differences A − B.

    `scipy.stats.wilcoxon`: exact for up to 50 differences without ties, with ties by all changes of sign for up to 13;
    else by the normal approximation. Differences of 0 say nothing and are left out; without any other p = 1. It asks
    about the ranks of the differences, not about their mean.

    Args:
        differences: (N,) one a patient: patients are independent, images of one are not.
    """
    differences = np.round(differences, 12)  # equal ones may differ by what summing up does
    told = differences[differences != 0]
    better, worse = int((told > 0).sum()), int((told < 0).sum())
    if not len(told):
        return Wilcoxon(better, worse, 0.0, 1.0)
    ranks = stats.rankdata(np.abs(told))
    lean = float((ranks * np.sign(told)).sum() / ranks.sum())
    return Wilcoxon(better, worse, lean, float(stats.wilcoxon(told).pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p of each of several tests (Holm 1979): below 0.05 = significant with all of them in mind.

    A test that couldn't be done (NaN) stays NaN and counts as one of them.
    """
    if not len(p_values):
        return []
    adjusted: list[float] = multitest.multipletests(p_values, method="holm")[1].tolist()
    return adjusted


def bootstrap(
    groups: NDArray[Any], statistic: Callable[[Indices], NDArray[np.float64]], resamples: int, seed: int
) -> NDArray[np.float64]:
    """What `statistic` would be on other patients: (resamples, M), by drawing the patients anew, with replacement.

    Patients are drawn, not images (cluster bootstrap: Field & Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x),
    since images of one patient resemble each other: drawn one by one they would pass for more than they are.
    `scipy.stats.bootstrap` has no such groups. The same groups and seed draw the same patients whatever the
    statistic, so figures of two classifiers may be subtracted resample by resample.

    Args:
        groups: (N,) each image's patient.
        statistic: from the indices of a resample's images, those of a patient as often as it was drawn, to M
            figures; NaN where they are not defined.
    """
    patients, of_image = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    images = np.arange(len(groups))
    samples = []
    for _ in range(resamples):
        drawn = rng.integers(len(patients), size=len(patients))
        times = np.bincount(drawn, minlength=len(patients))  # how often each patient is in
        samples.append(statistic(np.repeat(images, times[of_image])))
    return np.stack(samples)


def interval(samples: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of one figure from its bootstrap samples (R,), by percentiles; NaN where fewer than half exist.

    Percentiles, because they stay in the figure's range and need nothing but the samples. BCa needs the figure
    without each patient as well, and isn't defined where that is the same for all, as is the AUROC of a perfect
    classifier. The price: an interval that is a little narrow with few patients, and too high for a figure that
    resampling itself raises (the expected calibration error).
    """
    assert len(samples)
    defined = samples[~np.isnan(samples)]
    if 2 * len(defined) < len(samples):
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def logit_interval(value: float, samples: NDArray[np.float64], patients: int, fewest: int) -> tuple[float, float]:
    """95 % interval of an AUROC from its bootstrap's standard error, on the logit scale, with t's quantile.

    Percentiles of an AUROC are too narrow for few patients. Without spread, as of a perfect classifier, it is
    Newcombe's; tests/benchmarks/auroc_intervals.py counts how often both hold the truth. The ends stay in 0 … 1.

    Args:
        value: the figure itself; its logit is taken half a patient away from 0 and 1 at least.
        samples: (R,) as of `interval`.
        fewest: patients of the rarest class.
    """
    error = float(np.nanstd(samples, ddof=1)) if np.isfinite(samples).sum() > 1 else 0.0
    ends = interval(samples)
    if math.isnan(ends[0]) or math.isnan(value) or patients < 2:
        return ends
    if error < ROUND_OFF:
        return newcombe_interval(value, fewest, max(1, patients - fewest))
    kept = min(max(value, 0.5 / patients), 1 - 0.5 / patients)
    error *= math.sqrt(patients / (patients - 1))  # a bootstrap's is that much too small
    margin = stats.t.ppf((1 + CONFIDENCE) / 2, patients - 1) * error / (kept * (1 - kept))
    low, high = special.expit(special.logit(kept) + np.array([-margin, margin]))
    return min(float(low), value), max(float(high), value)


def newcombe_interval(value: float, ill: int, well: int) -> tuple[float, float]:
    """95 % interval of an AUROC from the numbers of ill and of well patients alone: it has a width at 0 and 1, too.

    Newcombe 2006, Statistics in Medicine 25:559, method 5: every θ with |value − θ| ≤ z √V(θ), where V is Hanley's
    and McNeil's variance for as many of both.
    """
    z, mean_pairs = float(stats.norm.ppf((1 + CONFIDENCE) / 2)), (ill + well) / 2 - 1

    def margin(true: float) -> float:
        spread = 1 + mean_pairs * ((1 - true) / (2 - true) + true / (1 + true))
        return z * math.sqrt(true * (1 - true) * spread / (ill * well))

    # 0 and 1 have no variance, so each is an end of its own interval, but not both.
    low = optimize.brentq(lambda true: value - true - margin(true), 0, min(value, 1 - EDGE))
    high = optimize.brentq(lambda true: true - value - margin(true), max(value, EDGE), 1)
    return float(low), float(high)


def mean_and_std(values: Any) -> dict[str, float]:
    """Mean and sample standard deviation (n − 1; NaN of a single figure)."""
    array = np.asarray(values, dtype=np.float64)
    return {"mean": float(array.mean()), "std": float(array.std(ddof=1)) if len(array) > 1 else math.nan}
