"""SSIM of the compared images: diversity, copying, and each class by itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xrgan.errors import XrganError
from xrgan.evaluation.scores_table import rows

Draw = Callable[..., np.ndarray]
Score = Callable[..., dict[str, Any]]


@pytest.mark.slow
def test_ms_ssim_where_the_size_allows_it(score: Score, draw: Draw) -> None:
    same, real = np.repeat(draw(1, seed=1, size=176), 4, axis=0), draw(4, seed=0, size=176)
    figure = score(real, same, real, metrics=("ms-ssim",))["metrics"]["ms_ssim"]
    assert figure["value"] == pytest.approx(1) and figure["floor"] < 0.9
    with pytest.raises(XrganError, match="MS-SSIM needs images of 176 pixels or more, not 32×32"):
        score(*(draw(3, seed=seed) for seed in range(3)), metrics=("ms-ssim",))


@pytest.mark.slow
def test_ssim_tells_copies_and_sameness(score: Score, draw: Draw) -> None:
    real, training = draw(30, seed=0), draw(60, seed=1)
    copies = score(real, training[:30], training, metrics=("ssim",))["metrics"]
    assert copies["ssim_nearest"]["value"] == pytest.approx(1)
    assert copies["ssim_nearest"]["ratio"] > 1.3 and copies["ssim_nearest"]["among"] == 60
    assert copies["ssim_diversity"]["value"] == pytest.approx(copies["ssim_diversity"]["floor"], abs=0.1)
    collapsed = score(real, np.repeat(draw(1, seed=2), 30, axis=0), training, metrics=("ssim",))["metrics"]
    assert collapsed["ssim_diversity"]["value"] == pytest.approx(1)
    assert collapsed["ssim_nearest"]["ratio"] < 1.2


def test_classes_have_their_own_diversity(score: Score, draw: Draw) -> None:
    real, synthetic = draw(20, seed=0), draw(20, seed=1)
    synthetic[:10] = synthetic[0]  # the first class has collapsed, the second not
    labels = np.repeat([0, 1], 10)
    scores = score(
        real,
        synthetic,
        draw(20, seed=2),
        metrics=("ssim",),
        real_labels=labels,
        synthetic_labels=labels,
        classes=("NORMAL", "PNEUMONIA", "NONE OF THESE"),
    )
    per_class = scores["metrics"]["ssim_diversity"]["per_class"]
    assert set(per_class) == {"NORMAL", "PNEUMONIA"}
    assert per_class["NORMAL"]["value"] == pytest.approx(1)
    assert per_class["PNEUMONIA"]["value"] < 0.6
    assert [row[0] for row in rows(scores)][1:3] == ["– NORMAL", "– PNEUMONIA"]
