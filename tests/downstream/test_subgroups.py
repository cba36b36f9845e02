"""How arms do for women and men, and by age."""

import numpy as np
import pytest

from tests.downstream.blobs import QUICK, changed, constructed, results_of, summarised, toy_dataset
from xrgan.downstream import report
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.subgroups import subgroup_results, subgroups

DATASET = toy_dataset(train=20, test=80)
ROWS = len(DATASET.labels)
PEOPLE = changed(
    DATASET,
    sexes=np.where(np.arange(ROWS) // 4 % 2, "F", "M"),
    ages=np.where(np.arange(ROWS) % 10 == 9, np.nan, 10.0 + np.arange(ROWS) // 2),
)
POOL = gather(DATASET)
TASK = Classification(QUICK.model_copy(update={"arms": ("real", "synthetic"), "k_folds": 0, "resamples": 20}))
TRIALS = constructed(POOL, cut(POOL, 0, 0), {"real": 2, "synthetic": 0}, fractions=(0.5, 1.0), seeds=2)


def test_groups_are_those_that_are_there_and_the_unknown_are_in_none() -> None:
    rows = np.arange(ROWS)
    found = subgroups(PEOPLE, rows)
    assert list(found) == ["sex F", "sex M", "under 18 years", "18 to 39 years", "40 to 64 years"]
    ages = sum(chosen.astype(int) for name, chosen in found.items() if "years" in name)
    assert ages.tolist() == (rows % 10 != 9).astype(int).tolist()
    assert found["under 18 years"].sum() == np.sum(PEOPLE.ages < 18)
    assert subgroups(DATASET, rows) == {}


def test_each_group_has_the_figures_of_its_own_images() -> None:
    results = results_of(POOL, cut(POOL, 0, 0), TRIALS)
    groups = {one["group"]: one for one in subgroup_results(TASK, results, PEOPLE)}
    women = subgroups(PEOPLE, POOL.rows[POOL.test])["sex F"]
    assert groups["sex F"]["images"] == women.sum() and groups["sex F"]["patients"] == women.sum() / 2
    answers = [one.on_test[women] for one in TRIALS if one.arm_key == ("real", 1.0)]
    expected = np.mean([TASK.figures(answer, POOL, POOL.test[women])[5] for answer in answers])
    (figure,) = (one["figure"] for one in groups["sex F"]["results"] if (one["arm"], one["fraction"]) == ("real", 1.0))
    assert figure["mean"] == pytest.approx(expected)
    low, high = figure["interval"]
    assert low is not None and high is not None and low <= expected <= high


def test_the_report_has_a_table_where_somebody_is_known() -> None:
    summary = summarised(PEOPLE, POOL, cut(POOL, 0, 0), TASK.config, TRIALS)
    text = report.as_markdown(TASK, summary, {})
    assert "## By sex and age" in text and "| sex F, too few to tell | 40 / 20 |" in text and "18 to 39 years" in text
    plain = summarised(DATASET, POOL, cut(POOL, 0, 0), TASK.config, TRIALS)
    assert "subgroups" not in plain and "By sex" not in report.as_markdown(TASK, plain, {})
