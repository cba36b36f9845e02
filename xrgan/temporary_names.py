"""Names of what is being written, and whether whoever wrote it is still at work: machines may share a disk."""

import hashlib
import os
import re
import socket
import time
from pathlib import Path

A_DAY = 24 * 60 * 60  # seconds
OWNER = re.compile(r"\.(?:(?P<host>[0-9a-f]{8})-)?(?P<process>\d+)\.(?:tmp|new)$")  # ends a temporary name


def temporary_beside(path: Path, ending: str) -> Path:
    """Name what shall become `path`: hidden, and of this process on this machine, for machines may share a disk."""
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}.{ending}")


def is_abandoned(path: Path) -> bool:
    """Whether whoever made a name of `temporary_beside` has ended before it was done.

    Of another machine's processes nothing is known: what they made is abandoned when it is a day old. So is what
    earlier versions made, whose names don't tell the machine.
    """
    owner = OWNER.search(path.name)
    if owner is None:
        return False
    if owner["host"] == _host():
        return not _is_alive(int(owner["process"]))
    try:
        return time.time() - path.stat().st_mtime > A_DAY
    except FileNotFoundError:  # it has just become what it was made for
        return False


def _host() -> str:
    """Eight digits for this machine: its name itself may tell whose it is."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


def _is_alive(process: int) -> bool:
    """Whether a process of that number runs on this machine; True where that can't be told."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True
