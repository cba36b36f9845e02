"""Networks that scores stand on, and which never share a figure."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation.evaluate import evaluate
from xrgan.evaluation.extractors import custom, inception
from xrgan.evaluation.features import extract
from xrgan.evaluation.image_sets import ImageSet, sample_comparison
from xrgan.evaluation.inception_weights import FULL, TAKES, WITHOUT_LOGITS, check_weights
from xrgan.evaluation.scores_table import rows
from xrgan.files import existing_file

from .conftest import FakeNetwork

Draw = Callable[..., np.ndarray]
CONFIG = EvaluateConfig(fid_layer=64, pairs=5)


def _pooled(images: Tensor) -> Tensor:
    """uint8 (B, 1, H, W) → (B, 16)."""
    return torch.nn.functional.adaptive_avg_pool2d(images.float(), 4).flatten(1)


@pytest.mark.slow
def test_figures_of_two_extractors_stand_beside_each_other(
    fake_network: FakeNetwork, draw: Draw, tmp_path: Path
) -> None:
    comparison = sample_comparison(*(ImageSet(draw(30, seed=seed)) for seed in range(3)), 30, 0)
    own = custom("classifier:runs/a", "hash", 16, _pooled, "cpu", channels=1)
    evaluate(comparison, ("fid", "prdc"), CONFIG, lambda: inception(Path(WITHOUT_LOGITS.name), "cpu"), tmp_path)
    scores = evaluate(comparison, ("fid", "kid"), CONFIG, lambda: own, tmp_path)
    figures = scores["metrics"]
    assert {"fid", "precision", "fid@classifier:runs/a", "kid@classifier:runs/a"} <= figures.keys()
    assert figures["fid@classifier:runs/a"]["layer"] == 16 and figures["fid"]["layer"] == 64
    assert figures["fid"]["value"] != figures["fid@classifier:runs/a"]["value"]
    assert [row[0] for row in rows(scores, "classifier:runs/a")] == ["FID", "KID"]


def test_weights_decide_which_features_are_kept(draw: Draw) -> None:
    images, calls = draw(3, seed=0), []

    def network(images: Tensor) -> Tensor:
        calls.append(len(images))
        return _pooled(images)

    for identity in ("a", "a", "b"):
        extract(images, custom("classifier:x", identity, 16, network, "cpu", channels=1), "images")
    assert calls == [3, 3]


def test_a_classifier_of_gray_images_refuses_colour(draw: Draw) -> None:
    own = custom("classifier:x", "a", 16, _pooled, "cpu", channels=1)
    with pytest.raises(XrganError, match="classifier:x looks at images of 1 channel, not 3"):
        extract(draw(2, seed=0, channels=3), own, "images")


def test_the_inception_score_asks_for_the_full_weights(fake_network: FakeNetwork, draw: Draw, tmp_path: Path) -> None:
    comparison = sample_comparison(*(ImageSet(draw(5, seed=seed)) for seed in range(3)), 5, 0)
    with pytest.raises(XrganError, match="full weights"):
        evaluate(comparison, ("is",), CONFIG, lambda: inception(Path(WITHOUT_LOGITS.name), "cpu"), tmp_path)


def test_full_weights_give_an_inception_score(draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def network(images: Tensor) -> tuple[Tensor, ...]:
        base = torch.nn.functional.adaptive_avg_pool2d(images.float() / 255, 8).flatten(1)[:, :64]
        return tuple(base.repeat(1, -(-layer // 64))[:, :layer] for layer in (64, 192, 768, 2048, 1008))

    monkeypatch.setattr("xrgan.evaluation.extractors._inception", lambda _weights, _device: network)
    comparison = sample_comparison(*(ImageSet(draw(20, seed=seed)) for seed in range(3)), 20, 0)
    scores = evaluate(comparison, ("is",), CONFIG, lambda: inception(Path(FULL.name), "cpu"), tmp_path)
    figure = scores["metrics"]["is"]
    assert figure["value"] >= 1 and figure["layer"] == 1008 and figure["splits"] == 10
    assert "ImageNet has no X-ray" in rows(scores)[0][-1]


def test_a_weights_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "weights.pth"
    with pytest.raises(XrganError, match="There is no file"):
        existing_file(str(other), TAKES)
    other.write_bytes(b"something else")
    with pytest.raises(XrganError, match="SHA-256 is another one"):
        check_weights(other)
    with other.open("wb") as file:
        file.truncate(WITHOUT_LOGITS.size_bytes)  # the right size is not enough
    with pytest.raises(XrganError, match="SHA-256 is another one"):
        check_weights(other)


def test_the_right_weights_are_taken_under_any_name(weights: Path, tmp_path: Path, draw: Draw) -> None:
    if weights.name != WITHOUT_LOGITS.name:
        pytest.skip("the full weights are here")
    renamed = tmp_path / "copied from the other machine.bin"
    renamed.symlink_to(weights)
    assert inception(check_weights(renamed), "cpu").identity == inception(weights, "cpu").identity
