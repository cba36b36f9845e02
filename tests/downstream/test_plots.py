"""Pictures of any study: they are there, they have their colours, and they go where there is nothing to show."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tests.downstream.blobs import QUICK, constructed, summarised, toy_dataset
from xrgan.downstream import plots
from xrgan.downstream.arms import ARMS
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.plots import LEAST_FOR_A_BAND, LEAST_SPAN, save_curves, save_gain, save_trainings

pytestmark = pytest.mark.slow

DATASET = toy_dataset(train=60, test=30)
POOL = gather(DATASET)
OWN = cut(POOL, 0, 0)


def colours(path: Path) -> set[str]:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    return {"#" + "".join(f"{value:02x}" for value in pixel) for pixel in np.unique(pixels, axis=0)}


def unknown(metrics: Iterable[str]) -> dict[tuple[str, str], list[None]]:
    """No interval of any arm and metric."""
    return {(arm, name): [None, None] for arm in ("real", "synthetic") for name in metrics}


def test_curves_have_a_colour_for_each_arm_and_no_other(tmp_path: Path) -> None:
    trials = constructed(POOL, OWN, {"real": 1, "synthetic": 2}, seeds=2)
    save_curves(tmp_path / "curves.png", trials, "loss", {"auroc": "AUROC", "balanced_accuracy": "accuracy"})
    found = colours(tmp_path / "curves.png")
    assert {ARMS["real"].colour, ARMS["synthetic"].colour} <= found
    assert not {ARMS["real+classic"].colour, ARMS["real+synthetic"].colour} & found


def test_curves_have_a_band_where_there_are_trainings_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bands: list[int] = []

    def look(figure: Figure, _: Path) -> None:
        bands.append(sum(len(axes.collections) for axes in figure.axes))

    monkeypatch.setattr(plots, "save_figure", look)
    for seeds in (LEAST_FOR_A_BAND - 1, LEAST_FOR_A_BAND):
        trials = constructed(POOL, OWN, {"real": 1, "synthetic": 2}, seeds=seeds)
        save_curves(tmp_path / "curves.png", trials, "loss", {"auroc": "AUROC", "balanced_accuracy": "accuracy"})
    assert bands == [0, 6], "one for each arm in each panel"


def test_trainings_lie_in_as_many_panels_as_there_are_figures(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"arm": ["real", "synthetic"], "fold": [0, 0], "seed": [1, 1], "a": [0.1, 0.2], "b": [1.0, 2.0]}
    )
    few, many = tmp_path / "few.png", tmp_path / "many.png"
    save_trainings(few, table, {"a": "A", "b": "B"}, unknown("ab"))
    seven = {f"a{k}": f"A{k}" for k in range(7)}
    save_trainings(many, table.assign(**dict.fromkeys(seven, table["a"])), seven, unknown(seven))
    with Image.open(few) as one_row, Image.open(many) as two_rows:
        assert two_rows.height > 1.7 * one_row.height
    assert ARMS["synthetic"].colour in colours(many)


def test_the_gain_needs_several_fractions_and_one_of_another_study_goes(tmp_path: Path) -> None:
    path = tmp_path / "gain.png"
    config = QUICK.model_copy(update={"arms": ("real", "synthetic"), "k_folds": 0, "seeds": 1, "resamples": 5})
    trials = constructed(POOL, OWN, {"real": 1, "synthetic": 2}, fractions=(0.1, 1.0))
    summary = summarised(DATASET, POOL, OWN, config.model_copy(update={"fractions": (0.1, 1.0)}), trials)
    assert summary["comparisons"][0]["effect"]["interval"] == [None, None], "one training: a point without an interval"
    assert save_gain(path, summary, "auroc", "AUROC") and ARMS["synthetic"].colour in colours(path)
    one = [trial for trial in trials if trial.key.fraction == 1]
    assert not save_gain(path, summarised(DATASET, POOL, OWN, config, one), "auroc", "AUROC") and not path.exists()


def test_an_axis_is_never_so_narrow_that_chance_looks_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spans: list[float] = []

    def look(figure: Figure, _: Path) -> None:
        spans.extend(float(np.ptp(axes.get_ylim())) for axes in figure.axes)

    monkeypatch.setattr(plots, "save_figure", look)
    arms = {"arm": ["real", "synthetic"], "fold": [0, 0], "seed": [1, 1]}
    table = pd.DataFrame(arms | {"a": [0.9301, 0.9302], "b": [0.2, 0.9], "c": [0.5, 0.5]})
    intervals = unknown("ab") | {("real", "c"): [0.2, 0.8], ("synthetic", "c"): [0.1, 0.6]}
    save_trainings(tmp_path / "folds.png", table, {"a": "A", "b": "B", "c": "C"}, intervals)
    assert spans[0] == pytest.approx(LEAST_SPAN) and spans[1] > 0.7
    assert spans[2] > 0.7, "intervals are within the axis"
