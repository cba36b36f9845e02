"""Precision, recall, density and coverage, against torch-fidelity where it has them and by hand where not."""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_prc import KEY_METRIC_PRECISION, KEY_METRIC_RECALL, prc_features_to_metric

from xrgan.evaluation.prdc import interval_of_mean, prdc

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shift", [0.0, 0.7, 3.0])
def test_precision_and_recall_are_torch_fidelitys(shift: float) -> None:
    real, synthetic = RNG.normal(size=(150, 8)), RNG.normal(shift, 0.8, (120, 8))
    ours = prdc(real, synthetic)
    theirs = prc_features_to_metric(
        torch.from_numpy(synthetic),
        torch.from_numpy(real),
        prc_neighborhood=3,
        prc_batch_size=50,
        verbose=False,
    )
    assert ours.precision.mean() == pytest.approx(theirs[KEY_METRIC_PRECISION], abs=1e-6)
    assert ours.recall.mean() == pytest.approx(theirs[KEY_METRIC_RECALL], abs=1e-6)


def test_density_and_coverage_by_hand() -> None:
    real = np.arange(6.0)[:, None]  # k = 5: the ends' balls have radius 5, the next ones' 4, the middle ones' 3
    synthetic = np.array([[0.0], [-4.0], [100.0]])
    ours = prdc(real, synthetic)
    assert ours.density.tolist() == [6 / 5, 1 / 5, 0]  # 0 lies in all six balls, −4 in that of 0
    assert ours.coverage.tolist() == [1, 1, 1, 1, 1, 1]
    assert prdc(real, synthetic[1:]).coverage.tolist() == [1, 0, 0, 0, 0, 0]
    assert ours.precision.tolist() == [1, 0, 0]  # k = 3: the balls of 0 … 5 have radius 3, 2, 2, 2, 2, 3


def test_equal_sets_overlap_and_distant_ones_do_not() -> None:
    points = RNG.normal(size=(300, 4))
    same, apart = prdc(points[:150], points[150:]), prdc(points[:150], points[150:] + 50)
    assert min(getattr(same, name).mean() for name in ("precision", "recall", "coverage")) > 0.8
    assert same.density.mean() == pytest.approx(1, abs=0.2)
    assert max(getattr(apart, name).max() for name in ("precision", "recall", "density", "coverage")) == 0


def test_one_image_repeated_has_precision_without_coverage() -> None:
    real = RNG.normal(size=(200, 4))
    ours = prdc(real, np.repeat(real[:1], 50, axis=0))
    assert ours.precision.mean() == 1 and ours.recall.mean() < 0.05 and ours.coverage.mean() < 0.2


@pytest.mark.parametrize("n", [2, 3, 4])
def test_few_images(n: int) -> None:
    ours = prdc(RNG.normal(size=(n, 3)), RNG.normal(size=(2, 3)))
    assert all(np.isfinite(getattr(ours, name)).all() for name in ("precision", "recall", "density", "coverage"))


@pytest.mark.slow
def test_interval_holds_the_mean_as_often_as_it_says() -> None:
    truth, held = 0.3, 0
    for seed in range(200):
        values = (np.random.default_rng(seed).random(120) < truth).astype(float)
        interval = interval_of_mean(values, seed=1)
        held += interval.low <= truth <= interval.high
        assert interval.standard_error == pytest.approx(np.sqrt(0.3 * 0.7 / 120), rel=0.3)
    assert 0.89 <= held / 200 <= 0.99


def test_interval_of_equal_values_is_a_point() -> None:
    interval = interval_of_mean(np.ones(5), seed=0)
    assert (interval.low, interval.high, interval.standard_error) == (1, 1, 0)
