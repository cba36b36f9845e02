"""The real network with the real weights."""

from pathlib import Path

import pytest
import torch
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from xrgan.evaluation.inception import load_network, published_network
from xrgan.evaluation.inception_weights import FULL

pytestmark = pytest.mark.slow

IMAGES = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _features(weights: Path) -> tuple[torch.Tensor, ...]:
    with torch.inference_mode():
        return tuple(load_network(weights, torch.device("cpu"))(IMAGES))


def test_shapes_and_random_numbers(weights: Path) -> None:
    state = torch.get_rng_state()
    features = _features(weights)
    assert torch.equal(torch.get_rng_state(), state)  # a training run evaluates without a trace in its own numbers
    assert [layer.shape for layer in features] == [(2, 64), (2, 192), (2, 768), (2, 2048)]
    assert all(layer.dtype == torch.float32 and layer.isfinite().all() for layer in features)


def test_features_are_those_of_torch_fidelity_and_gray_is_three_equal_channels(weights: Path) -> None:
    network, published = load_network(weights, torch.device("cpu")), published_network(weights)
    gray = IMAGES[:, :1]
    with torch.inference_mode():
        for shown, seen in ((IMAGES, IMAGES), (gray, gray.expand(-1, 3, -1, -1))):
            for ours, theirs in zip(network(shown), FeatureExtractorInceptionV3.forward(published, seen), strict=True):
                assert torch.linalg.norm(ours - theirs) < 1e-5 * torch.linalg.norm(theirs)


def test_full_file_gives_the_same_features(weights: Path, tmp_path: Path) -> None:
    full = tmp_path / FULL.name
    torch.save(published_network(weights).state_dict(), full)
    *layers, logits = _features(full)
    for ours, theirs in zip(_features(weights), layers, strict=True):
        assert torch.equal(ours, theirs)
    assert logits.shape == (2, 1008)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "harm",)  # type: ignore[return-value]

    full = tmp_path / FULL.name
    torch.save({"fc.weight": Harm()}, full)
    with pytest.raises(Exception, match="weights_only"):
        load_network(full, torch.device("cpu"))
    assert not (tmp_path / "harm").exists()
