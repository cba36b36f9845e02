import math

import numpy as np
import pytest

from xrgan.downstream.scores import METRICS, mean_and_std, score


def test_two_classes_counted_by_hand() -> None:
    # 4 of class 0, 2 of class 1; predicted 0 0 0 1 and 1 0
    labels = np.array([0, 0, 0, 0, 1, 1])
    positive = np.array([0.1, 0.2, 0.4, 0.6, 0.9, 0.3])
    scores = score(labels, np.stack([1 - positive, positive], axis=1))
    assert scores == pytest.approx(
        {
            "accuracy": 4 / 6,
            "balanced_accuracy": (3 / 4 + 1 / 2) / 2,
            "precision": (4 * 3 / 4 + 2 * 1 / 2) / 6,
            "recall": 4 / 6,
            "f1": (4 * 3 / 4 + 2 * 1 / 2) / 6,
            "auroc": 6 / 8,  # of 8 pairs, 0.9 is above all four and 0.3 above two
        }
    )
    assert list(scores) == list(METRICS)


def test_auroc_of_three_classes_is_the_mean_of_one_against_the_rest() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.array(
        [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.25, 0.35, 0.4]]
    )
    # class 0: 0.8 beats 4 of 4, 0.2 beats 2; class 1: 0.8 beats 4, 0.4 beats 3; class 2: all
    assert score(labels, probabilities)["auroc"] == pytest.approx((6 / 8 + 7 / 8 + 8 / 8) / 3)


def test_a_class_that_is_never_predicted_costs_no_warning() -> None:
    scores = score(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
    assert scores["balanced_accuracy"] == 0.5 and scores["precision"] == pytest.approx(4 / 9) and scores["auroc"] == 1


def test_the_deviation_is_that_of_a_sample() -> None:
    assert mean_and_std([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(math.sqrt(2))}
