"""Every test has a cache of its own; the real Inception weights come from the user's, or are fetched into it once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from xrgan.config import EvaluateConfig
from xrgan.errors import XrganError
from xrgan.evaluation import extractors, inception_weights
from xrgan.evaluation.evaluate import evaluate
from xrgan.evaluation.extractors import Extractor
from xrgan.evaluation.image_sets import ImageSet, sample_comparison

INCEPTION = extractors.inception(Path(inception_weights.WITHOUT_LOGITS.name), "cpu")


@pytest.fixture(scope="session")
def weights() -> Path:
    """The real Inception weights; made before `own_cache` hides the user's cache."""
    try:
        return inception_weights.fetch_weights()
    except XrganError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "cache"


@dataclass
class FakeNetwork:
    """Random projections of the image's 8 × 8 means: fast features which tell images apart, of the real shapes."""

    images_seen: list[int] = field(default_factory=list)

    def __call__(self, images: torch.Tensor) -> tuple[torch.Tensor, ...]:
        assert images.dtype == torch.uint8 and images.shape[1] in (1, 3)
        self.images_seen.append(len(images))
        rgb = images.expand(-1, 3, -1, -1).float() / 255
        pooled = torch.nn.functional.adaptive_avg_pool2d(rgb, 8).flatten(1)  # (B, 192)
        generator = torch.Generator().manual_seed(0)
        projections = [torch.randn(192, layer, generator=generator) / 14 for layer in (64, 192, 768, 2048)]
        return tuple((pooled @ projection).relu() for projection in projections)


@pytest.fixture
def fake_network(monkeypatch: pytest.MonkeyPatch) -> FakeNetwork:
    network = FakeNetwork()
    monkeypatch.setattr(extractors, "_inception", lambda _weights, _device: network)
    return network


@pytest.fixture
def draw() -> Callable[..., np.ndarray]:
    """Smooth random images, uint8 (N, C, size, size); `brightness` shifts a whole set."""

    def draw(n: int, seed: int, size: int = 32, channels: int = 1, brightness: int = 100) -> np.ndarray:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 100, (n, channels, size // 8, size // 8))
        fine = np.kron(coarse, np.ones((8, 8), np.int64)) + rng.integers(0, 20, (n, channels, size, size))
        return (fine + brightness).astype(np.uint8)

    return draw


@pytest.fixture(autouse=True)
def one_thread_for_small_products() -> Iterator[None]:
    """On a busy machine the threads of a small matrix product wait for one another far longer than they compute."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def score(fake_network: FakeNetwork, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`evaluate` with a fake network, into tmp_path, at layer 64 (whose FID takes no time) and 20 pairs."""

    def score(
        real: np.ndarray,
        synthetic: np.ndarray,
        other_real: np.ndarray,
        metrics: tuple[str, ...] = ("fid", "kid", "ssim"),
        config: EvaluateConfig | None = None,
        real_labels: np.ndarray | None = None,
        synthetic_labels: np.ndarray | None = None,
        other_labels: np.ndarray | None = None,
        classes: tuple[str, ...] = (),
        extractor: Callable[[], Extractor] = lambda: extractors.inception(
            Path(inception_weights.WITHOUT_LOGITS.name), "cpu"
        ),
    ) -> dict[str, Any]:
        config = config or EvaluateConfig(fid_layer=64, pairs=20)
        comparison = sample_comparison(
            ImageSet(real, real_labels),
            ImageSet(synthetic, synthetic_labels),
            ImageSet(other_real, other_labels),
            config.n,
            config.seed,
            classes,
            config.reference,
        )
        return evaluate(comparison, metrics, config, extractor, tmp_path / "evaluation")

    return score
