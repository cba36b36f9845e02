"""A folder of images → a copy of it: no link leads the copy outside or in a circle."""

import os
import shutil
from pathlib import Path

from xrgan import console
from xrgan.data.archives import is_junk, need_room
from xrgan.data.images import DEEP_EXTENSIONS, EXTENSIONS, is_image
from xrgan.errors import XrganError


def copy_folder(folder: Path, target: Path, leave_out: Path) -> None:
    """Copy every file below `folder` to `target`, without hidden files, and without links that lead outside.

    Args:
        leave_out: a folder that is not entered: xrgan's own, should it lie below `folder`.

    Raises:
        XrganError: `folder` is no folder, is `leave_out` itself, holds no image, or is larger than the disk's room.
    """
    if not folder.is_dir():
        hint = "An archive is taken by --archive." if folder.is_file() else "Check the path."
        raise XrganError(f"There is no folder {folder}.", hint)
    root = folder.resolve()
    if root == leave_out.resolve():
        raise XrganError(f"{folder} is where xrgan keeps what it fetched.", "Name a folder of images.")
    files = _list_files(root, leave_out.resolve())
    if not any(is_image(root / file) for file in files):
        raise no_image(f"the folder {folder}")
    need_room(target, sum((root / file).stat().st_size for file in files))
    for file in console.track(files, f"Copying {root.name}", unit="files"):
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, copy)


def no_image(where: str) -> XrganError:
    return XrganError(f"There is no image in {where}.", f"Known are {', '.join(sorted(EXTENSIONS | DEEP_EXTENSIONS))}.")


def _list_files(root: Path, leave_out: Path) -> list[Path]:
    """Every file below `root`, relative to it and by name; what links point to outside is counted and left out."""
    files: list[Path] = []
    outside: list[Path] = []
    for parent, folders, names in os.walk(root, onerror=_raise):
        here = Path(parent)
        outside += [here / name for name in folders if _leads_outside(here / name, root)]
        folders[:] = sorted(name for name in folders if not is_junk(Path(name)) and here / name != leave_out)
        for name in sorted(names):
            path = here / name
            if is_junk(Path(name)):
                continue
            if _leads_outside(path, root):
                outside.append(path)
            elif path.is_file():
                files.append(path.relative_to(root))
    if outside:
        first = min(outside).relative_to(root)
        console.warn(f"{len(outside)} links that lead out of {root.name} were left out, {first} among them.")
    return files


def _leads_outside(path: Path, root: Path) -> bool:
    # realpath, because Path.resolve raises at links that run in a circle.
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root)


def _raise(error: OSError) -> None:
    raise error
