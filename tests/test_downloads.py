"""One file over HTTP: whole and right, or not at all."""

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.servers import closed_port, serving
from xrgan import downloads
from xrgan.downloads import WrongContentError, download, reason

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 300_000  # two chunks and a part
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "served").mkdir()
    (tmp_path / "served/file.bin").write_bytes(CONTENT)
    with serving(tmp_path / "served") as address:
        yield address


@pytest.mark.parametrize("digest", [DIGEST, DIGEST[:8]], ids=["whole hash", "its start"])
def test_the_file_arrives_whole(address: str, tmp_path: Path, digest: str) -> None:
    target = tmp_path / "cache/of/mine/file.bin"
    download(f"{address}/file.bin", target, digest, "Weights", len(CONTENT))
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]


def test_another_file_is_not_kept_and_the_old_one_stays(address: str, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    with pytest.raises(WrongContentError, match="SHA-256 is wrong") as caught:
        download(f"{address}/file.bin", target, "0" * 64, "Weights")
    assert reason(caught.value) == "what arrived is another file (its SHA-256 is wrong)"
    assert target.read_bytes() == b"old"


def test_an_error_page_is_no_file(address: str, tmp_path: Path) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        download(f"{address}/other.bin", tmp_path / "other.bin", DIGEST, "Weights")
    assert reason(caught.value) == "the server answered 404"
    assert not (tmp_path / "other.bin").exists()


def test_a_closed_port_and_a_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(requests.ConnectionError) as caught:
        download(f"http://127.0.0.1:{closed_port()}/file.bin", tmp_path / "file.bin", DIGEST, "Weights")
    assert reason(caught.value) == "the server can't be reached"
    monkeypatch.setattr(downloads, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(requests.Timeout) as late:
        download(f"http://127.0.0.1:{silent.getsockname()[1]}/file.bin", tmp_path / "file.bin", DIGEST, "Weights")
    assert reason(late.value) == "no answer came in time"


def test_where_nothing_can_be_written_the_system_says_why(address: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError) as caught:
        download(f"{address}/file.bin", tmp_path / "file/file.bin", DIGEST, "Weights")
    assert reason(caught.value) in {"Not a directory", "File exists"}
