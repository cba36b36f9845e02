"""The pictures of a study: how training went, what each fold scored, ROC, confusion, and what few real images do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix, roc_curve

from xrgan.downstream import plots
from xrgan.downstream.classification.classifier import Epoch
from xrgan.downstream.classification.comparison import LEADING, Outcome, test_labels, together
from xrgan.downstream.classification.metrics import METRICS
from xrgan.downstream.classification.pool import Pool
from xrgan.downstream.comparison import by_key
from xrgan.downstream.plots import COLOURS, Curve
from xrgan.downstream.statistics import bootstrap
from xrgan.plots import new_figure, save_figure

RESAMPLES = 200  # of a ROC's band
GRID = np.linspace(0, 1, 101)  # false positive rates at which ROCs are averaged

Floats = NDArray[np.float64]


def save_all(
    folder: Path, pool: Pool, table: pd.DataFrame, outcomes: Sequence[Outcome], summary: Mapping[str, Any]
) -> dict[str, str]:
    """Every picture that the study has something for: file name → what it shows, as a sentence.

    Args:
        table: `report.scores`.
    """
    most = max(outcome.place.fraction for outcome in outcomes)
    of_most = [outcome for outcome in outcomes if outcome.place.fraction == most]
    save_curves(folder / "curves.png", of_most)
    save_trainings(folder / "folds.png", table[table["fraction"] == most])
    save_roc(folder / "roc.png", pool, of_most)
    save_confusion(folder / "confusion.png", pool, of_most)
    made = {
        "curves.png": "Training loss and validation AUROC over epochs (thin: a training; thick: their mean).",
        "folds.png": "Each training's figures on the test split, and each arm's mean.",
        "roc.png": "ROC on the test split: mean over trainings, with 95 % bands over patients.",
        "confusion.png": "Test images by true and predicted class, all trainings of an arm together.",
    }
    if save_gain(folder / "gain.png", summary):
        made["gain.png"] = "AUROC on the test split against the share of real training images, with 95 % intervals."
    return made


def save_curves(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Loss, accuracy and AUROC over epochs: a thin line a training, a thick one for the mean of each arm."""
    plots.save_curves(
        path,
        outcomes,
        [
            Curve[Epoch]("Training loss", "cross-entropy", lambda epoch: epoch.loss),
            Curve[Epoch]("Validation images", "balanced accuracy", lambda epoch: epoch.balanced_accuracy),
            Curve[Epoch]("Validation images (dot: the kept epoch)", "AUROC", lambda epoch: epoch.auroc),
        ],
    )


def save_trainings(path: Path, table: pd.DataFrame) -> None:
    """Every figure on the test split: a line a fold and seed from arm to arm, a bar for each arm's mean."""
    plots.save_trainings(path, table, METRICS, rows=2)


def save_roc(path: Path, pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Mean ROC of each arm's trainings, with the 95 % band that other patients would make of it."""
    figure = new_figure(6, 6)
    axes = figure.subplots()
    labels, groups = test_labels(pool), pool.groups[pool.test]
    for (arm, _), ones in by_key(outcomes).items():
        answers = [one.on_test for one in ones]

        def curve(images: NDArray[np.int64], answers: Sequence[Floats] = answers) -> Floats:
            curves = [_sensitivities(labels[images], answer[images]) for answer in answers]
            return np.asarray(np.mean(curves, axis=0))

        everyone = curve(np.arange(len(labels)))
        samples = bootstrap(groups, curve, RESAMPLES, seed=0)
        low, high = np.nanquantile(samples, [0.025, 0.975], axis=0)
        axes.fill_between(GRID, low, high, color=COLOURS[arm], alpha=0.15, linewidth=0)
        axes.plot(GRID, everyone, color=COLOURS[arm], label=arm)
    axes.plot([0, 1], [0, 1], ":", color="0.6")
    two = len(pool.classes) == 2
    what = f"{pool.classes[-1]} against {pool.classes[0]}" if two else "Mean of each class against the rest"
    axes.set(title=f"{what}, test split", xlabel="1 − specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")
    save_figure(figure, path)


def save_confusion(path: Path, pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Test images by true and predicted class, an arm a panel; its trainings' probabilities are averaged."""
    grouped = by_key(outcomes)
    figure = new_figure(1 + 3.4 * len(grouped), 3.8)
    panels = figure.subplots(1, len(grouped), squeeze=False)[0]
    labels = test_labels(pool)
    for panel, ((arm, _), ones) in zip(panels, grouped.items(), strict=True):
        counts = confusion_matrix(labels, together(ones).argmax(axis=1), labels=np.arange(len(pool.classes)))
        display = ConfusionMatrixDisplay(counts, display_labels=pool.classes)
        display.plot(ax=panel, colorbar=False, cmap="Blues", xticks_rotation=20)
        panel.set_title(arm, fontsize="medium")
        if panel is not panels[0]:
            panel.set_ylabel("")
    save_figure(figure, path)


def save_gain(path: Path, summary: Mapping[str, Any]) -> bool:
    """AUROC of each arm, and its difference to the baseline, against the share of real training images, if several."""
    return plots.save_gain(path, summary, LEADING, METRICS[LEADING])


def _sensitivities(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """The ROC at `GRID`: of the last class of two, else the mean of one against the rest; NaN where one is absent."""
    classes = probabilities.shape[1]
    of = [1] if classes == 2 else range(classes)
    if len(np.unique(labels)) < classes:
        return np.full(len(GRID), np.nan)
    curves = [roc_curve(labels == k, probabilities[:, k], drop_intermediate=False)[:2] for k in of]
    return np.asarray(np.mean([np.interp(GRID, false, true) for false, true in curves], axis=0))
