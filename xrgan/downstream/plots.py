"""Pictures that every study has: how training went, what each fold scored, and what few real images do."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from xrgan.downstream.arms import ARMS
from xrgan.downstream.comparison import by_key
from xrgan.downstream.trial import Trial
from xrgan.plots import new_figure, save_figure

# Told apart by the colour-blind (Tol's bright).
COLOURS = dict(zip(ARMS, ("#4477aa", "#66ccee", "#ee6677", "#228833", "#ccbb44"), strict=True))
PANEL = 13 / 3  # inches

Epoch = TypeVar("Epoch")


@dataclass(frozen=True)
class Curve(Generic[Epoch]):
    """A panel of `save_curves`."""

    title: str
    label: str
    of: Callable[[Epoch], float]


def save_curves(path: Path, trials: Sequence[Trial[Epoch]], curves: Sequence[Curve[Epoch]]) -> None:
    """Figures over epochs: a thin line a training, a thick one for the mean of each arm, on the last a dot where kept.

    Args:
        curves: the first one a loss, the last one the figure by which epochs are chosen.
    """
    figure = new_figure(PANEL * len(curves), 4)
    panels = figure.subplots(1, len(curves))
    for panel, curve in zip(panels, curves, strict=True):
        _draw_curves(panel, trials, curve.of)
        panel.set(title=curve.title, ylabel=curve.label)
    panels[0].set_ylim(bottom=0)
    for trial in trials:
        kept = trial.history
        panels[-1].plot(kept.best + 1, curves[-1].of(kept.kept), "o", color=COLOURS[trial.place.arm], markersize=4)
    panels[0].legend()
    save_figure(figure, path)


def save_trainings(path: Path, table: pd.DataFrame, metrics: Mapping[str, str], rows: int) -> None:
    """Every figure on the test split: a line a fold and seed from arm to arm, a bar for each arm's mean.

    Args:
        table: a row a training; columns arm, fold, seed, and those of `metrics`.
        metrics: column → label.
        rows: of panels.
    """
    columns = -(-len(metrics) // rows)
    figure = new_figure(max(2.6 * columns, 6.5), 0.5 + 3.25 * rows)
    figure.suptitle("Scores on the test split: a line is a fold and seed, a bar the mean of an arm")
    arms = [arm for arm in ARMS if arm in set(table["arm"])]
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for panel, (name, label) in zip(panels, metrics.items(), strict=True):
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
    save_figure(figure, path)


def save_gain(path: Path, summary: Mapping[str, Any], leading: str, label: str) -> bool:
    """The leading figure of each arm, and its difference to the baseline, against the share of real training images.

    Returns:
        Whether there are several shares; else there is no such picture, and one of another study is removed.
    """
    fractions = sorted({one["fraction"] for one in summary["results"]})
    if len(fractions) == 1:
        path.unlink(missing_ok=True)
        return False
    figure = new_figure(11, 4.5)
    left, right = figure.subplots(1, 2)
    for arm in ARMS:
        points = [(one["fraction"], one["test"][leading]) for one in summary["results"] if one["arm"] == arm]
        _draw_points(left, arm, points)
        gains = [(one["fraction"], one["difference"][leading]) for one in summary["comparisons"] if one["arm"] == arm]
        _draw_points(right, arm, gains)
    right.axhline(0, color=COLOURS[summary["baseline"]], linewidth=1)
    left.set(title="Test split", ylabel=label)
    right.set(title=f"Gain over {summary['baseline']}", ylabel=f"difference of {label}")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(ARMS))
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(fractions, [f"{100 * fraction:g} %" for fraction in fractions])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("real training images")
    save_figure(figure, path)
    return True


def _draw_points(axes: Axes, arm: str, points: Sequence[tuple[float, Mapping[str, Any]]]) -> None:
    if not points:
        return
    place = 1 + 0.02 * (list(ARMS).index(arm) - len(ARMS) / 2)  # intervals beside one another, not on one another
    x = [fraction * place for fraction, _ in points]
    means = np.array([figure["mean"] for _, figure in points])
    ends = np.array([figure["interval"] for _, figure in points], dtype=np.float64)  # None → NaN
    axes.errorbar(x, means, yerr=np.abs(ends.T - means), fmt="o-", color=COLOURS[arm], label=arm, capsize=3)


def _draw_curves(axes: Axes, trials: Sequence[Trial[Epoch]], of: Callable[[Epoch], float]) -> None:
    """Trainings that stopped early end early; the mean is drawn as far as all of them go."""
    for (arm, _), ones in by_key(trials).items():
        curves = [[of(epoch) for epoch in one.history.epochs] for one in ones]
        for curve in curves:
            axes.plot(np.arange(1, len(curve) + 1), curve, color=COLOURS[arm], linewidth=0.7, alpha=0.5)
        common = min(map(len, curves))
        mean = np.mean([curve[:common] for curve in curves], axis=0)
        axes.plot(np.arange(1, common + 1), mean, color=COLOURS[arm], linewidth=2.5, label=arm)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
