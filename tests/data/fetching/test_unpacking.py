"""Archives, and archives in archives and folders, are unpacked where they hold the images."""

import zipfile
from pathlib import Path

import pytest

from tests.data import evil
from tests.data.fetch_runs import assert_nothing_half_made, assert_whole, tree
from xrgan.data.fetch import fetch
from xrgan.data.fetching import archives
from xrgan.errors import XrganError
from xrgan.files import read_yaml, sha256


def test_archive_is_unpacked_and_recorded(archive: Path, tmp_path: Path) -> None:
    target = fetch("jrs", tmp_path / "raw", archive=archive)
    assert_whole(tmp_path / "raw", archive)
    record = read_yaml(target / "source.yaml")
    assert record["archive_sha256"] == sha256(archive)
    assert record["bytes"] == sum(len(content) for content in tree(target).values())
    assert archive.is_file()


def test_archive_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr("fine.png", b"1")
        file.writestr("../evil.png", b"2")
    with pytest.raises(XrganError, match=r"\.\./evil\.png"):
        fetch("jrs", tmp_path / "raw", archive=tmp_path / "evil.zip")
    assert_nothing_half_made(tmp_path / "raw")
    assert not list(tmp_path.rglob("evil.png"))


def test_folder_of_archives_is_unpacked(tmp_path: Path) -> None:
    """NIH's twelve, as they are downloaded from its own site."""
    parts = tmp_path / "nih"
    (parts / "part 2").mkdir(parents=True)
    (parts / "Data_Entry_2017.csv").write_text("Image Index")
    (parts / "images_001.zip").write_bytes(evil.zipped({"images/1.png": b"1"}))
    (parts / "part 2" / "images_02.tar.gz").write_bytes(evil.tarred(evil.tar_member("images/2.png")))
    target = fetch("nih", tmp_path / "raw", folder=parts)
    assert tree(target) == {
        "Data_Entry_2017.csv": b"Image Index",
        "images_001/images/1.png": b"1",
        "part 2/images_02/images/2.png": evil.CONTENT,
    }
    assert (parts / "images_001.zip").is_file()


def test_archives_beside_images_stay_packed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may well hold the same images once more."""
    (folder / "all.zip").write_bytes(evil.zipped({"a.png": b"1"}))
    target = fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt", "all.zip"}
    said = capsys.readouterr().err
    assert "stay packed, all.zip among 1" in said


def test_folder_of_archives_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "text.zip").write_bytes(evil.zipped({"readme.txt": b"1"}))
    with pytest.raises(XrganError, match="no image in the archives in"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "parts")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_archive_in_a_folder_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.zip").write_bytes(evil.zipped({"a.png": b"1"}))
    (tmp_path / "parts" / "2.zip").write_bytes(evil.zipped({"../evil.png": b"1"}))
    with pytest.raises(XrganError, match=r"2\.zip is refused"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "parts")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_archives_in_an_archive_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Harmless each, they may be a bomb all the same; the limit is lowered here to 10 kB."""
    inner = {f"{number}.zip": evil.zipped({"a.png": bytes(5_000)}) for number in range(4)}
    (tmp_path / "one.zip").write_bytes(evil.zipped({"0.zip": inner["0.zip"]}))
    (tmp_path / "all.zip").write_bytes(evil.zipped(inner))
    monkeypatch.setattr(archives, "SMALLEST_BOMB", 10_000)
    monkeypatch.setattr(archives, "LARGEST_GROWTH", 10)
    monkeypatch.setattr(archives, "BYTES_A_FILE", 0)
    fetch("one", tmp_path / "raw", archive=tmp_path / "one.zip")
    with pytest.raises(XrganError, match=r"2\.zip is refused: its 0\.0 MB claim to hold"):
        fetch("all", tmp_path / "raw", archive=tmp_path / "all.zip")
    assert_nothing_half_made(tmp_path / "raw", "all")


@pytest.mark.parametrize("name", ["scans.rar", "scans.7z"])
def test_archives_of_other_kinds_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes({"scans.rar": b"Rar!\x1a\7\1\0", "scans.7z": b"7z\xbc\xaf\x27\x1c"}[name] + bytes(99))
    with pytest.raises(XrganError, match="xrgan takes ZIP and TAR") as caught:
        fetch("mine", tmp_path / "raw", archive=tmp_path / name)
    assert "--folder DIR" in caught.value.hint
