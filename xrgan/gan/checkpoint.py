"""Checkpoints: written atomically, loaded without running code, and the one before where the last is torn."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import replacing

Content = dict[str, Any]
PATTERN = "step_*.pt"


def save(folder: Path, step: int, content: Content, keep: int) -> Path:
    """Write `step_00001234.pt` (an ordinary torch archive) and drop all but the last `keep`."""
    path = folder / f"step_{step:08d}.pt"
    with replacing(path) as temporary:
        torch.save(content, temporary)
    for old in _files(folder)[:-keep]:
        old.unlink()
    return path


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
    """The checkpoint of that path, file name or step number.

    Raises:
        XrganError: there is no such checkpoint.
    """
    candidates = [Path(name), folder / name, folder / f"{name}.pt"]
    if name.isdigit():
        candidates.append(folder / f"step_{int(name):08d}.pt")
    for path in candidates:
        if path.is_file():
            return path
    there = ", ".join(file.stem for file in _files(folder)) or "none"
    raise XrganError(f"There is no checkpoint {name} in {folder}.", f"There are: {there}.")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(PATTERN))
