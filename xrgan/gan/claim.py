"""A run's folder is nobody else's, is there whole or not at all, and is trained by one process at a time."""

import glob
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xrgan.errors import XrganError
from xrgan.files import naming
from xrgan.rundir import RunDir
from xrgan.temporary_names import is_abandoned, temporary_beside

LOCK = ".lock"  # in a run that is being trained: who does it


def refuse_other_folder(run: RunDir) -> None:
    """Make sure that a new run can have its folder.

    Raises:
        XrganError: something else is there: nothing is written among a user's files.
    """
    path = run.path
    is_empty = path.is_dir() and not any(path.iterdir()) and not path.samefile(Path.cwd())
    if os.path.lexists(path) and not is_empty:
        raise XrganError(
            f"{path} is there, and is no run: it has no config.yaml.",
            "Give the new run a name that is free: `xrgan train --run NEW`.",
        )


@contextmanager
def growing(run: RunDir) -> Iterator[RunDir]:
    """A folder to make a run in; when the block ends well it becomes the run's own, else it is removed.

    Raises:
        XrganError: something else has the run's name, before or meanwhile.
    """
    refuse_other_folder(run)
    _sweep(run)
    staged = temporary_beside(run.path, "new")
    staged.mkdir(parents=True)
    try:
        yield RunDir(staged)
        refuse_other_folder(run)
        staged.rename(run.path)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


@contextmanager
def locked(run: RunDir) -> Iterator[None]:
    """Be the only process that trains a run.

    Raises:
        XrganError: another one does; it is named.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    file = run.path / LOCK
    holder = file.read_text(encoding="utf-8", errors="replace").strip() if file.is_file() else ""
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = f"process {holder}" if holder else "another process"
        raise XrganError(f"{run.path} is being trained by {who}.", "Wait until it is done, or stop it.") from None
    try:
        since = time.strftime("%Y-%m-%d %H:%M")
        with naming(run.path):
            file.write_text(f"{os.getpid()} on {socket.gethostname()} since {since}", encoding="utf-8")
            yield
    finally:
        file.unlink(missing_ok=True)
        lock.release()


def _sweep(run: RunDir) -> None:
    """Remove what a killed process left of this run."""
    for path in run.path.parent.glob(f".{glob.escape(run.name)}.*.new"):
        if is_abandoned(path):
            shutil.rmtree(path, ignore_errors=True)
