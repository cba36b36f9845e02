"""How an arm does for women and men, and by age, where the dataset's index.csv knows them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from xrgan.data.packed import PackedDataset
from xrgan.downstream.arm_results import arm_result
from xrgan.downstream.comparison import resample
from xrgan.downstream.folds import Indices
from xrgan.downstream.summary import SubgroupFigure, SubgroupResult
from xrgan.downstream.task import Results, Task
from xrgan.downstream.trial import by_arm

AGES = (18, 40, 65)  # years at which a group ends, and the next one begins


def subgroup_results(task: Task, results: Results, dataset: PackedDataset) -> list[SubgroupResult]:
    """The leading metric of each arm in each subgroup of the test split, with its interval; none where nobody is known.

    It picks nothing and proves nothing: groups are many, and small.
    """
    rows = results.pool.rows[results.pool.test]
    return [_of_group(task, results, name, chosen) for name, chosen in subgroups(dataset, rows).items()]


def subgroups(dataset: PackedDataset, rows: Indices) -> dict[str, NDArray[np.bool_]]:
    """The groups that those images are of, by name → which of them (n,); those of unknown sex or age are in none."""
    found: dict[str, NDArray[np.bool_]] = {}
    if len(dataset.sexes):
        sexes = dataset.sexes[rows]
        found |= {f"sex {sex}": sexes == sex for sex in np.unique(sexes) if sex}
    if len(dataset.ages):
        ages, edges = dataset.ages[rows], (-np.inf, *AGES, np.inf)
        for low, high in pairwise(edges):
            found[_ages(low, high)] = (ages >= low) & (ages < high)  # NaN is in none
    return {name: chosen for name, chosen in found.items() if chosen.any()}


def _ages(low: float, high: float) -> str:
    if low == -np.inf:
        return f"under {high:g} years"
    return f"{low:g} years and over" if high == np.inf else f"{low:g} to {high - 1:g} years"


def _of_group(task: Task, results: Results, name: str, chosen: NDArray[np.bool_]) -> SubgroupResult:
    """Every arm's figure on a part of the test split."""
    pool = replace(results.pool, test=results.pool.test[chosen])
    part = replace(results, pool=pool, trials=[replace(one, on_test=one.on_test[chosen]) for one in results.trials])
    samples, figures = resample(task, part), list[SubgroupFigure]()
    for key, trials in by_arm(part.trials).items():
        figure = arm_result(task, part, trials, samples[key])["test"][task.leading]
        figures.append({"arm": key[0], "fraction": key[1], "figure": figure})
    images, patients = int(chosen.sum()), len(np.unique(pool.test_groups))
    few = bool(task.few_patients(pool, name))
    return {"group": name, "images": images, "patients": patients, "few": few, "results": figures}
