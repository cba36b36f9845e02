"""The table of metrics: each row is whole, and a row and a function are all that a metric takes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xrgan.errors import XrganError
from xrgan.evaluation import metric_table
from xrgan.evaluation.feature_metrics import FeatureSets
from xrgan.evaluation.metric_table import METRICS, Display, Metric, MetricInputs, displays
from xrgan.evaluation.scores_file import Score
from xrgan.evaluation.scores_table import headline, rows

Draw = Callable[..., np.ndarray]
Scoring = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_row_names_a_function_and_a_help_sentence(metric: Metric) -> None:
    assert callable(metric.function()) and metric.function().__doc__
    assert metric.help.endswith(".") and metric.scores and metric.title
    assert metric.layer is None or not (metric.needs_extractor or metric.least_pixels)


def test_no_name_is_given_twice() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert len(displays()) == sum(len(metric.scores) for metric in METRICS)
    assert not any("@" in name for name in displays())


def test_the_table_is_read_without_the_libraries_that_take_time() -> None:
    late = ["torch", "numpy", "pandas", "scipy", "matplotlib", "skimage", "torchmetrics", "torch_fidelity"]
    modules = "xrgan.evaluation.metric_table, xrgan.evaluation.scores_table"
    code = f"import sys, {modules}; print(sorted(set({late}) & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout == "[]\n"


def mean_distance(sets: FeatureSets, _seed: int) -> dict[str, Score]:
    """How far the mean features lie apart."""
    value = float(np.linalg.norm(sets.real.mean(axis=0) - sets.synthetic.mean(axis=0)))
    floor = float(np.linalg.norm(sets.floor[0].mean(axis=0) - sets.floor[1].mean(axis=0)))
    return {"mean_distance": {"value": value, "floor": floor, "ratio": value / floor}}


def brightness(inputs: MetricInputs) -> dict[str, Score]:
    """The mean gray level, beside that of real images."""
    real, synthetic = inputs.comparison.real.images, inputs.comparison.synthetic.images
    return {"brightness": {"value": float(synthetic.mean()), "floor": float(real.mean()), "n": len(synthetic)}}


def test_a_function_and_a_row_make_a_metric_of_features(
    score: Scoring, draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Metric(
        "toy",
        "The toy",
        help="Distance of the means.",
        compute=f"{__name__}:mean_distance",
        scores={"mean_distance": Display("Mean distance", "0 = equal means", digits=1)},
        layer="last",
        few_images="Few: {n} images, {layer} features.",
    )
    monkeypatch.setattr(metric_table, "METRICS", [*METRICS, toy])
    labels = np.repeat([0, 1], 10)
    sets = draw(20, seed=0), draw(20, seed=1, brightness=60), draw(20, seed=2)
    named = {"real_labels": labels, "synthetic_labels": labels, "other_labels": labels, "classes": ("A", "B")}
    scores = score(*sets, metrics=("toy",), **named)
    found = scores["metrics"]["mean_distance"]
    assert found["value"] > found["floor"] and found["layer"] == 2048 and found["n"] == 20
    assert set(found["per_class"]) == {"A", "B"} and scores["notes"] == ["Few: 20 images, 2048 features."]
    assert [row[0] for row in rows(scores)] == ["Mean distance", "– A", "– B"]
    assert rows(scores)[0][1] == f"{found['value']:.1f}" and rows(scores)[0][-1] == "0 = equal means"
    assert headline(scores).startswith("Mean distance ")


def test_a_metric_of_images_says_what_it_lacks(
    score: Scoring, draw: Draw, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toy = Metric(
        "brightness",
        "Brightness",
        help="Mean gray level.",
        compute=f"{__name__}:brightness",
        scores={"brightness": Display("Brightness", "gray levels")},
        least_pixels=33,
    )
    monkeypatch.setattr(metric_table, "METRICS", [toy])
    with pytest.raises(XrganError, match="Brightness needs images of 33 pixels or more, not 32×32"):
        score(*(draw(5, seed=seed) for seed in range(3)), metrics=("brightness",))
    scores = score(*(draw(5, seed=seed, size=40) for seed in range(3)), metrics=("brightness",))
    assert list(scores["metrics"]) == ["brightness"] and 0 < scores["metrics"]["brightness"]["value"] < 256
