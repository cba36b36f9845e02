"""The picture of the closest pairs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from tests.evaluation.chests import chests
from tests.evaluation.conftest import FakeNetwork
from xrgan.config import EvaluateConfig
from xrgan.evaluation.extractors import inception
from xrgan.evaluation.image_sets import ImageSet, sample_comparison
from xrgan.evaluation.inception_weights import WITHOUT_LOGITS
from xrgan.evaluation.memorisation.report import memorisation_scores
from xrgan.evaluation.metric_table import MetricInputs

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (48, 3)])
def test_the_closest_pairs_are_drawn(
    size: int, channels: int, fake_network: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    images: list[np.ndarray] = []
    save = Figure.savefig

    def savefig(figure: Figure, *given: Any, **named: Any) -> None:
        shown.extend(text.get_text() for text in figure.findobj(Text) if text.get_text())
        images.extend(image.get_array() for axis in figure.axes for image in axis.images)
        save(figure, *given, **named)

    monkeypatch.setattr(Figure, "savefig", savefig)
    training, held_out = chests(60, 0, size, channels), chests(15, 1, size, channels)
    synthetic = np.concatenate([chests(12, 4, size, channels), training[:3]])
    comparison = sample_comparison(ImageSet(held_out), ImageSet(synthetic), ImageSet(training), 15, 0)
    inputs = MetricInputs(comparison, EvaluateConfig(), tmp_path, inception(Path(WITHOUT_LOGITS.name), "cpu"))
    figure = memorisation_scores(inputs)["memorisation"]
    with Image.open(tmp_path / "memorisation.png") as picture:
        assert picture.width > picture.height > 300
    assert figure["extractor"] == "inception-v3-compat" and figure["layer"] == 2048
    said = " ".join(shown)
    assert f"{figure['suspects']} of 15 synthetic images" in said
    for name, space in figure["spaces"].items():
        assert f"{name} ≤ {space['threshold']:.2f}" in said
    assert len(images) == 20
    assert np.array_equal(images[0], images[10]), "an exact copy above its original"
    first = comparison.synthetic.images[figure["closest"][0]["synthetic"]]
    assert np.array_equal(images[0], np.moveaxis(first, 0, -1) if channels == 3 else first[0])
