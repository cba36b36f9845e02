"""The figures of one arm."""

from dataclasses import replace

import numpy as np

from tests.downstream.blobs import QUICK, constructed, results_of, toy_dataset
from xrgan.downstream.arm_results import arm_result
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.metrics import METRICS
from xrgan.downstream.classification.task import Classification

POOL = gather(toy_dataset(train=20, test=24))
TRIALS = constructed(POOL, cut(POOL, 0, 0), {"real": 1}, seeds=3)


def test_means_intervals_and_who_stands_behind() -> None:
    behind = {one.key: 10 * one.key.seed for one in TRIALS}
    results = replace(results_of(POOL, cut(POOL, 0, 0), TRIALS), behind=behind)
    samples = np.random.default_rng(0).uniform(0.6, 0.8, (50, len(METRICS)))
    result = arm_result(Classification(QUICK), results, TRIALS, samples)
    assert (result["trainings"], result["n_real"], result["n_behind"]) == (3, 20, 20)
    accuracies = [(one.on_test.argmax(axis=1) == POOL.strata[POOL.test]).mean() for one in TRIALS]
    assert np.isclose(result["test"]["accuracy"]["mean"] or 0, np.mean(accuracies))
    unknown = replace(results, behind=behind | {TRIALS[0].key: None})
    assert arm_result(Classification(QUICK), unknown, TRIALS, samples)["n_behind"] is None
