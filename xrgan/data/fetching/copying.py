"""A folder of images → a copy of it: links are followed, to images alone where they lead outside, and never round."""

import os
import shutil
from pathlib import Path

from xrgan import console
from xrgan.data.fetching.archives import need_room
from xrgan.data.fetching.unpacking import holds_image, no_image, place_for, to_unpack, unpack_flat
from xrgan.data.filenames import DEEPEST, is_junk_name, readable
from xrgan.data.reading.kinds import is_image
from xrgan.errors import XrganError
from xrgan.files import no_such


def check_folder(folder: Path) -> None:
    """Raise XrganError where a folder isn't there."""
    if not folder.is_dir():
        hint = f"An archive is taken by --archive {folder}." if folder.is_file() else "Check the path."
        raise no_such("folder", folder, hint)


def copy_folder(folder: Path, target: Path, leave_out: Path) -> None:
    """Copy every file below `folder` to `target`, without hidden files; where links lead outside, the images alone.

    Where it holds archives and no image (NIH's twelve, as they were downloaded), those are unpacked instead.

    Args:
        leave_out: a folder that is not entered: xrgan's own, should it lie below `folder`.

    Raises:
        XrganError: `folder` is no folder, is `leave_out` itself, holds no image or a file that may not be read, or is
            larger than the disk's room.
    """
    check_folder(folder)
    root = folder.resolve()
    if root == leave_out.resolve():
        raise XrganError(f"{folder} is where xrgan keeps what it fetched.", "Name a folder of images.")
    files = _list_files(root, leave_out.resolve())
    _refuse_unreadable(folder, root, files)
    packed = {path.relative_to(root) for path in to_unpack(root.name, [root / file for file in files])}
    if not packed and not any(is_image(root / file) for file in files):
        raise no_image(f"the folder {folder}")
    plain = [file for file in files if file not in packed]
    need_room(target, sum((root / file).stat().st_size for file in plain))
    for file in console.track(plain, f"Copying {root.name}", unit="files"):
        copy = target / readable(str(file))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, copy)
    for file in sorted(packed):
        place = place_for(target / readable(str(file)))
        place.parent.mkdir(parents=True, exist_ok=True)
        unpack_flat(root / file, place)
    if packed and not holds_image(target):
        raise no_image(f"the archives in {folder}")


def _refuse_unreadable(folder: Path, root: Path, files: list[Path]) -> None:
    """Say so before the first of thousands of files is copied."""
    closed = [file for file in files if not os.access(root / file, os.R_OK)]
    if closed:
        raise XrganError(
            f"{len(closed)} files in {folder} may not be read by this user, {closed[0]} among them.",
            f"Make them readable (`chmod -R u+rX {folder}`, as their owner), or move them out of the folder.",
        )


def _list_files(root: Path, leave_out: Path) -> list[Path]:
    """Every file below `root`, relative to it and by name; of what links lead to outside, the images, which are said.

    Other files outside are nobody's data set, and could be anything: they are not copied.
    """
    files: list[Path] = []
    linked: list[Path] = []
    seen: set[Path] = set()
    waiting = [root]
    while waiting:
        start = waiting.pop()
        is_outside = start != root
        for parent, folders, names in os.walk(start, onerror=_raise):
            here = Path(parent)
            if len(here.relative_to(root).parts) >= DEEPEST:
                raise XrganError(f"{root.name} is more than {DEEPEST} folders deep.", f"Name a folder below: {here}.")
            if (real := here.resolve()) in seen or real == leave_out:
                folders[:] = []
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not is_junk_name(name))
            waiting += [here / name for name in folders if _leads_outside(here / name, root) and (here / name).exists()]
            for path in (here / name for name in sorted(names) if not is_junk_name(name)):
                if is_outside or _leads_outside(path, root):
                    linked += [path.relative_to(root)] if path.is_file() and is_image(path) else []
                elif path.is_file():
                    files.append(path.relative_to(root))
    if linked:
        console.notice(f"{len(linked):,} images that links lead to, out of {root.name}, are copied too: {min(linked)}.")
    return files + sorted(linked)


def _leads_outside(path: Path, root: Path) -> bool:
    # realpath, because Path.resolve raises at links that run in a circle.
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root)


def _raise(error: OSError) -> None:
    raise error
