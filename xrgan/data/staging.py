"""A folder that appears whole or not at all: it grows beside its place, and moves there by a rename.

<parent>/.staging/<name> is where it grows, <name>.old the one that it replaces, <name>.lock who is at work,
<name>.partial what an interrupted one leaves for the next.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from xrgan import console
from xrgan.files import naming


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Be the only process at work on `target`: wait, and say so, while another is; clear away what a dead one left."""
    nursery = target.parent / ".staging"
    nursery.mkdir(parents=True, exist_ok=True)
    lock = FileLock(nursery / f"{target.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        console.notice(f"Another xrgan is at work on {target.name}: waiting for it.")
        lock.acquire()
    try:
        _recover(target)
        with naming(target.parent):
            yield
    finally:
        lock.release()


@contextmanager
def growing(target: Path) -> Iterator[Path]:
    """A folder to fill; when the block ends well it becomes `target`, else it is removed. The lock must be held."""
    staging, old = _places(target)
    staging.mkdir()
    try:
        yield staging
        if target.exists():
            target.rename(old)
        staging.rename(target)
    finally:
        _recover(target)


def partial_of(target: Path) -> Path:
    """A folder beside the one that grows, which outlives an interruption: for work that is resumed."""
    return target.parent / ".staging" / f"{target.name}.partial"


def remove(path: Path) -> None:
    """Remove a folder, or a link to one, if it is there."""
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _recover(target: Path) -> None:
    staging, old = _places(target)
    if old.exists() and not target.exists():
        old.rename(target)
    for path in (staging, old):
        remove(path)


def _places(target: Path) -> tuple[Path, Path]:
    """Where the new one grows, and where the old one waits until the new one stands."""
    nursery = target.parent / ".staging"
    return nursery / target.name, nursery / f"{target.name}.old"
