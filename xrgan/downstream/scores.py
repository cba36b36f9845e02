"""How well a classifier does: pure functions of true labels and predicted probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

# In the order of every table and figure. Weighted recall is accuracy by another name: both are quoted in papers.
METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "precision": "Precision (weighted)",
    "recall": "Recall (weighted)",
    "f1": "F1 (weighted)",
    "auroc": "AUROC",
}

Labels = NDArray[np.int64]  # (N,) in [0, K)
Probabilities = NDArray[np.float64]  # (N, K), rows add up to 1


def score(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """Every figure of `METRICS`, each in [0, 1]; every class must occur in `labels`.

    The predicted class is the likeliest one. Precision, recall and F1 are averaged over classes by their number of
    images (a class that is never predicted has precision 0). AUROC: the last class against the first of two; the
    plain mean of one-against-the-rest where there are more.
    """
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="weighted", zero_division=0
    )
    return {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "balanced_accuracy": float(metrics.balanced_accuracy_score(labels, predicted)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "auroc": auroc(labels, probabilities),
    }


def auroc(labels: Labels, probabilities: Probabilities) -> float:
    if probabilities.shape[1] == 2:
        return float(metrics.roc_auc_score(labels, probabilities[:, 1]))
    return float(metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"))


def mean_and_std(values: Any) -> dict[str, float]:
    """Mean and sample standard deviation (n − 1) of two figures or more."""
    array = np.asarray(values, dtype=np.float64)
    return {"mean": float(array.mean()), "std": float(array.std(ddof=1))}
