"""Scores of features: each class by itself, floors and intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xrgan.evaluation import feature_metrics
from xrgan.evaluation.feature_metrics import FeatureSets
from xrgan.evaluation.image_sets import Comparison, ImageSet
from xrgan.evaluation.scores_table import COLUMNS, rows

Draw = Callable[..., np.ndarray]
Score = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_classes_have_their_own_scores(score: Score, draw: Draw) -> None:
    real, synthetic, other = draw(40, seed=0), draw(40, seed=1), draw(40, seed=2)
    synthetic[:20] = np.minimum(synthetic[:20].astype(int) + 60, 255)  # only the first class is off
    labels = np.repeat([0, 1], 20)
    scores = score(
        real,
        synthetic,
        other,
        metrics=("fid", "kid", "prdc"),
        real_labels=labels,
        synthetic_labels=labels,
        other_labels=labels,
        classes=("NORMAL", "PNEUMONIA"),
    )
    for name in ("fid", "kid"):
        per_class = scores["metrics"][name]["per_class"]
        assert per_class["NORMAL"]["value"] > 3 * per_class["PNEUMONIA"]["value"]
        assert per_class["NORMAL"]["n"] == 20
    assert scores["metrics"]["coverage"]["per_class"]["PNEUMONIA"]["value"] > 0.5


@pytest.mark.slow
def test_two_images_are_enough(score: Score, draw: Draw) -> None:
    scores = score(draw(2, seed=0), draw(2, seed=1), draw(2, seed=2), metrics=())
    assert not any("interval" in scores["metrics"][name] for name in ("kid", "precision", "coverage"))
    assert all(np.isfinite(figure["value"]) for figure in scores["metrics"].values())
    assert rows(scores)[0][COLUMNS.index("N")] == "2"


def test_a_floor_of_fewer_images_gives_no_ratio_of_fid() -> None:
    rng = np.random.default_rng(0)
    real, synthetic, few = (rng.normal(size=(n, 8)).astype(np.float32) for n in (40, 40, 20))
    alike = feature_metrics.fid_scores(FeatureSets(real, synthetic, (real, synthetic)), 0)["fid"]
    assert alike["ratio"] == pytest.approx(1)
    fewer = feature_metrics.fid_scores(FeatureSets(real, synthetic, (real[:20], few)), 0)["fid"]
    assert fewer["floor"] > 0 and fewer["ratio"] is None
    alone = feature_metrics.fid_scores(FeatureSets(real, synthetic, (real[:1], few[:1])), 0)["fid"]
    assert alone["floor"] is None and alone["ratio"] is None


def test_a_floor_of_kid_within_its_error_gives_no_ratio() -> None:
    rng = np.random.default_rng(0)
    real, other = (rng.normal(size=(60, 8)).astype(np.float32) for _ in range(2))
    apart = real + 1
    noise = feature_metrics.kid_scores(FeatureSets(real, apart, (real, other)), 0)["kid"]
    assert noise["ratio"] is None and abs(noise["floor"]) < 3 * noise["floor_error"]
    known = feature_metrics.kid_scores(FeatureSets(real, apart, (real, other + 0.5)), 0)["kid"]
    assert known["ratio"] > 1 and known["interval"][0] < known["value"] < known["interval"][1]


def test_a_class_with_one_image_has_no_scores_of_its_own() -> None:
    images = np.zeros((4, 1, 8, 8), np.uint8)
    labels = np.array([0, 0, 0, 1])
    one = ImageSet(images, labels)
    comparison = Comparison(one, one, (one, one), None, one, ("A", "B"), "held-out")
    layer = np.arange(8, dtype=np.float32).reshape(4, 2)
    parts = dict(feature_metrics.per_class(comparison, FeatureSets(layer, layer, (layer, layer))))
    assert list(parts) == ["A"] and np.array_equal(parts["A"].synthetic, layer[:3])
