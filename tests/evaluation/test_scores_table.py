"""How scores are shown in the terminal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xrgan.config import EvaluateConfig
from xrgan.evaluation.scores_table import COLUMNS, extractors, headline, rows

pytestmark = pytest.mark.slow

Draw = Callable[..., np.ndarray]
Score = Callable[..., dict[str, Any]]


def test_fid_at_small_n_is_warned_of_and_kid_leads(
    score: Score, draw: Draw, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = draw(70, seed=0), draw(70, seed=1), draw(70, seed=2)
    assert rows(score(*sets, metrics=("fid", "kid")))[0][0] == "FID"
    assert "biased" not in capsys.readouterr().err
    scores = score(*(images[:60] for images in sets), metrics=("fid", "kid"))
    assert "N = 60" in scores["notes"][0] and "N = 60" in capsys.readouterr().err
    table = rows(scores)
    assert [row[0] for row in table] == ["KID", "FID"]
    assert "biased" in table[1][-1]
    assert all(len(row) == len(COLUMNS) for row in table)


def test_against_training_images_says_so(score: Score, draw: Draw) -> None:
    training = draw(30, seed=2)
    sets = draw(30, seed=0), training.copy(), training  # a generator that copies
    honest = score(*sets, metrics=("kid",))
    flattered = score(*sets, metrics=("kid",), config=EvaluateConfig(reference="train", pairs=20))
    assert flattered["metrics"]["kid"]["value"] < honest["metrics"]["kid"]["value"]
    assert flattered["reference"] == "train" and "TRAINING images" in headline(flattered)


def made_up(**metrics: dict[str, Any]) -> dict[str, Any]:
    return {"reference": "held-out", "images": {"n": 50}, "metrics": metrics}


def test_kid_of_few_images_shows_no_spread_of_subsets() -> None:
    kid = {"value": 0.2, "std": 9.0, "floor": 0.1, "floor_std": 9.0, "ratio": None, "n": 9, "subset_images": 4}
    assert rows(made_up(kid=kid))[0][1:4] == ("0.2000", "–", "0.1000")


def test_each_score_is_shown_in_its_own_digits_with_its_floor() -> None:
    scores = made_up(
        fid={"value": 12.345, "floor": 10.0, "ratio": 1.2345, "n": 50, "floor_n": 40, "layer": 64, "resize": "a, b"},
        kid={"value": 0.12345, "interval": [0.1, 0.2], "std": 9, "floor": None, "ratio": None, "n": 50},
        memorisation={
            "value": 0.0251,
            "interval": [0.01, 0.05],
            "floor": 0.005,
            "ratio": 5.02,
            "n": 50,
            "note": "found",
        },
        ssim_random={"value": 0.5, "std": 0.25, "floor": 0.4, "floor_std": 0.125, "n": 50, "pairs": 20},
    )
    scores["metrics"]["kid"] |= {"layer": 2048, "resize": "32×32 → 299×299, bilinear"}
    table = {row[0]: row[1:] for row in rows(scores)}
    assert table["FID"] == ("12.35", "–", "10.00 (N = 40)", "1.23", "50", "layer 64, a")
    assert table["KID"] == ("0.1235", "0.1000 … 0.2000", "–", "–", "50", "layer 2048, 32×32 → 299×299")
    assert table["Suspected copies"] == ("2.5 %", "1.0 % … 5.0 %", "0.5 %", "5.02", "50", "found")
    assert table["SSIM of random pairs"][:3] == ("0.500 ± 0.250", "–", "0.400 ± 0.125")
    assert table["SSIM of random pairs"][-1] == "20 pairs; says little: the pairs are unrelated"


def test_each_extractor_has_a_table_of_its_own_and_one_trained_against_comes_last() -> None:
    one = {"value": 1.0, "n": 5, "layer": 4, "resize": "as they are"}
    scores = made_up(
        **{"kid@a": {**one, "trained_against": True}, "coverage@b": one, "coverage": one, "ssim_random": one}
    )
    assert extractors(scores) == {"": "", "b": "b", "a": "a, trained against: it flatters"}
    titles = {name: [row[0] for row in rows(scores, name)] for name in extractors(scores)}
    assert titles == {"": ["Coverage", "SSIM of random pairs"], "b": ["Coverage"], "a": ["KID"]}


def test_eyes_that_it_was_trained_against_never_lead() -> None:
    against = {"value": 1.0, "n": 5, "trained_against": True}
    assert headline(made_up(**{"kid@a": against, "recall@b": {"value": 0.25}})) == "Recall, b 0.250 · N = 50"
    alone = headline(made_up(**{"kid@a": against}))
    assert alone == "KID, a 1.0000 (trained against: it flatters) · N = 50"


def test_the_headline_has_fid_and_kid_or_whatever_there_is() -> None:
    one = {"value": 1.0, "floor": 0.5, "n": 5}
    assert headline(made_up(kid=one, fid=one, is_=one)) == (
        "FID 1.00 (real vs real 0.50) · KID 1.0000 (real vs real 0.5000) · N = 50"
    )
    assert headline(made_up(**{"recall@a": {"value": 0.25}})) == "Recall, a 0.250 · N = 50"


def test_a_score_of_a_later_version_or_without_details_is_no_trouble() -> None:
    scores = made_up(novelty={"value": 1.0}, fid={"value": 12.345})
    assert [row[0] for row in rows(scores)] == ["FID"]
    assert "FID 12.3" in headline(scores)
