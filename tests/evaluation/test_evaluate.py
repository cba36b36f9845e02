"""What `evaluate` says of three sets of images; the network is a fake but in the last test."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation.evaluate import evaluate
from xrgan.evaluation.extractors import Extractor, inception
from xrgan.evaluation.image_sets import ImageSet, sample_comparison
from xrgan.evaluation.scores_table import rows

from .conftest import FakeNetwork

pytestmark = pytest.mark.slow

Draw = Callable[..., np.ndarray]
Score = Callable[..., dict[str, Any]]


def _offline() -> Extractor:
    raise XrganError("FID and KID need the Inception weights, and they can't be had here.", "Fetch them.")


def test_figures_stand_beside_their_floor(score: Score, draw: Draw, tmp_path: Path) -> None:
    scores = score(draw(90, seed=0), draw(80, seed=1, brightness=60), draw(200, seed=2))
    assert scores == yaml.safe_load((tmp_path / "evaluation/scores.yaml").read_text())  # no numpy, no tuples
    assert scores["images"]["n"] == 80
    figures = scores["metrics"]
    assert set(figures) == {"fid", "kid", "ssim_diversity", "ssim_nearest", "ssim_random"}
    assert all(figure["n"] == 80 for figure in figures.values())
    fid = figures["fid"]
    assert fid["ratio"] == pytest.approx(fid["value"] / fid["floor"]) and fid["ratio"] > 2
    assert fid["layer"] == 64 and fid["resize"].startswith("32×32 → 299×299")
    assert fid["weights"] == "without the last layer"
    assert figures["kid"]["value"] > 5 * figures["kid"]["std"] and figures["kid"]["layer"] == 2048
    assert abs(figures["kid"]["floor"]) < 3 * figures["kid"]["floor_std"]
    assert scores["notes"] == []


def test_n_of_the_configuration_limits_and_its_seed_repeats(score: Score, draw: Draw) -> None:
    sets = draw(30, seed=0), draw(30, seed=1), draw(30, seed=2)
    first, again, other = (
        score(*sets, config=EvaluateConfig(n=10, fid_layer=64, pairs=5, seed=seed)) for seed in (0, 0, 1)
    )
    assert first["images"]["n"] == 10
    assert first["metrics"] == again["metrics"]
    assert first["images"] == again["images"] != other["images"]


def test_later_metrics_join_earlier_ones_on_the_same_images_only(score: Score, draw: Draw) -> None:
    sets = draw(20, seed=0), draw(20, seed=1), draw(20, seed=2)
    first = score(*sets, metrics=("fid",))
    joined = score(*sets, metrics=("ssim",))
    assert joined["metrics"]["fid"] == first["metrics"]["fid"] and "ssim_random" in joined["metrics"]
    other = score(sets[0], draw(20, seed=3), sets[2], metrics=("kid",))
    assert set(other["metrics"]) == {"kid"}


def test_scores_of_other_images_stay_and_the_user_is_told(
    score: Score, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = draw(20, seed=0), draw(20, seed=1), draw(20, seed=2)
    first = score(*sets, metrics=("fid",))
    assert first["earlier"] == []
    other = score(sets[0], draw(20, seed=3), sets[2], metrics=("kid",))
    kept = {key: value for key, value in first.items() if key not in {"notes", "earlier"}}
    assert other["earlier"] == [kept]
    said = " ".join(capsys.readouterr().err.split())
    assert "Earlier scores, of other images" in said and f"FID {first['metrics']['fid']['value']:.2f}" in said
    again = score(*sets, metrics=("ssim",))
    assert again["metrics"]["fid"] == first["metrics"]["fid"] and len(again["earlier"]) == 1
    assert again == yaml.safe_load((tmp_path / "evaluation/scores.yaml").read_text())


def test_damaged_scores_are_replaced(score: Score, draw: Draw, tmp_path: Path) -> None:
    file = tmp_path / "evaluation/scores.yaml"
    file.parent.mkdir()
    file.write_text("metrics: [")
    score(draw(5, seed=0), draw(5, seed=1), draw(5, seed=2), metrics=("ssim",))
    assert "ssim_random" in yaml.safe_load(file.read_text())["metrics"]


def test_second_evaluation_extracts_nothing(score: Score, draw: Draw, fake_network: FakeNetwork) -> None:
    sets = draw(20, seed=0), draw(20, seed=1), draw(20, seed=2)
    score(*sets, metrics=("kid",))
    assert sum(fake_network.images_seen) == 60
    score(*sets, metrics=("fid",))
    assert sum(fake_network.images_seen) == 60


def test_second_time_nothing_is_computed(
    score: Score, draw: Draw, fake_network: FakeNetwork, own_cache: Path, tmp_path: Path
) -> None:
    sets = draw(20, seed=0), draw(20, seed=1), draw(20, seed=2)
    metrics = ("fid", "kid", "prdc", "memorisation", "ssim")
    first = score(*sets, metrics=metrics)
    shutil.rmtree(own_cache)  # features that were needed would be extracted
    fake_network.images_seen.clear()
    again = score(*sets, metrics=metrics)
    assert again["metrics"] == first["metrics"] and not fake_network.images_seen
    other_layer = score(*sets, metrics=("fid",), config=EvaluateConfig(fid_layer=192, pairs=20))
    assert other_layer["metrics"]["fid"]["layer"] == 192 and sum(fake_network.images_seen) == 60
    assert other_layer["metrics"]["kid"] == first["metrics"]["kid"]
    reseeded = score(*sets, metrics=("kid",), config=EvaluateConfig(fid_layer=64, pairs=20, seed=1))
    assert set(reseeded["metrics"]) == {"kid"}


def test_all_that_can_be_computed(score: Score, draw: Draw, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = score(draw(20, seed=0), draw(20, seed=1), draw(60, seed=2), metrics=())
    manifold = {"precision", "recall", "density", "coverage"}
    ssim = {"ssim_diversity", "ssim_nearest", "ssim_random"}
    clipped = {"clipped_coverage", "clipped_density", "diversity"}
    assert set(scores["metrics"]) == {"fid", "kid", "memorisation"} | clipped | manifold | ssim
    told = capsys.readouterr().err
    assert "MS-SSIM needs images of 176 pixels" in told and "full weights" in told
    assert "Warning: MS-SSIM" not in told  # nobody asked for it by name
    assert (tmp_path / "evaluation/memorisation.png").is_file()
    assert all(scores["metrics"][name]["value"] >= 0 for name in manifold)


def test_held_out_images_that_are_copies_themselves_tell_nothing(score: Score, draw: Draw, tmp_path: Path) -> None:
    training = draw(20, seed=0)
    scores = score(training.copy(), draw(20, seed=1), training, metrics=("memorisation", "prdc"))
    assert scores["metrics"]["memorisation"]["floor"] is None
    assert (tmp_path / "evaluation/overview.png").is_file() and rows(scores)


def test_without_weights_the_rest_is_scored(score: Score, draw: Draw, capsys: pytest.CaptureFixture[str]) -> None:
    sets = draw(5, seed=0), draw(5, seed=1), draw(5, seed=2)
    scores = score(*sets, extractor=_offline)
    assert set(scores["metrics"]) == {"ssim_diversity", "ssim_nearest", "ssim_random"}
    assert "Inception weights" in scores["notes"][0] and "Inception weights" in capsys.readouterr().err
    with pytest.raises(XrganError, match="Inception weights"):
        score(*sets, metrics=("fid", "kid"), extractor=_offline)


def test_ssim_alone_needs_no_weights(score: Score, draw: Draw) -> None:
    sets = draw(5, seed=0), draw(5, seed=1), draw(5, seed=2)
    assert score(*sets, metrics=("ssim",), extractor=lambda: pytest.fail("looked for weights"))["notes"] == []


def test_images_too_small_for_ssim(score: Score, draw: Draw) -> None:
    sets = draw(5, seed=0, size=8), draw(5, seed=1, size=8), draw(5, seed=2, size=8)
    scores = score(*sets)
    assert set(scores["metrics"]) == {"fid", "kid"} and "11 pixels" in scores["notes"][0]
    with pytest.raises(XrganError, match="11 pixels or more, not 8×8"):
        score(*sets, metrics=("ssim",))


def test_sets_that_cannot_be_compared(score: Score, draw: Draw) -> None:
    fine = draw(5, seed=0)
    with pytest.raises(XrganError, match="synthetic images are 64×64 gray, the held-out real ones 32×32 gray"):
        score(fine, draw(5, seed=1, size=64), fine)
    with pytest.raises(XrganError, match="synthetic images are 32×32 RGB, the held-out real ones 32×32 gray"):
        score(fine, draw(5, seed=1, channels=3), fine)
    with pytest.raises(XrganError, match="training images are 64×64"):
        score(fine, fine, draw(5, seed=1, size=64))
    with pytest.raises(XrganError, match="only one held-out real image"):
        score(fine[:1], fine, fine)
    with pytest.raises(XrganError, match="no synthetic image"):
        score(fine, fine[:0], fine)


def test_real_network_sees_what_differs(weights: Path, draw: Draw, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (6, 1, 32, 32), dtype=np.uint8)
    config = EvaluateConfig(fid_layer=192)
    comparison = sample_comparison(ImageSet(draw(6, seed=0)), ImageSet(noise), ImageSet(draw(6, seed=2)), 6, 0)
    figures = evaluate(comparison, ("fid", "kid"), config, lambda: inception(weights, "cpu"), tmp_path)["metrics"]
    assert figures["fid"]["ratio"] > 1.5
    assert figures["kid"]["value"] > figures["kid"]["floor"] + 5 * figures["kid"]["floor_error"]


def test_classes_in_other_shares_are_warned_of(score: Score, draw: Draw, capsys: pytest.CaptureFixture[str]) -> None:
    scores = score(
        draw(60, seed=0),
        draw(60, seed=1),
        draw(60, seed=2),
        metrics=("kid",),
        real_labels=np.repeat([0, 1], [15, 45]),
        synthetic_labels=np.repeat([0, 1], [45, 15]),
        classes=("NORMAL", "PNEUMONIA"),
    )
    (note,) = scores["notes"]
    assert note.startswith("NORMAL is 75 % of the synthetic images and 25 % of the real ones")
    assert note in " ".join(capsys.readouterr().err.split())
