"""Disks that are full, small, closed or odd: the writes that fail are real ones, on a file system in memory.

It is mounted in a namespace of its own, which a Linux that allows that to its users gives without root's help.
"""

import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.data.conftest import Start
from tests.data.fake_kaggle import FakeKaggle
from tests.data.fetch_runs import (
    NETWORKLESS,
    assert_refused,
    assert_whole,
    partial,
    run_alone,
    unprivileged,
    wait_until,
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Disk:
    """A file system that is seen at `root` by the commands that `enter` runs, and by all others at `seen`."""

    root: Path
    enter: list[str]
    seen: Path


MakeDisk = Callable[[str], Disk]


@pytest.fixture
def make_disk(tmp_path: Path) -> Iterator[MakeDisk]:
    """Make a disk with options of a tmpfs: `size=700k`, `nr_inodes=20`, `ro`."""
    with ExitStack() as stack:

        def make(options: str) -> Disk:
            root = tmp_path / "disk"
            root.mkdir()
            script = 'mkdir "$1/home" "$1/raw"; mount -t tmpfs -o "$0" tmpfs "$1/raw" && echo mounted && exec sleep 60'
            line = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, options, str(root)]
            try:
                holder = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            except FileNotFoundError:
                pytest.skip("no unshare here")
            stack.enter_context(holder)
            stack.callback(holder.kill)
            assert holder.stdout
            if holder.stdout.readline() != "mounted\n":
                pytest.skip("no mount is allowed here")
            target = ["--user", "--mount", "--target", str(holder.pid)]
            seen = Path(f"/proc/{holder.pid}/root") / root.relative_to("/")
            return Disk(root, ["nsenter", "--preserve-credentials", *target], seen)

        yield make


def fill(disk: Disk) -> Path:
    """A file that takes all that is free."""
    filler = disk.seen / "raw" / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def test_disk_that_fills_up_during_the_download(
    start: Start, kaggle: FakeKaggle, archive: Path, make_disk: MakeDisk
) -> None:
    disk = make_disk("size=900k")
    kaggle.holds_at = 180_000
    process = start(kaggle, disk.root, wrap=disk.enter)
    had = partial(disk.seen)
    wait_until(lambda: had.is_file() and had.stat().st_size == 2 << 16)
    filler = fill(disk)
    kaggle.gate.set()
    stdout, stderr = process.communicate(timeout=20)
    done = subprocess.CompletedProcess([], process.returncode, stdout, stderr)
    assert_refused(done, disk.seen, f"The disk of {disk.root / 'raw'} is full", "--data-root", "goes on where it")
    filler.unlink()
    kept = had.stat().st_size
    assert kept >= 2 << 16
    done = run_alone(kaggle, disk.root, wrap=disk.enter)
    assert done.returncode == 0, done.stderr
    assert kaggle.ranges[-1] == f"bytes={kept}-"
    assert_whole(disk.seen / "raw", archive)


def test_disk_that_can_not_take_both_the_archive_and_what_it_holds(kaggle: FakeKaggle, make_disk: MakeDisk) -> None:
    disk = make_disk("size=500k")
    done = run_alone(kaggle, disk.root, wrap=disk.enter)
    assert_refused(done, disk.seen, "0.6 MB are needed for the archive and what it holds", "0.5 MB free")
    assert not partial(disk.seen).exists()


def test_disk_that_can_not_take_what_the_archive_turns_out_to_hold(
    kaggle: FakeKaggle, make_disk: MakeDisk, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "mask.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mask.png", bytes(2_000_000))
    kaggle.archive = (tmp_path / "mask.zip").read_bytes()
    disk = make_disk("size=900k")
    done = run_alone(kaggle, disk.root, wrap=disk.enter)
    assert_refused(done, disk.seen, "2.0 MB are needed", "The download stays in")


@pytest.mark.parametrize("files", [2, 3, 5, 9, 13, 14])
def test_disk_that_takes_no_more_files(files: int, archive: Path, make_disk: MakeDisk) -> None:
    """It is full at one step or another: locking, staging, unpacking, writing down what was fetched."""
    disk = make_disk(f"size=2m,nr_inodes={files}")
    done = run_alone(NETWORKLESS, disk.root, wrap=disk.enter, archive=archive)
    if files == 14:  # 7 images and tables, source.yaml, the lock, and 5 folders
        assert done.returncode == 0, done.stderr
        assert_whole(disk.seen / "raw", archive)
    else:
        assert_refused(done, disk.seen, f"The disk of {disk.root / 'raw'} is full")


def test_disk_that_takes_no_large_file(tmp_path: Path) -> None:
    """As FAT32, which ends at 4 GB; here by a limit of this user's."""
    with zipfile.ZipFile(tmp_path / "large.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("fine.png", bytes(1000))
        file.writestr("large.png", bytes(3_000_000))
    limit = ["sh", "-c", 'ulimit -f 2048; exec "$0" "$@"']  # blocks of 512 or 1024 bytes
    done = run_alone(NETWORKLESS, tmp_path, wrap=limit, archive=tmp_path / "large.zip")
    assert_refused(done, tmp_path, "takes no file that large", "--data-root DIR")


def test_disk_that_is_read_only(archive: Path, make_disk: MakeDisk) -> None:
    disk = make_disk("size=1m,ro")
    done = run_alone(NETWORKLESS, disk.root, wrap=disk.enter, archive=archive)
    assert_refused(done, disk.seen, str(disk.root / "raw"), "Read-only file system", "--data-root DIR")


def test_place_that_is_no_folder(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file")
    done = run_alone(NETWORKLESS, tmp_path, archive=archive)
    assert_refused(done, tmp_path, str(tmp_path / "raw"), "--data-root DIR")
    assert (tmp_path / "raw").read_text() == "a file"


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Callable[[Path], Path]]:
    """Take a file's or folder's permissions away, until the test is over."""
    modes: dict[Path, int] = {}

    def close(path: Path) -> Path:
        modes[path] = stat.S_IMODE(path.stat().st_mode)
        path.chmod(0)
        return path

    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root can't be kept from any file here")
    yield close
    for path, mode in modes.items():
        path.chmod(mode)


def test_place_that_may_not_be_written(archive: Path, closed: Callable[[Path], Path], tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    closed(tmp_path / "raw")
    done = run_alone(NETWORKLESS, tmp_path, wrap=unprivileged(), archive=archive)
    (tmp_path / "raw").chmod(0o700)
    assert_refused(done, tmp_path, str(tmp_path / "raw"), "Permission denied", "--data-root DIR")


def test_archive_that_may_not_be_read(archive: Path, closed: Callable[[Path], Path], tmp_path: Path) -> None:
    mine = closed(Path(shutil.copy(archive, tmp_path / "mine.zip")))
    done = run_alone(NETWORKLESS, tmp_path, wrap=unprivileged(), archive=mine)
    assert_refused(done, tmp_path, f"{mine} can't be read: Permission denied", "Make it readable")


def test_files_that_may_not_be_read_are_named_before_anything_is_copied(
    archive: Path, closed: Callable[[Path], Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "scans")
    for number in (2, 5):
        closed(tmp_path / "scans" / "images" / "images" / f"JPCLN00{number}.png")
    done = run_alone(NETWORKLESS, tmp_path, wrap=unprivileged(), folder=tmp_path / "scans")
    assert_refused(done, tmp_path, "2 files", "images/images/JPCLN002.png among them", "chmod")
    assert "Copying" not in done.stderr


def test_folder_that_may_not_be_entered(archive: Path, closed: Callable[[Path], Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "scans")
    inner = closed(tmp_path / "scans" / "images" / "images")
    done = run_alone(NETWORKLESS, tmp_path, wrap=unprivileged(), folder=tmp_path / "scans")
    assert_refused(done, tmp_path, f"{inner} can't be read: Permission denied")
