"""How well a classifier does: pure functions of true labels and predicted probabilities.

Written in numpy: scikit-learn gives the same figures (a test holds them together), but its checks of the input take
nearly all of 5 ms a call, and a bootstrap calls this a thousand times for every classifier.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

# In the order of every table and figure. Weighted recall is accuracy by another name: both are quoted in papers.
METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision (weighted)",
    "recall": "Recall (weighted)",
    "f1": "F1 (weighted)",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "sensitivity_at_90": "Sensitivity at 90 % specificity",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
CALIBRATION_BINS = 15

Labels = NDArray[np.int64]  # (N,) in [0, K)
Probabilities = NDArray[np.float64]  # (N, K), rows add up to 1
Counts = NDArray[np.int64]
Curve = tuple[Counts, Counts]  # (T + 1,) true and false positives, from none to all


def score(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """Every figure of `METRICS`, in its order; every class must occur in `labels`.

    The predicted class is the likeliest one. Precision, recall and F1 are averaged over classes by their number of
    images (a class that is never predicted has precision 0). AUROC, AUPRC (average precision, not interpolated) and
    sensitivity at 90 % specificity: the last class against the first of two; the plain mean of one-against-the-rest
    where there are more. All lie in [0, 1] but the Brier score of more than two classes, which lies in [0, 2].
    """
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    # (K, K): true class, predicted class
    confusion = np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes)
    images, predictions, hits = confusion.sum(axis=1), confusion.sum(axis=0), confusion.diagonal()
    assert images.all(), "every class must occur"
    assert np.isfinite(probabilities).all()
    curves = _curves(labels, probabilities)
    return {
        "accuracy": float(hits.sum() / len(labels)),
        "balanced_accuracy": float((hits / images).mean()),
        "precision": float(images @ (hits / np.maximum(predictions, 1)) / len(labels)),
        "recall": float(hits.sum() / len(labels)),
        "f1": float(images @ (2 * hits / (images + predictions)) / len(labels)),
        "auroc": _mean(_area_under_roc(curve) for curve in curves),
        "auprc": _mean(_average_precision(curve) for curve in curves),
        "sensitivity_at_90": _mean(_sensitivity_at_90(curve) for curve in curves),
        "brier": _brier(labels, probabilities),
        "ece": _calibration_error(labels == predicted, probabilities.max(axis=1)),
    }


def score_or_nan(labels: Labels, probabilities: Probabilities) -> NDArray[np.float64]:
    """The figures of `score` in the order of `METRICS`: (len(METRICS),), all NaN where a class has no image."""
    if not np.bincount(labels, minlength=probabilities.shape[1]).all():
        return np.full(len(METRICS), np.nan)
    return np.array(list(score(labels, probabilities).values()))


def auroc(labels: Labels, probabilities: Probabilities) -> float:
    """As in `score`."""
    return _mean(_area_under_roc(curve) for curve in _curves(labels, probabilities))


def _curves(labels: Labels, probabilities: Probabilities) -> list[Curve]:
    """Of the last class alone where there are two, of each class against the rest where there are more."""
    classes = probabilities.shape[1]
    return [_curve(labels == k, probabilities[:, k]) for k in ([1] if classes == 2 else range(classes))]


def _curve(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curve:
    """How many images of either kind score at least so much, for every threshold that occurs, the highest first."""
    order = np.argsort(-scores)
    tie_ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # no threshold parts equal scores
    true = np.cumsum(positive[order], dtype=np.int64)[tie_ends]
    return np.append(0, true), np.append(0, tie_ends + 1 - true)


def _area_under_roc(curve: Curve) -> float:
    true, false = curve
    return float(np.diff(false) @ (true[1:] + true[:-1]) / (2 * true[-1] * false[-1]))


def _average_precision(curve: Curve) -> float:
    """Precision at each threshold, weighted by the recall that it adds."""
    true, false = curve
    return float(np.diff(true) @ (true[1:] / (true[1:] + false[1:])) / true[-1])


def _sensitivity_at_90(curve: Curve) -> float:
    """The highest sensitivity of all thresholds with a specificity of 90 % or more; not interpolated."""
    true, false = curve
    return float(true[10 * false <= false[-1]][-1] / true[-1])  # in whole numbers: 1 − 0.9 is not 0.1


def _brier(labels: Labels, probabilities: Probabilities) -> float:
    """Brier 1950: the mean over images of the squares summed over classes, in [0, 2].

    Of two classes half of it, in [0, 1]: the squared error of the positive class, as is usual.
    """
    classes = probabilities.shape[1]
    squares = (probabilities - (labels[:, None] == np.arange(classes))) ** 2
    return float(squares.sum() / len(labels) / (2 if classes == 2 else 1))


def _calibration_error(right: NDArray[np.bool_], confidence: NDArray[np.float64]) -> float:
    """Guo et al. 2017 (arXiv:1706.04599), equation 3: |accuracy − mean confidence| of a bin, averaged over images.

    Equal bins (a, b] of the predicted class's probability. torchmetrics' are [a, b), which leaves a confidence of
    exactly 1, that of a saturated softmax, in a 16th bin of its own; and it computes in single precision.
    """
    inner_edges = np.linspace(0, 1, CALIBRATION_BINS + 1)[1:-1]
    bins = np.searchsorted(inner_edges, confidence, side="left")
    return float(np.abs(np.bincount(bins, weights=right - confidence)).sum() / len(right))


def _mean(figures: Any) -> float:
    return float(np.mean(list(figures)))
