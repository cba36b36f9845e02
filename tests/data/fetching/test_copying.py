"""A folder of images is copied whole, with the images that it links to outside."""

import os
from pathlib import Path

import pytest

from tests.data.fetch_runs import assert_nothing_half_made, tree
from xrgan.data.fetch import fetch
from xrgan.errors import XrganError


def test_folder_is_copied_under_a_safe_name(folder: Path, tmp_path: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"junk")
    target = fetch(None, tmp_path / "raw", folder=folder)
    assert target == tmp_path / "raw" / "my-scans"
    assert tree(target) == {name: name.encode() for name in ("NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt")}
    record = (target / "source.yaml").read_text()
    assert "from: folder my scans" in record
    assert str(tmp_path) not in record
    (folder / "NORMAL" / "a.png").write_bytes(b"changed")
    assert tree(target)["NORMAL/a.png"] == b"NORMAL/a.png"


def test_links_lead_to_images_alone_and_never_round(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "scan.png").write_bytes(b"scan")
    (secret / "secret.txt").write_bytes(b"secret")
    (secret / "back").symlink_to(folder)
    (secret / "again").symlink_to(secret)
    (folder / "round").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "out").symlink_to(secret)
    (folder / "out.png").symlink_to(secret / "scan.png")
    (folder / "out.txt").symlink_to(secret / "secret.txt")
    (folder / "nowhere").symlink_to(tmp_path / "nowhere")
    (folder / "within.png").symlink_to(folder / "NORMAL" / "a.png")
    os.mkfifo(folder / "pipe.png")
    target = fetch(None, tmp_path / "raw", folder=folder)
    plain = {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt", "within.png"}
    assert set(tree(target)) == {*plain, "out/scan.png", "out.png"}
    assert not any(path.is_symlink() for path in target.rglob("*"))
    assert "2 images that links lead to, out of my scans, are copied too" in capsys.readouterr().err


def test_classes_that_are_links_are_there(tmp_path: Path) -> None:
    for name in ("NORMAL", "PNEUMONIA"):
        (tmp_path / "store" / name[0]).mkdir(parents=True)
        (tmp_path / "store" / name[0] / "a.png").write_bytes(name.encode())
        (tmp_path / "links").mkdir(exist_ok=True)
        (tmp_path / "links" / name).symlink_to(f"../store/{name[0]}")
    target = fetch(None, tmp_path / "raw", folder=tmp_path / "links")
    assert {"NORMAL/a.png", "PNEUMONIA/a.png"} <= set(tree(target))


def test_folder_that_holds_the_raw_root_does_not_copy_the_copy(folder: Path) -> None:
    fetch("phantom", folder / "data" / "raw", n=1, size=32)
    target = fetch("mine", folder / "data" / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}


def test_dicom_without_an_extension_is_an_image(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "IM0001").write_bytes(b"\0" * 128 + b"DICM")
    assert fetch(None, tmp_path / "raw", folder=tmp_path / "scans").is_dir()


def test_folder_that_is_endlessly_deep_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / "scans" / "/".join(["a"] * 70)
    deep.mkdir(parents=True)
    (deep / "a.png").write_bytes(b"1")
    with pytest.raises(XrganError, match="64 folders deep"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "scans")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_junk_of_systems_and_drives_is_left_out(folder: Path, tmp_path: Path) -> None:
    for name in ("@eaDir/a.png/thumb.jpg", "$RECYCLE.BIN/x.png", "THUMBS.DB", "Desktop.ini"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"junk")
    target = fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}
