"""Temporary names of two machines on one disk: a process that lives elsewhere looks dead here."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xrgan.temporary_names import A_DAY, is_abandoned, temporary_beside


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def made_by(process: int, host: str, path: Path, monkeypatch: pytest.MonkeyPatch, age: float = 0) -> Path:
    """A temporary file as that process of that machine leaves it."""
    with monkeypatch.context() as patch:
        patch.setattr(socket, "gethostname", lambda: host)
        patch.setattr(os, "getpid", lambda: process)
        file = temporary_beside(path, "tmp")
    file.touch()
    os.utime(file, (time.time() - age,) * 2)
    return file


@pytest.mark.parametrize(
    ("host", "alive", "age", "abandoned"),
    [
        ("here", False, 0, True),
        ("here", True, 0, False),
        ("here", True, 2 * A_DAY, False),
        ("there", False, 0, False),
        ("there", True, A_DAY - 60, False),
        ("there", False, A_DAY + 60, True),
        ("there", True, A_DAY + 60, True),
    ],
)
def test_another_machine_s_file_is_abandoned_when_it_is_old(
    host: str, alive: bool, age: float, abandoned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made_by(os.getpid() if alive else dead_process(), host, tmp_path / "a.pt", monkeypatch, age)
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    assert is_abandoned(file) == abandoned


def test_names_of_earlier_versions_don_t_tell_the_machine(tmp_path: Path) -> None:
    for process in (os.getpid(), dead_process()):
        file = tmp_path / f".a.pt.{process}.tmp"
        file.touch()
        assert not is_abandoned(file)
        os.utime(file, (time.time() - A_DAY - 60,) * 2)
        assert is_abandoned(file)


@pytest.mark.parametrize("name", [".notes.tmp", "notes.tmp", ".a.draft-12.tmp", ".a.12.txt", ".a.0123456789-12.tmp"])
def test_a_user_s_own_files_are_nobody_s_leavings(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    os.utime(tmp_path / name, (0, 0))
    assert not is_abandoned(tmp_path / name)


def test_what_was_renamed_meanwhile_is_not_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made_by(1, "there", tmp_path / "a.pt", monkeypatch)
    file.unlink()
    assert not is_abandoned(file)
    assert socket.gethostname() not in temporary_beside(tmp_path / "a.pt", "new").name
