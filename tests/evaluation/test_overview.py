"""The picture of an evaluation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from xrgan.evaluation import overview

pytestmark = pytest.mark.slow

Draw = Callable[..., np.ndarray]
Score = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("channels", [1, 3])
def test_picture_shows_both_sets(score: Score, draw: Draw, tmp_path: Path, channels: int) -> None:
    real, synthetic = draw(30, seed=0, channels=channels), np.full((30, channels, 32, 32), 128, np.uint8)
    score(real, synthetic, real, metrics=("ssim",))
    with Image.open(tmp_path / "evaluation/overview.png") as picture:
        pixels = np.asarray(picture.convert("L")).astype(float)
    height, width = pixels.shape
    assert width >= 1000 and height >= 500
    middle = pixels[height // 4 : height // 2]
    assert middle[:, : width // 2].std() > 1.2 * middle[:, width // 2 :].std()


def test_scores_are_drawn_below_the_images(score: Score, draw: Draw, tmp_path: Path) -> None:
    sets = draw(30, seed=0), draw(30, seed=1), draw(60, seed=2)
    sizes = []
    for metrics in (("ssim",), ("prdc",), ("memorisation",)):  # each joins the earlier ones
        score(*sets, metrics=metrics)
        with Image.open(tmp_path / "evaluation/overview.png") as picture:
            sizes.append(picture.size)
    assert sizes[0][1] + 400 < sizes[1][1] == sizes[2][1], "a row of panels, which they share"


def test_the_bars_are_those_of_one_extractor() -> None:
    scores = {key: {"value": 0.5} for key in ("fid", "precision@b", "recall@b", "recall@c", "ssim_random")}
    assert set(overview._of_one_extractor(scores)) == {"fid", "precision", "recall", "ssim_random"}
    assert overview._of_one_extractor({**scores, "recall": {"value": 0.1}})["recall"] == {"value": 0.1}
