"""Pictures that every study has: how training went, what each fold scored, and what few real images do."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator
from scipy import stats

from xrgan.downstream.arms import ARMS
from xrgan.downstream.summary import Effect, Figure, Summary
from xrgan.downstream.trial import Trial, by_arm
from xrgan.plots import new_figure, save_figure

PANEL = 13 / 3  # inches
MOST_IN_A_ROW = 6  # panels
LEAST_SPAN = 0.1  # of an axis
LEGEND_COLUMNS = 4  # of names as long as synthetic→real+classic
LEAST_FOR_A_BAND = 3  # trainings
Interval = Sequence[float | None]


def save_curves(path: Path, trials: Sequence[Trial], loss: str, validation: Mapping[str, str]) -> None:
    """Figures over epochs: a thin line per training, a thick one for each arm's mean, on the last a dot where kept.

    A band is the mean's 95 % interval over trainings (Student's t), where there are `LEAST_FOR_A_BAND` or more.

    Args:
        loss: label of the training loss.
        validation: figure → label, the one by which epochs are chosen first.
    """
    curves = {"loss": [[epoch.loss for epoch in trial.history.epochs] for trial in trials]}
    labels = {"loss": loss} | dict(reversed([*validation.items()]))
    for name in validation:
        curves[name] = [[epoch.validation[name] for epoch in trial.history.epochs] for trial in trials]
    figure = new_figure(PANEL * len(labels), 4)
    panels = figure.subplots(1, len(labels))
    for panel, (name, label) in zip(panels, labels.items(), strict=True):
        _draw_curves(panel, trials, curves[name])
        panel.set(title="Validation images", ylabel=label)
        _widen(panel)
        if name != "loss":  # shares: a band beyond 0 and 1 says nothing
            low, high = panel.get_ylim()
            panel.set_ylim(max(low, 0), min(high, 1.01))
    panels[0].set_title("Training loss")
    panels[0].set_ylim(bottom=0)
    panels[-1].set_title("Validation images (dot: the kept epoch)")
    for trial in trials:
        best, colour = trial.history.best + 1, ARMS[trial.key.arm].colour
        panels[-1].plot(best, trial.history.kept.score, "o", color=colour, markersize=4)
    panels[0].legend()
    save_figure(figure, path)


def save_trainings(
    path: Path, table: pd.DataFrame, metrics: Mapping[str, str], intervals: Mapping[tuple[str, str], Interval]
) -> None:
    """Every figure on the test split: a line per fold and seed from arm to arm, a bar and an interval for each mean.

    Args:
        table: one row per training; columns arm, fold, seed, and those of `metrics`.
        metrics: column → label.
        intervals: arm and column → the 95 % interval of the arm's mean over patients; None = unknown.
    """
    rows = 1 + (len(metrics) > MOST_IN_A_ROW)
    columns = -(-len(metrics) // rows)
    figure = new_figure(max(2.6 * columns, 6.5), 0.5 + 3.25 * rows)
    figure.suptitle(
        "Test split. Line: a fold and seed. Bar: an arm's mean, with its 95 % interval over patients", fontsize="medium"
    )
    arms = [arm for arm in ARMS if arm in set(table["arm"])]
    panels = figure.subplots(rows, columns, squeeze=False).flat
    for (name, label), panel in zip(metrics.items(), panels, strict=False):
        values = table.pivot(index=["fold", "seed"], columns="arm", values=name)[arms].to_numpy()
        panel.plot(np.arange(len(arms)), values.T, "-", color="0.75", linewidth=1)
        for position, arm in enumerate(arms):
            colour, mean = ARMS[arm].colour, values[:, position].mean()
            panel.plot(np.full(len(values), position), values[:, position], "o", color=colour, markersize=5)
            panel.plot([position - 0.25, position + 0.25], [mean, mean], color=colour, linewidth=3)
            low, high = np.array(intervals[arm, name], dtype=np.float64)  # None → NaN, which isn't drawn
            panel.vlines(position + 0.25, low, high, color=colour, linewidth=1.5)
        panel.set_title(label, fontsize="medium")
        panel.set_xticks(np.arange(len(arms)), arms, rotation=35, ha="right", fontsize="x-small")
        panel.set_xlim(-0.5, len(arms) - 0.5)
        panel.ticklabel_format(axis="y", useOffset=False)
        _widen(panel)
    for panel in panels:  # that are left over
        panel.set_visible(False)
    save_figure(figure, path)


def save_gain(path: Path, summary: Summary, leading: str, label: str) -> bool:
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
        gains = [(one["fraction"], one["effect"]) for one in summary["comparisons"] if one["arm"] == arm]
        _draw_points(right, arm, gains)
    right.axhline(0, color=ARMS[summary["baseline"]].colour, linewidth=1)
    left.set(title="Test split (95 % over patients)", ylabel=label)
    others = sorted({one["against"] for one in summary["comparisons"]} - {summary["baseline"]})
    beside = "".join(f"; with classic and synthetic: over {other}" for other in others)
    title = f"Gain over {summary['baseline']}{beside}\n(95 % over patients and trainings)"
    right.set(ylabel=f"difference of {label}")
    right.set_title(title, fontsize="medium")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=LEGEND_COLUMNS)
    for axes in (left, right):
        _widen(axes)
        axes.set_xscale("log")
        axes.set_xticks(fractions, [f"{100 * fraction:g} %" for fraction in fractions])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("real training images")
    save_figure(figure, path)
    return True


def _widen(axes: Axes) -> None:
    """Show `LEAST_SPAN` of a figure at least: differences that are chance should look like it."""
    low, high = axes.get_ylim()
    missing = max(0.0, LEAST_SPAN - (high - low))
    axes.set_ylim(low - missing / 2, high + missing / 2)


def _draw_points(axes: Axes, arm: str, points: Sequence[tuple[float, Figure | Effect]]) -> None:
    if not points:
        return
    place = 1 + 0.02 * (list(ARMS).index(arm) - len(ARMS) / 2)  # intervals beside one another, not on one another
    x = [fraction * place for fraction, _ in points]
    means = np.array([figure["mean"] for _, figure in points])
    ends = np.array([figure["interval"] for _, figure in points], dtype=np.float64)  # None → NaN
    axes.errorbar(x, means, yerr=np.abs(ends.T - means), fmt="o-", color=ARMS[arm].colour, label=arm, capsize=3)


def _draw_curves(axes: Axes, trials: Sequence[Trial], curves: Sequence[Sequence[float]]) -> None:
    """Trainings that stopped early end early; the mean is drawn as far as all of them go.

    Args:
        curves: of each training.
    """
    for arm in by_arm(trials):
        of_arm = [curve for trial, curve in zip(trials, curves, strict=True) if trial.arm_key == arm]
        colour = ARMS[arm[0]].colour
        for curve in of_arm:
            axes.plot(np.arange(1, len(curve) + 1), curve, color=colour, linewidth=0.7, alpha=0.5)
        common = min(map(len, of_arm))
        values, epochs = np.array([curve[:common] for curve in of_arm]), np.arange(1, common + 1)
        mean = values.mean(axis=0)
        axes.plot(epochs, mean, color=colour, linewidth=2.5, label=arm[0])
        if len(of_arm) >= LEAST_FOR_A_BAND:
            half = stats.t.ppf(0.975, len(of_arm) - 1) * stats.sem(values, axis=0)
            axes.fill_between(epochs, mean - half, mean + half, color=colour, alpha=0.12, linewidth=0)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
