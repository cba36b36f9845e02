"""Checkpoints: written atomically, loaded without running code, and the one before where the last is torn."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing
from xrgan.tensor_files import Content, read_tensors, write_tensors

Made = TypeVar("Made")

RUN = "run"  # key: the id of the run that a checkpoint is of; older ones have none
PATTERN = "step_*.pt"
ANOTHER = "Take another one of the run: `--checkpoint STEP`."
BEST = "best.pt"  # one of the others, by another name: it stays when they go


class BadCheckpoint(XrganError):
    """It is damaged, or another run's: the others may be good."""


def save(folder: Path, step: int, content: Content, keep: int) -> Path:
    """Write `step_00001234.pt` (an ordinary torch archive) and drop all but the last `keep`."""
    path = path_of(folder, step)
    write_tensors(path, content)
    for old in _files(folder)[:-keep]:
        old.unlink()
    return path


def path_of(folder: Path, step: int) -> Path:
    return folder / f"step_{step:08d}.pt"


def mark_best(path: Path) -> None:
    """Let `best.pt` be this checkpoint, for good: until another one is marked."""
    best = path.with_name(BEST)
    if path == best:
        return
    with replacing(best) as temporary:
        temporary.unlink(missing_ok=True)  # what a crash left may be another checkpoint's second name
        try:
            os.link(path, temporary)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, temporary)


def on_disk(folder: Path) -> dict[int, Path]:
    """Step → file of every checkpoint in a folder, ascending; the best one by that name."""
    files = {int(path.stem.removeprefix("step_")): path for path in _files(folder)}
    best = folder / BEST
    if best.is_file():
        step = next((step for step, path in files.items() if best.samefile(path)), None)
        try:
            files[load_as(best, lambda content: int(content["step"])) if step is None else step] = best
        except XrganError as error:
            console.warn(error.message)
    return dict(sorted(files.items()))


def load(path: Path) -> Content:
    """Read one checkpoint onto the CPU.

    Raises:
        XrganError: there is none, or it is torn or damaged.
    """
    try:
        return read_tensors(path)
    except FileNotFoundError:
        raise XrganError(f"There is no checkpoint {path}.") from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadCheckpoint(f"The checkpoint {path} is torn or damaged: {reason}.", ANOTHER) from error


def load_as(path: Path, make: Callable[[Content], Made], run_id: str = "") -> Made:
    """Read one checkpoint, and make of it what it is for.

    Args:
        make: raises what it likes where the content is another network's.
        run_id: of the run that it should be of; empty = any, or not known.

    Raises:
        XrganError: as `load`; or it is whole, but another run's.
    """
    content = load(path)
    if run_id and content.get(RUN, run_id) != run_id:
        raise BadCheckpoint(f"The checkpoint {path} is another run's.", ANOTHER)
    try:
        return make(content)
    except torch.OutOfMemoryError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise BadCheckpoint(f"The checkpoint {path} doesn't fit this run: {reason}.", ANOTHER) from error


def load_last_as(folder: Path, make: Callable[[Content], Made], run_id: str = "") -> tuple[Path, Made] | None:
    """As `load_as`, of the last checkpoint that is good and fits; None where nothing was saved yet.

    Raises:
        XrganError: there are checkpoints, and every one of them is damaged or another run's.
    """
    files = _files(folder)
    for path in reversed(files):
        try:
            return path, load_as(path, make, run_id)
        except XrganError as error:
            console.warn(f"{error.message} Going back to the one before.")
    if files:
        raise XrganError(f"All checkpoints in {folder} are damaged, or another run's.", "Train a new run.")
    return None


def any_in(folder: Path) -> bool:
    """Whether anything was saved yet, good or not."""
    return bool(_files(folder))


def find(folder: Path, name: str) -> Path:
    """The checkpoint of that path, file name or step number, or the `best`.

    Raises:
        XrganError: there is no such checkpoint.
    """
    candidates = [Path(name), folder / name, folder / f"{name}.pt"]
    if name.isdecimal():
        candidates.append(path_of(folder, int(name)))
    for path in candidates:
        if path.is_file():
            return path
    if name in {BEST, Path(BEST).stem}:
        raise XrganError(
            f"No checkpoint in {folder} is marked best.",
            "`xrgan evaluate --every-checkpoint` scores them and marks it.",
        )
    best = [folder / BEST] if (folder / BEST).is_file() else []
    names = ", ".join(file.stem for file in [*_files(folder), *best]) or "none"
    raise XrganError(f"There is no checkpoint {name} in {folder}.", f"There are: {names}.")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(PATTERN) if path.stem.removeprefix("step_").isdecimal())
