"""What `evaluate --memorisation` says."""

from typing import Any

import numpy as np
import pytest

from tests.evaluation.chests import chests
from xrgan.evaluation.memorisation import copies
from xrgan.evaluation.memorisation.report import memorisation

pytestmark = pytest.mark.slow

TRAINING, HELD_OUT = chests(100, 0), chests(20, 1)


def features(images: np.ndarray) -> np.ndarray:
    return images[:, 0, ::2, ::2].reshape(len(images), -1).astype(np.float32)


def figure_of(synthetic: np.ndarray, held_out: np.ndarray = HELD_OUT, with_features: bool = True) -> dict[str, Any]:
    known = [features(images) if with_features else None for images in (TRAINING, held_out, synthetic)]
    detector = copies.fit(TRAINING, held_out, known[0], known[1])
    return memorisation(detector, copies.judge(detector, synthetic, known[2]))


def test_planted_copies_are_counted_and_named() -> None:
    synthetic = np.concatenate([chests(45, 4), TRAINING[10:15]])
    figure = figure_of(synthetic)
    assert figure["value"] == figure["suspects"] / 50 and 5 <= figure["suspects"] <= 10
    assert figure["interval"][0] < figure["value"] < figure["interval"][1]
    assert (figure["n"], figure["floor_n"], figure["among"]) == (50, 20, 100)
    assert {(pair["synthetic"], pair["training"]) for pair in figure["closest"][:5]} == {
        (45 + k, 10 + k) for k in range(5)
    }
    assert len(figure["closest"]) == 10
    nearness = [pair["nearness"] for pair in figure["closest"]]
    assert nearness == sorted(nearness) and nearness[4] < 0.1
    assert sum(pair["nearness"] <= 1 for pair in figure["closest"]) == figure["suspects"]
    assert set(figure["spaces"]) == {"pixels", "halves", "features"}


def test_a_generator_that_only_copies_and_an_honest_one() -> None:
    copying, honest = figure_of(TRAINING[:12]), figure_of(chests(20, 4))
    assert copying["value"] == 1 and honest["value"] < 0.15
    assert copying["authenticity"]["value"] == 0
    assert honest["authenticity"]["value"] == pytest.approx(honest["authenticity"]["floor"], abs=0.25)
    for space in ("pixels", "halves", "features"):
        assert copying["spaces"][space]["distance_ratio"] == pytest.approx(0, abs=0.02)
        assert honest["spaces"][space]["distance_ratio"] == pytest.approx(1, abs=0.1)


def test_authenticity_is_that_of_the_paper() -> None:
    """Alaa et al. 2022: farther from the nearest training image than another training image is from that."""
    synthetic = np.concatenate(
        [chests(10, 4), TRAINING[:3], (0.6 * TRAINING[5:15] + 0.4 * TRAINING[50:60]).astype("u1")]
    )
    figure = figure_of(synthetic)
    real, drawn = features(TRAINING), features(synthetic)
    among_real = np.linalg.norm(real[:, None] - real, axis=2) + 1e6 * np.eye(len(real))
    to_real = np.linalg.norm(drawn[:, None] - real, axis=2)
    authentic = to_real.min(axis=1) > among_real.min(axis=1)[to_real.argmin(axis=1)]
    assert 0.05 < authentic.mean() < 0.95
    assert figure["authenticity"]["value"] == pytest.approx(authentic.mean())


def test_few_held_out_images_and_leaked_ones_are_said() -> None:
    figure = figure_of(chests(5, 4))
    assert "among 100 training images; thresholds from 20 held-out ones: coarse, 600 would do" in figure["note"]
    assert "warning" not in figure
    alone = figure_of(chests(5, 4), with_features=False)
    assert "coarse, 400 would do" in alone["note"] and "authenticity" not in alone
    leaking = figure_of(chests(5, 4), np.concatenate([HELD_OUT, TRAINING[:3]]))
    assert "3 of 23 held-out images are copies of training images" in leaking["warning"]
    assert leaking["floor_n"] == 20
    same = figure_of(chests(5, 4), TRAINING[:9])
    assert same["floor"] is None and same["ratio"] is None and "no held-out one" in same["note"]


def test_two_images_of_each_will_do() -> None:
    figure = figure_of(chests(2, 4), HELD_OUT[:2])
    assert figure["n"] == 2 and len(figure["closest"]) == 2
