"""The figures of a classifier: by hand, and against scikit-learn and torchmetrics whatever the predictions."""

import itertools
import timeit

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

from xrgan.downstream.classification.metrics import (
    METRICS,
    Labels,
    Probabilities,
    auroc,
    score,
    score_or_nan,
)

pytestmark = pytest.mark.slow


def of_two(positive: list[float]) -> Probabilities:
    return np.stack([1 - np.array(positive), np.array(positive)], axis=1)


def test_two_classes_counted_by_hand() -> None:
    # 4 of class 0, 2 of class 1; predicted 0 0 0 1 and 1 0
    labels = np.array([0, 0, 0, 0, 1, 1])
    scores = score(labels, of_two([0.1, 0.2, 0.4, 0.6, 0.9, 0.3]))
    assert scores == pytest.approx(
        {
            "accuracy": 4 / 6,
            "balanced_accuracy": (3 / 4 + 1 / 2) / 2,
            "precision": (4 * 3 / 4 + 2 * 1 / 2) / 6,
            "recall": 4 / 6,
            "f1": (4 * 3 / 4 + 2 * 1 / 2) / 6,
            "auroc": 6 / 8,  # of 8 pairs, 0.9 is above all four and 0.3 above two
            "auprc": (1 / 1 + 2 / 4) / 2,  # 0.9 is the 1st of all, 0.3 the 4th
            "sensitivity_at_90": 1 / 2,  # with four negatives, none may be wrong
            "brier": (0.01 + 0.04 + 0.16 + 0.36 + 0.01 + 0.49) / 6,
            # three bins: 0.6 (right) and 0.6 (wrong); 0.7 (wrong); 0.8 (right); 0.9 and 0.9 (right)
            "ece": (abs(1.2 - 1) + 0.7 + 0.2 + 0.2) / 6,
        }
    )
    assert list(scores) == list(METRICS)


def test_three_classes_are_judged_one_against_the_rest() -> None:
    labels = np.array([0, 0, 1, 1, 2, 2])
    probabilities = np.array(
        [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.3, 0.4, 0.3], [0.1, 0.2, 0.7], [0.25, 0.35, 0.4]]
    )
    scores = score(labels, probabilities)
    # class 0: 0.8 beats 4 of 4, 0.2 beats 2; class 1: 0.8 beats 4, 0.4 beats 3; class 2: all
    assert scores["auroc"] == pytest.approx((6 / 8 + 7 / 8 + 8 / 8) / 3)
    # ranks of the positives: 1st and 4th, 1st and 3rd, 1st and 2nd
    assert scores["auprc"] == pytest.approx(((1 + 2 / 4) / 2 + (1 + 2 / 3) / 2 + 1) / 3)
    assert scores["sensitivity_at_90"] == pytest.approx((1 / 2 + 1 / 2 + 1) / 3)
    squares = [0.04 + 0.01 + 0.01, 0.64 + 0.25 + 0.09, 0.01 + 0.04 + 0.01]
    squares += [0.09 + 0.36 + 0.09, 0.01 + 0.04 + 0.09, 0.0625 + 0.1225 + 0.36]
    assert scores["brier"] == pytest.approx(sum(squares) / 6)


def test_the_brier_score_reaches_one_for_two_classes_and_two_for_more() -> None:
    wrong = np.array([1, 2, 0])
    assert score(np.array([0, 1]), np.eye(2)[[1, 0]])["brier"] == 1
    assert score(np.array([0, 1, 2]), np.eye(3)[wrong])["brier"] == 2


@pytest.mark.parametrize("level", [0.6, 0.5], ids=["above", "tied"])
@pytest.mark.parametrize(("false_alarms", "sensitivity"), [(0, 1.0), (3, 1.0), (4, 0.5)])
def test_one_negative_in_ten_may_be_wrong(false_alarms: int, level: float, sensitivity: float) -> None:
    negatives = [level] * false_alarms + [0.1] * (30 - false_alarms)  # the second positive costs so many false alarms
    scores = score(np.array([1] * 2 + [0] * 30), of_two([0.9, 0.5, *negatives]))
    assert scores["sensitivity_at_90"] == sensitivity


def test_certainty_shares_the_highest_bin() -> None:
    # 0.96 and 1 lie in (14/15, 1]: two of four right at a mean confidence of 0.98
    labels, probabilities = np.array([0, 1, 0, 1]), of_two([0.04, 0.96, 1.0, 0.0])
    assert score(labels, probabilities)["ece"] == pytest.approx(0.98 - 0.5)


def test_a_class_that_is_never_predicted_costs_no_warning() -> None:
    scores = score(np.array([0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
    assert scores["balanced_accuracy"] == 0.5 and scores["precision"] == pytest.approx(4 / 9) and scores["auroc"] == 1


def test_a_perfect_classifier_and_a_coin() -> None:
    labels = np.arange(7) % 3
    for name, value in score(labels, np.eye(3)[labels]).items():
        assert value == (0 if name in ("brier", "ece") else 1), name
    coin = score(np.array([0, 0, 1]), of_two([0.5, 0.5, 0.5]))
    assert (coin["auroc"], coin["auprc"], coin["sensitivity_at_90"], coin["brier"]) == (0.5, 1 / 3, 0, 0.25)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Labels, Probabilities]:
    """Every class occurs; few levels make many ties, between images and between an image's classes."""
    classes = draw(st.integers(2, 4))
    labels = np.array([*range(classes), *draw(st.lists(st.integers(0, classes - 1), max_size=40))])
    levels = draw(st.sampled_from([1, 4, 1000]))
    weights = draw(hnp.arrays(np.int64, (len(labels), classes), elements=st.integers(0, levels)))
    weights[weights.sum(axis=1) == 0] = 1
    return labels, weights / weights.sum(axis=1, keepdims=True)


@given(predictions())
def test_scikit_learn_gives_the_same_figures(case: tuple[Labels, Probabilities]) -> None:
    labels, probabilities = case
    expected = list(scikit_learns(labels, probabilities).values())
    assert list(score(labels, probabilities).values()) == pytest.approx(expected, rel=0, abs=1e-12)
    assert score_or_nan(labels, probabilities).tolist() == list(score(labels, probabilities).values())
    assert auroc(labels, probabilities) == score(labels, probabilities)["auroc"]


@given(predictions(), st.integers(0, 2**32))
def test_the_order_of_the_images_does_not_matter(case: tuple[Labels, Probabilities], seed: int) -> None:
    labels, probabilities = case
    order = np.random.default_rng(seed).permutation(len(labels))
    shuffled = score_or_nan(labels[order], probabilities[order])
    assert shuffled == pytest.approx(score_or_nan(labels, probabilities), rel=0, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
def test_torchmetrics_gives_the_same_calibration_error(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = rng.integers(0, classes, 500)
    probabilities = rng.dirichlet(np.full(classes, 0.5), 500)
    assert probabilities.max() < 1  # theirs puts 1 into a bin of its own
    theirs = multiclass_calibration_error(
        torch.from_numpy(probabilities), torch.from_numpy(labels), num_classes=classes, n_bins=15
    )
    assert score(labels, probabilities)["ece"] == pytest.approx(
        float(theirs), abs=1e-6
    )  # theirs is of single precision


@pytest.mark.parametrize("labels", [[0, 0, 2], [0, 1, 0], [1, 1, 1], [1, 2, 2]])
def test_without_a_class_nothing_is_defined(labels: list[int]) -> None:
    figures = score_or_nan(np.array(labels), np.full((3, 3), 1 / 3))
    assert figures.shape == (len(METRICS),) and np.isnan(figures).all()


def test_a_bootstrap_of_many_classifiers_takes_seconds() -> None:
    """2.5 ms a call is the aim, 0.2 ms was measured: a busy machine must not fail it."""
    rng = np.random.default_rng(0)
    labels, probabilities = rng.integers(0, 2, 624), rng.dirichlet([1, 1], 624)
    assert min(timeit.repeat(lambda: score_or_nan(labels, probabilities), number=20, repeat=5)) / 20 < 0.0025


def scikit_learns(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    predicted, classes = probabilities.argmax(axis=1), probabilities.shape[1]
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="weighted", zero_division=0
    )
    against_rest = [(labels == k, probabilities[:, k]) for k in ([1] if classes == 2 else range(classes))]
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "auroc": (
            metrics.roc_auc_score(labels, probabilities[:, 1])
            if classes == 2
            else metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
        ),
        "auprc": np.mean([metrics.average_precision_score(*one) for one in against_rest]),
        "sensitivity_at_90": np.mean([sensitivity_at_90(*one) for one in against_rest]),
        "brier": (
            metrics.brier_score_loss(labels, probabilities[:, 1])
            if classes == 2
            else ((probabilities - np.eye(classes)[labels]) ** 2).sum(axis=1).mean()
        ),
        "ece": calibration_error(labels == predicted, probabilities.max(axis=1)),
    }


def sensitivity_at_90(positive: Labels, scores: Probabilities) -> float:
    false, true, _ = metrics.roc_curve(positive, scores, drop_intermediate=False)
    return float(true[false <= 0.1].max())


def calibration_error(right: Labels, confidence: Probabilities) -> float:
    """Bin by bin, as it is written in Guo et al. 2017."""
    error, edges = 0.0, np.linspace(0, 1, 16)
    for low, high in itertools.pairwise(edges):
        within = (confidence > low) & (confidence <= high)
        if within.any():
            error += within.mean() * abs(right[within].mean() - confidence[within].mean())
    return error
