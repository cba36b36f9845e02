"""EfficientNet-Lite as extractors."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from xrgan.errors import XrganError
from xrgan.evaluation.extractors import efficientnet_lite
from xrgan.evaluation.features import extract
from xrgan.evaluation.lite import LiteFeatures
from xrgan.lite_weights import LITES, Lite, fetch_lite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session", params=["lite0", "lite1", "lite2"])
def published(request: pytest.FixtureRequest) -> tuple[Lite, Path]:
    """A network and its real weights; made before `own_cache` hides the user's cache."""
    lite = LITES[request.param]
    try:
        return lite, fetch_lite(lite, f"--extractor {lite.name}")
    except XrganError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(("picture", "classes"), [("chelsea", {281, 282, 285}), ("coffee", {967})])
def test_the_networks_know_cats_and_coffee(published: tuple[Lite, Path], picture: str, classes: set[int]) -> None:
    """With the published last layer behind the features, they answer as ImageNet's classifiers do."""
    lite, weights = published
    photo = torch.from_numpy(getattr(skimage.data, picture)().copy()).permute(2, 0, 1)[None]
    side = min(photo.shape[2:])
    top, left = ((length - side) // 2 for length in photo.shape[2:])
    features = LiteFeatures(weights, lite)(photo[..., top : top + side, left : left + side])
    state = torch.load(weights, map_location="cpu", weights_only=True)
    shares = (features @ state["_fc.weight"].T + state["_fc.bias"]).softmax(dim=1)[0]
    assert features.shape == (1, 1280) and int(shares.argmax()) in classes
    assert float(shares[list(classes)].sum()) > 0.5


def test_the_features_are_those_of_the_name_and_gray_is_three_equal_channels(
    published: tuple[Lite, Path], draw: Callable[..., np.ndarray]
) -> None:
    lite, weights = published
    extractor = efficientnet_lite(lite, weights, "cpu")
    assert extractor.name == lite.name and not extractor.is_inception and not extractor.gives_logits
    gray = draw(3, seed=0)
    found = extract(gray, extractor, "images")
    assert list(found) == [1280] and found[1280].shape == (3, 1280)
    of_rgb = extract(np.repeat(gray, 3, axis=1), extractor, "images")
    np.testing.assert_allclose(found[1280], of_rgb[1280], atol=1e-4)
    assert np.abs(found[1280][0] - found[1280][1]).max() > 0.01
