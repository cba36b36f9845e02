"""Checkpoints: written atomically, loaded without running code, and the one before where the last is torn."""

import os
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import torch

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing

Content = dict[str, Any]
PATTERN = "step_*.pt"
BEST = "best.pt"  # one of the others, by another name: it stays when they go


def save(folder: Path, step: int, content: Content, keep: int) -> Path:
    """Write `step_00001234.pt` (an ordinary torch archive) and drop all but the last `keep`."""
    path = path_of(folder, step)
    with replacing(path) as temporary, temporary.open("wb") as file:  # of a name alone, torch forgets the disk's error
        torch.save(content, file)
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
    """Step → file of every checkpoint there is, ascending; the best one by that name."""
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
        # torch.save writes a zip archive with a checksum a record; torch.load itself doesn't look at them.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise XrganError(f"The checkpoint {path} is damaged: {damaged} fails its checksum.")
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise XrganError(f"There is no checkpoint {path}.") from None
    except (OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        reason = " ".join(str(error).split())[:200]
        raise XrganError(f"The checkpoint {path} is torn or damaged: {reason.rstrip('.')}.") from error
    if not isinstance(content, dict):
        raise XrganError(f"The checkpoint {path} is none of xrgan's: it holds a {type(content).__name__}.")
    return content


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
    there = ", ".join(file.stem for file in [*_files(folder), *best]) or "none"
    raise XrganError(f"There is no checkpoint {name} in {folder}.", f"There are: {there}.")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob(PATTERN) if path.stem.removeprefix("step_").isdecimal())
