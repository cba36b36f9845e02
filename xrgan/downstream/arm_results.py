"""The figures of one arm at one fraction: means over its trainings, intervals over patients, and who stands behind."""

from collections.abc import Sequence

import numpy as np

from xrgan.downstream.comparison import figures_on_test
from xrgan.downstream.folds import Indices
from xrgan.downstream.statistics import interval, logit_interval, mean_and_std
from xrgan.downstream.summary import ArmResult, Figure
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import Floats, Trial
from xrgan.downstream.wording import known, mean_of, pair


def arm_result(task: Task, results: Results, trials: Sequence[Trial], samples: Floats) -> ArmResult:
    """The figures of an arm at a fraction on the test split, for the summary.

    Args:
        trials: its trainings.
        samples: its figures on other patients, (resamples, metrics).
    """
    arm, fraction = trials[0].arm_key
    figures = [figures_on_test(task, results, one) for one in trials]
    pool = results.pool
    patients, fewest = len(np.unique(pool.test_groups)), _fewest_patients(pool.test_groups, pool.strata[pool.test])
    test: dict[str, Figure] = {}
    for k, name in enumerate(task.metrics(results.pool.names)):
        spread = mean_and_std([one[name] for one in figures])
        mean, sampled = spread["mean"], samples[:, k]
        on_logits = name in task.on_logit_scale
        ends = pair(logit_interval(mean, sampled, patients, fewest) if on_logits else interval(sampled))
        test[name] = {"mean": known(spread["mean"]), "std": known(spread["std"]), "interval": ends}
    return {
        "arm": arm,
        "fraction": fraction,
        "trainings": len(trials),
        "n_real": mean_of(one.n_real for one in trials),
        "n_synthetic": mean_of(one.n_synthetic for one in trials),
        "n_behind": _behind(results, trials),
        "test": test,
    }


def _fewest_patients(groups: Indices, strata: Indices) -> int:
    """Patients with images of the rarest stratum. Args: both (N,)."""
    return min(len(np.unique(groups[strata == one])) for one in np.unique(strata))


def _behind(results: Results, trials: Sequence[Trial]) -> float | None:
    """Real images behind the networks of an arm, mean over trainings; None where nobody knows of one of them."""
    counts = [results.behind.get(one.key) for one in trials]
    known_ones = [count for count in counts if count is not None]
    return mean_of(known_ones) if len(known_ones) == len(counts) else None
