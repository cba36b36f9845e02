"""Which files are images."""

import errno
import os
from pathlib import Path

import pytest

from tests.conftest import write_image
from xrgan.data.reading.kinds import find_images
from xrgan.errors import XrganError


def test_images_are_found_by_name_and_what_is_hidden_is_none(tmp_path: Path) -> None:
    shown = ["a/1.PNG", "a/2.jpeg", "b.TIF", "c.bmp"]
    hidden = ["a/._1.png", ".thumbs/1.png", "__MACOSX/a/1.png", "notes.txt", "d.png.part"]
    for name in (*shown, *hidden):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    assert [path.relative_to(tmp_path).as_posix() for path in find_images(tmp_path)] == shown


def test_a_folder_below_a_hidden_one_is_searched(tmp_path: Path) -> None:
    file = write_image(tmp_path / ".cache" / "scans" / "a.png")
    assert find_images(file.parent) == [file]


def test_a_folder_that_may_not_be_read_is_named_and_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "NORMAL" / "a.png")
    closed = tmp_path / "PNEUMONIA"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:  # root may read everything
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(XrganError, match="PNEUMONIA can't be read: Permission denied"):
        find_images(tmp_path)


def test_a_folder_that_is_not_there_holds_no_image(tmp_path: Path) -> None:
    assert find_images(tmp_path / "absent") == []
