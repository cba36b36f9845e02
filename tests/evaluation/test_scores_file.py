"""What scores.yaml holds: the keys of scores, and which earlier scores still hold."""

from pathlib import Path

import pytest

from xrgan.evaluation.scores_file import FILE, INCEPTION, Provenance, ScoreKey, read_earlier
from xrgan.files import write_yaml

NOW: Provenance = {
    "date": "2026-01-02T03:04:05+00:00",
    "xrgan": "0.1.0",
    "reference": "held-out",
    "settings": {"seed": 0, "pairs": 500},
    "images": {"n": 9, "size": "64×64", "channels": 1, "sha256": {"real": "a", "synthetic": "b"}},
}
METRICS = {"fid": {"value": 1.5, "n": 9}}


@pytest.mark.parametrize(
    ("key", "name", "extractor"),
    [("fid", "fid", ""), ("fid@classifier:runs/a", "fid", "classifier:runs/a"), ("kid@x@y", "kid", "x@y")],
)
def test_a_key_names_the_score_and_the_extractor(key: str, name: str, extractor: str) -> None:
    assert ScoreKey.parse(key) == ScoreKey(name, extractor)
    assert str(ScoreKey(name, extractor)) == key


def test_the_default_extractor_needs_no_name() -> None:
    assert str(ScoreKey.of("kid", INCEPTION)) == "kid"
    assert str(ScoreKey.of("ssim_random", "")) == "ssim_random"
    assert str(ScoreKey.of("kid", "classifier:a")) == "kid@classifier:a"


def test_scores_of_the_same_images_and_settings_hold_whenever_they_were_made(tmp_path: Path) -> None:
    file = tmp_path / FILE
    assert read_earlier(file, NOW) == {}
    write_yaml(file, {**NOW, "date": "2020-01-01", "notes": [], "metrics": METRICS})
    assert read_earlier(file, NOW) == METRICS


@pytest.mark.parametrize(
    "change",
    [
        {"xrgan": "0.0.9"},
        {"reference": "train"},
        {"settings": {"seed": 1, "pairs": 500}},
        {"images": {**NOW["images"], "n": 8}},
        {"metrics": ["fid"]},
        {"metrics": None},
    ],
)
def test_scores_of_anything_else_are_left_behind(tmp_path: Path, change: dict[str, object]) -> None:
    write_yaml(tmp_path / FILE, {**NOW, "metrics": METRICS, **change})
    assert read_earlier(tmp_path / FILE, NOW) == {}


def test_a_damaged_file_holds_no_scores(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("metrics: [")
    assert read_earlier(tmp_path / FILE, NOW) == {}
