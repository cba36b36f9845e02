"""Both tasks say all that a study asks of a task, and a study's results know their largest fraction."""

from pathlib import Path

import numpy as np
import pytest

from tests.downstream import blobs, chests
from tests.downstream.blobs import constructed, results_of
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.segmentation.task import Segmentation
from xrgan.downstream.task import Task

TASKS: list[Task] = [Classification(blobs.QUICK), Segmentation(chests.QUICK)]


@pytest.mark.parametrize("task", TASKS, ids=["classification", "segmentation"])
def test_the_figure_that_decides_is_one_of_its_metrics_and_of_its_epochs(task: Task) -> None:
    metrics = task.metrics(["a", "b"])
    assert task.leading in metrics and next(iter(task.validation)) == task.leading
    assert set(task.drawn(["a", "b"])) <= set(task.shown(["a", "b"])) <= set(metrics)


@pytest.mark.parametrize("task", TASKS, ids=["classification", "segmentation"])
def test_what_decides_a_training_is_an_option_of_its_own(task: Task) -> None:
    assert task.decides <= set(type(task.config).model_fields)
    assert type(task.config).model_fields.keys() & {task.section} == set()


@pytest.mark.parametrize("task", TASKS, ids=["classification", "segmentation"])
def test_its_words_fit_into_sentences(task: Task) -> None:
    said = task.paired.sentence.format(wins=7, losses=3)
    assert "7" in said and "3" in said and not said.endswith(".")
    assert task.wording.networks in ("classifiers", "segmenters") and task.wording.footnote.endswith(".")


def test_pictures_are_of_the_largest_fraction() -> None:
    pool = gather(blobs.toy_dataset())
    folds = cut(pool, 0, 0)
    trials = constructed(pool, folds, {"real": 1, "synthetic": 1}, fractions=(0.1, 0.5))
    of_most = results_of(pool, folds, trials, Path("nowhere")).of_most
    assert [one.key for one in of_most] == [one.key for one in trials if one.key.fraction == 0.5]
    assert np.array_equal(of_most[0].on_test, trials[2].on_test)
