"""What scores.yaml holds: the keys of scores, and which earlier scores still hold."""

from pathlib import Path
from typing import Any

import pytest

from xrgan.evaluation.scores_file import FILE, INCEPTION, Provenance, ScoreKey, latest, read_earlier, what_differs
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
    assert read_earlier(file, NOW) == ({}, [])
    write_yaml(file, {**NOW, "date": "2020-01-01", "notes": [], "metrics": METRICS})
    assert read_earlier(file, NOW) == (METRICS, [])


@pytest.mark.parametrize(
    "change",
    [
        {"xrgan": "0.0.9"},
        {"reference": "train"},
        {"settings": {"seed": 1, "pairs": 500}},
        {"images": {**NOW["images"], "n": 8}},
    ],
)
def test_scores_of_anything_else_are_kept_as_those_of_something_else(tmp_path: Path, change: dict[str, object]) -> None:
    write_yaml(tmp_path / FILE, {**NOW, "notes": [], "metrics": METRICS, **change})
    assert read_earlier(tmp_path / FILE, NOW) == ({}, [{**NOW, "metrics": METRICS, **change}])


@pytest.mark.parametrize(
    "change",
    [
        *[{"metrics": metrics} for metrics in (["fid"], None, {"fid": 3}, {"fid": {"value": "low"}})],
        *[{"metrics": {"fid": {"value": 1.5, **more}}} for more in ({"std": "x"}, {"interval": 3}, {"per_class": [1]})],
        *[{"earlier": earlier} for earlier in (3, ["fid"], [{"metrics": METRICS}])],
        {"images": {}},
        {"settings": 3},
    ],
)
def test_what_are_no_scores_is_set_aside_and_said(
    tmp_path: Path, change: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written anew: what was in it, by hand perhaps, isn't lost."""
    for name in ("scores-damaged.yaml", "scores-damaged-2.yaml"):
        write_yaml(tmp_path / FILE, {**NOW, "metrics": METRICS, **change})
        whole = (tmp_path / FILE).read_bytes()
        assert read_earlier(tmp_path / FILE, NOW) == ({}, [])
        said = capsys.readouterr().err
        assert "is damaged: " in said
        assert f"It is kept as {name}" in said
        assert (tmp_path / name).read_bytes() == whole
        assert not (tmp_path / FILE).exists()


def test_scores_of_earlier_images_come_back_with_the_images(tmp_path: Path) -> None:
    first, second = {**NOW, "metrics": METRICS}, {**NOW, "xrgan": "0.0.9", "metrics": {"kid": {"value": 0.1}}}
    write_yaml(tmp_path / FILE, {**second, "notes": [], "earlier": [first]})
    assert read_earlier(tmp_path / FILE, NOW) == (METRICS, [second])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": {}}, "other images"),
        ({"reference": "train"}, "another reference"),
        ({"settings": {}}, "other settings"),
        ({"xrgan": "0.0.9"}, "another version of xrgan"),
    ],
)
def test_what_sets_scores_apart_is_said(change: Any, words: str) -> None:
    assert what_differs({**NOW, **change}, NOW) == words


def test_the_latest_value_of_a_score_is_of_the_present_images_or_else_of_earlier_ones() -> None:
    content = {"metrics": {"kid": {"value": 2}}, "earlier": [{"metrics": METRICS}, {"metrics": {"kid": {"value": 3}}}]}
    assert (latest(content, "kid"), latest(content, "fid"), latest(content, "is")) == (2, 1.5, None)


def test_a_damaged_file_holds_no_scores(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("metrics: [")
    assert read_earlier(tmp_path / FILE, NOW) == ({}, [])
    assert (tmp_path / "scores-damaged.yaml").read_text() == "metrics: ["
