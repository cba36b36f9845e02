"""The pictures of a study: how training went, what each fold scored, ROC, confusion, and what few real images do."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from numpy.typing import NDArray
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix, roc_curve

from xrgan.downstream.arms import ARMS
from xrgan.downstream.classifier import Epoch
from xrgan.downstream.comparison import LEADING, by_key, test_labels, together
from xrgan.downstream.outcome import Outcome
from xrgan.downstream.pool import Pool
from xrgan.downstream.scores import METRICS
from xrgan.downstream.statistics import bootstrap
from xrgan.files import replacing

# Told apart by the colour-blind (Tol's bright).
COLOURS = dict(zip(ARMS, ("#4477aa", "#66ccee", "#ee6677", "#228833", "#ccbb44"), strict=True))
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
    gain = folder / "gain.png"
    if len({result["fraction"] for result in summary["results"]}) > 1:
        save_gain(gain, summary)
        made["gain.png"] = "AUROC on the test split against the share of real training images, with 95 % intervals."
    else:
        gain.unlink(missing_ok=True)  # that of another study
    return made


def save_curves(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Loss, accuracy and AUROC over epochs: a thin line a training, a thick one for the mean of each arm."""
    figure = Figure(figsize=(13, 4), dpi=120, layout="constrained")
    panels = figure.subplots(1, 3)
    _draw_curves(panels[0], outcomes, lambda epoch: epoch.loss)
    panels[0].set(title="Training loss", ylabel="cross-entropy")
    panels[0].set_ylim(bottom=0)
    _draw_curves(panels[1], outcomes, lambda epoch: epoch.balanced_accuracy)
    panels[1].set(title="Validation images", ylabel="balanced accuracy")
    _draw_curves(panels[2], outcomes, lambda epoch: epoch.auroc)
    panels[2].set(title="Validation images (dot: the kept epoch)", ylabel="AUROC")
    for outcome in outcomes:
        kept = outcome.history
        panels[2].plot(kept.best + 1, kept.kept.auroc, "o", color=COLOURS[outcome.place.arm], markersize=4)
    panels[0].legend()
    _save(figure, path)


def save_trainings(path: Path, table: pd.DataFrame) -> None:
    """Every figure on the test split: a line a fold and seed from arm to arm, a bar for each arm's mean."""
    figure = Figure(figsize=(13, 7), dpi=120, layout="constrained")
    figure.suptitle("Scores on the test split: a line is a fold and seed, a bar the mean of an arm")
    arms = [arm for arm in ARMS if arm in set(table["arm"])]
    panels = figure.subplots(2, -(-len(METRICS) // 2)).flat
    for panel, (name, label) in zip(panels, METRICS.items(), strict=True):
        values = table.pivot(index=["fold", "seed"], columns="arm", values=name)[arms].to_numpy()
        panel.plot(np.arange(len(arms)), values.T, "-", color="0.75", linewidth=1)
        for position, arm in enumerate(arms):
            panel.plot(np.full(len(values), position), values[:, position], "o", color=COLOURS[arm], markersize=5)
            mean = values[:, position].mean()
            panel.plot([position - 0.25, position + 0.25], [mean, mean], color=COLOURS[arm], linewidth=3)
        panel.set_title(label, fontsize="medium")
        panel.set_xticks(np.arange(len(arms)), arms, rotation=35, ha="right", fontsize="x-small")
        panel.set_xlim(-0.5, len(arms) - 0.5)
        panel.ticklabel_format(axis="y", useOffset=False)
    _save(figure, path)


def save_roc(path: Path, pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Mean ROC of each arm's trainings, with the 95 % band that other patients would make of it."""
    figure = Figure(figsize=(6, 6), dpi=120, layout="constrained")
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
    _save(figure, path)


def save_confusion(path: Path, pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Test images by true and predicted class, an arm a panel; its trainings' probabilities are averaged."""
    grouped = by_key(outcomes)
    figure = Figure(figsize=(1 + 3.4 * len(grouped), 3.8), dpi=120, layout="constrained")
    panels = figure.subplots(1, len(grouped), squeeze=False)[0]
    labels = test_labels(pool)
    for panel, ((arm, _), ones) in zip(panels, grouped.items(), strict=True):
        counts = confusion_matrix(labels, together(ones).argmax(axis=1), labels=np.arange(len(pool.classes)))
        display = ConfusionMatrixDisplay(counts, display_labels=pool.classes)
        display.plot(ax=panel, colorbar=False, cmap="Blues", xticks_rotation=20)
        panel.set_title(arm, fontsize="medium")
        if panel is not panels[0]:
            panel.set_ylabel("")
    _save(figure, path)


def save_gain(path: Path, summary: Mapping[str, Any]) -> None:
    """AUROC of each arm, and its difference to the baseline, against the share of real training images."""
    figure = Figure(figsize=(11, 4.5), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2)
    fractions = sorted({result["fraction"] for result in summary["results"]})
    for arm in ARMS:
        points = [(one["fraction"], one["test"][LEADING]) for one in summary["results"] if one["arm"] == arm]
        _draw_points(left, arm, points)
        gains = [(one["fraction"], one["difference"][LEADING]) for one in summary["comparisons"] if one["arm"] == arm]
        _draw_points(right, arm, gains)
    right.axhline(0, color=COLOURS[summary["baseline"]], linewidth=1)
    left.set(title="Test split", ylabel="AUROC")
    right.set(title=f"Gain over {summary['baseline']}", ylabel="difference of AUROC")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(ARMS))
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(fractions, [f"{100 * fraction:g} %" for fraction in fractions])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("real training images")
    _save(figure, path)


def _draw_points(axes: Axes, arm: str, points: Sequence[tuple[float, Mapping[str, Any]]]) -> None:
    if not points:
        return
    place = 1 + 0.02 * (list(ARMS).index(arm) - len(ARMS) / 2)  # intervals beside one another, not on one another
    x = [fraction * place for fraction, _ in points]
    means = np.array([figure["mean"] for _, figure in points])
    ends = np.array([figure["interval"] for _, figure in points], dtype=np.float64)  # None → NaN
    axes.errorbar(x, means, yerr=np.abs(ends.T - means), fmt="o-", color=COLOURS[arm], label=arm, capsize=3)


def _sensitivities(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """The ROC at `GRID`: of the last class of two, else the mean of one against the rest; NaN where one is absent."""
    classes = probabilities.shape[1]
    of = [1] if classes == 2 else range(classes)
    if len(np.unique(labels)) < classes:
        return np.full(len(GRID), np.nan)
    curves = [roc_curve(labels == k, probabilities[:, k], drop_intermediate=False)[:2] for k in of]
    return np.asarray(np.mean([np.interp(GRID, false, true) for false, true in curves], axis=0))


def _draw_curves(axes: Axes, outcomes: Sequence[Outcome], of: Callable[[Epoch], float]) -> None:
    """Trainings that stopped early end early; the mean is drawn as far as all of them go."""
    for (arm, _), ones in by_key(outcomes).items():
        curves = [[of(epoch) for epoch in one.history.epochs] for one in ones]
        for curve in curves:
            axes.plot(np.arange(1, len(curve) + 1), curve, color=COLOURS[arm], linewidth=0.7, alpha=0.5)
        common = min(map(len, curves))
        mean = np.mean([curve[:common] for curve in curves], axis=0)
        axes.plot(np.arange(1, common + 1), mean, color=COLOURS[arm], linewidth=2.5, label=arm)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
