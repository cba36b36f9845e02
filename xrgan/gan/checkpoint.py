"""Checkpoints: written atomically, loaded without running code, and the one before where the last is torn."""

import os
import shutil
from pathlib import Path

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing
from xrgan.tensor_files import Content, read_tensors, write_tensors

PATTERN = "step_*.pt"
BEST = "best.pt"  # one of the others, by another name: it stays when they go


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
            files[int(load(best)["step"]) if step is None else step] = best
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
        raise XrganError(f"The checkpoint {path} is torn or damaged: {reason}.") from error


def load_last(folder: Path) -> tuple[Path, Content] | None:
    """The last good checkpoint; None where nothing was saved yet.

    Raises:
        XrganError: there are checkpoints, and every one of them is damaged.
    """
    files = _files(folder)
    for path in reversed(files):
        try:
            return path, load(path)
        except XrganError as error:
            console.warn(f"{error.message} Going back to the one before.")
    if files:
        raise XrganError(f"All checkpoints in {folder} are damaged.", "Train a new run.")
    return None


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
