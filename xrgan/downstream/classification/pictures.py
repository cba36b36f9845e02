"""Pictures of a study of classifiers: ROC and confusion on the test split."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix, roc_curve

from xrgan.downstream.arms import ARMS
from xrgan.downstream.classification.metrics import auroc
from xrgan.downstream.pool import Pool
from xrgan.downstream.statistics import bootstrap
from xrgan.downstream.task import Results
from xrgan.downstream.trial import Floats, Trial, by_arm
from xrgan.plots import new_figure, save_figure

RESAMPLES = 200  # of a ROC's band
GRID = np.linspace(0, 1, 101)  # false positive rates at which ROCs are averaged


def save_pictures(results: Results) -> dict[str, str]:
    """Save both, of the trainings with the largest fraction: file name → what it shows, as a sentence."""
    save_roc(results.folder / "roc.png", results.pool, results.of_most)
    save_confusion(results.folder / "confusion.png", results.pool, results.of_most)
    return {
        "roc.png": "ROC on the test split: mean over trainings, with 95 % bands over patients.",
        "confusion.png": "Test images by true and predicted class, all trainings of an arm together.",
    }


def save_roc(path: Path, pool: Pool, trials: Sequence[Trial]) -> None:
    """Mean ROC of each arm's trainings, with the 95 % band that other patients would make of it."""
    figure = new_figure(6, 6)
    axes = figure.subplots()
    labels = pool.targets[pool.test].numpy()
    for (arm, _), ones in by_arm(trials).items():
        colour = ARMS[arm].colour
        mean, low, high = _roc_with_band(labels, pool.test_groups, [one.on_test for one in ones])
        axes.fill_between(GRID, low, high, color=colour, alpha=0.15, linewidth=0)
        area = np.mean([auroc(labels, one.on_test) for one in ones])
        axes.plot(GRID, mean, color=colour, label=f"{arm} (AUROC {area:.3f})")
    axes.plot([0, 1], [0, 1], ":", color="0.6")
    two = len(pool.names) == 2
    what = f"{pool.names[-1]} against {pool.names[0]}" if two else "Mean of each class against the rest"
    axes.set(title=f"{what}, test split", xlabel="1 − specificity", ylabel="sensitivity", xlim=(0, 1), ylim=(0, 1.01))
    axes.legend(loc="lower right")
    save_figure(figure, path)


def save_confusion(path: Path, pool: Pool, trials: Sequence[Trial]) -> None:
    """Test images by true and predicted class, one panel per arm; its trainings' probabilities are averaged."""
    grouped = by_arm(trials)
    figure = new_figure(1 + 3.4 * len(grouped), 3.8)
    panels = figure.subplots(1, len(grouped), squeeze=False)[0]
    labels = pool.targets[pool.test].numpy()
    for panel, ((arm, _), ones) in zip(panels, grouped.items(), strict=True):
        predicted = np.mean([one.on_test for one in ones], axis=0).argmax(axis=1)
        counts = confusion_matrix(labels, predicted, labels=np.arange(len(pool.names)))
        display = ConfusionMatrixDisplay(counts, display_labels=pool.names)
        display.plot(ax=panel, colorbar=False, cmap="Blues", xticks_rotation=20)
        panel.set_title(arm, fontsize="medium")
        if panel is not panels[0]:
            panel.set_ylabel("")
    save_figure(figure, path)


def _roc_with_band(
    labels: NDArray[np.int64], groups: NDArray[np.int64], answers: Sequence[Floats]
) -> tuple[Floats, Floats, Floats]:
    """The mean ROC of several classifiers at `GRID`, and its 95 % band over patients."""

    def curve(images: NDArray[np.int64]) -> Floats:
        curves = [_sensitivities(labels[images], answer[images]) for answer in answers]
        return np.asarray(np.mean(curves, axis=0))

    samples = bootstrap(groups, curve, RESAMPLES, seed=0)
    low, high = np.nanquantile(samples, [0.025, 0.975], axis=0)
    return curve(np.arange(len(labels))), low, high


def _sensitivities(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """The ROC at `GRID`: of the last class of two, else the mean of one against the rest; NaN where one is absent."""
    classes = probabilities.shape[1]
    of = [1] if classes == 2 else range(classes)
    if len(np.unique(labels)) < classes:
        return np.full(len(GRID), np.nan)
    curves = [roc_curve(labels == k, probabilities[:, k], drop_intermediate=False)[:2] for k in of]
    return np.asarray(np.mean([np.interp(GRID, false, true) for false, true in curves], axis=0))
