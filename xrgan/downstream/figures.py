"""Two pictures of a study: how training went, and what each fold scored."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xrgan.downstream.classifier import Epoch
from xrgan.downstream.outcome import ARMS, Outcome, by_fold
from xrgan.downstream.scores import METRICS
from xrgan.files import replacing

COLOURS = dict(zip(ARMS, ("#4477aa", "#ee6677"), strict=True))  # told apart by the colour-blind (Tol's bright)


def save_curves(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Loss and validation accuracy over epochs: a thin line a fold, a thick one for the mean of each arm."""
    figure = Figure(figsize=(10, 4), dpi=120, layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_curves(left, outcomes, lambda epoch: epoch.loss)
    left.set(title="Training loss", ylabel="cross-entropy")
    left.set_ylim(bottom=0)
    _draw_curves(right, outcomes, lambda epoch: epoch.balanced_accuracy)
    right.set(title="Left-out fold (dot: the epoch that was kept)", ylabel="balanced accuracy")
    for outcome in outcomes:
        best = outcome.history.best
        height = outcome.history.epochs[best].balanced_accuracy
        right.plot(best + 1, height, "o", color=COLOURS[outcome.arm], markersize=4)
    right.legend(loc="lower right")
    _save(figure, path)


def save_folds(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Every figure on the test split: a line a fold from one arm to the other, a bar for each arm's mean."""
    figure = Figure(figsize=(12, 4), dpi=120, layout="constrained")
    figure.suptitle("Scores on the test split: a line is a fold, a bar the mean of an arm")
    panels = figure.subplots(1, len(METRICS), sharey=True)  # each on its own scale would blow up what is small
    for panel, (name, label) in zip(panels, METRICS.items(), strict=True):
        values = np.stack([by_fold(outcomes, arm, name) for arm in ARMS])  # (2, folds)
        panel.plot([0, 1], values, "-", color="0.75", linewidth=1)
        for position, arm in enumerate(ARMS):
            panel.plot(np.full(values.shape[1], position), values[position], "o", color=COLOURS[arm], markersize=5)
            mean = values[position].mean()
            panel.plot([position - 0.2, position + 0.2], [mean, mean], color=COLOURS[arm], linewidth=3)
        panel.set_title(label, fontsize="medium")
        panel.set_xticks([0, 1], ["real", "real +\nsynthetic"])
        panel.set_xlim(-0.4, 1.4)
        panel.ticklabel_format(axis="y", useOffset=False)
    _save(figure, path)


def _draw_curves(axes: Axes, outcomes: Sequence[Outcome], of: Callable[[Epoch], float]) -> None:
    for arm in ARMS:
        curves = np.array([[of(epoch) for epoch in o.history.epochs] for o in outcomes if o.arm == arm])
        epochs = np.arange(1, curves.shape[1] + 1)
        axes.plot(epochs, curves.T, color=COLOURS[arm], linewidth=0.7, alpha=0.5)
        axes.plot(epochs, curves.mean(axis=0), color=COLOURS[arm], linewidth=2.5, label=arm)
    axes.set_xlabel("epoch (passes over the fold's real images)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png")
