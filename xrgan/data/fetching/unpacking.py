"""An archive → a folder: checked, then unpacked, and the archives in it too, one level deep."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from xrgan import console
from xrgan.data.fetching import archives
from xrgan.data.fetching.members import DamagedArchive, once_more
from xrgan.data.filenames import is_archive, without_extension
from xrgan.data.reading.kinds import KNOWN_KINDS, is_image
from xrgan.errors import XrganError
from xrgan.files import MEGABYTE


def unpack(path: Path, folder: Path) -> None:
    """Check an archive, then write what it holds to `folder`, which is there and empty.

    Where it holds archives and no image (the twelve of NIH in one file, say), those are unpacked too.

    Raises:
        DamagedArchive: it is damaged; nothing is written.
        XrganError: as `archives.opened` and `archives.extract`; the disk lacks the room; there is no image; or an
            archive in it is damaged, and `folder` half filled.
    """
    unpack_flat(path, folder)
    packed, unpacked = path.stat().st_size, 0
    for inner in to_unpack(path.name, _files(folder)):
        try:
            unpacked += unpack_flat(inner, place_for(inner), packed, unpacked)
        except DamagedArchive as error:  # it was so when it was packed: another download would be the same
            raise XrganError(f"In {path.name}: {error.message}", once_more(path)) from error
        inner.unlink()
    if unpacked and (deeper := [file for file in _files(folder) if is_archive(file)]):
        _warn_of_packed(path.name, deeper)
    if not holds_image(folder):
        raise no_image(path.name)


def unpack_flat(path: Path, folder: Path, packed: int = 0, before: int = 0) -> int:
    """As `unpack`, but for the archives in the archive; `folder` is made.

    Args:
        packed, before: as for `archives.opened`.

    Returns:
        the bytes that were written.
    """
    if path.is_file() and path.suffix.lower() != ".zip":
        console.notice(f"Reading through {path.name} to list it.")  # a TAR file has no table of contents
    with archives.opened(path, packed, before) as archive:
        size = archive.bytes
        folder.mkdir(exist_ok=True)
        archives.need_room(folder, size)
        with bar_of_bytes(f"Checking {path.name}", size) as advance:
            archives.verify(archive, advance)
        with bar_of_bytes(f"Unpacking {path.name}", size) as advance:
            archives.extract(archive, folder, advance)
    return size


def to_unpack(where: str, files: Sequence[Path]) -> list[Path]:
    """The archives among the files, if no image lies beside them: else they may well hold the same images again."""
    found = [file for file in files if is_archive(file)]
    if found and any(is_image(file) for file in files):
        _warn_of_packed(where, found)
        return []
    return found


def place_for(archive: Path) -> Path:
    """A folder beside the archive, of its name, that is not there yet."""
    name = without_extension(archive.name) or "archive"
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(place for place in map(archive.with_name, names) if not place.exists())


def holds_image(folder: Path) -> bool:
    return any(is_image(path) for path in folder.rglob("*") if path.is_file())


def no_image(where: str) -> XrganError:
    return XrganError(f"There is no image in {where}.", f"xrgan reads {KNOWN_KINDS}.")


@contextmanager
def bar_of_bytes(description: str, size: int) -> Iterator[Callable[[int], None]]:
    """Show how `size` bytes are dealt with; call what is given with each number of bytes."""
    with console.progress(description, size / MEGABYTE, "MB") as bar:
        yield lambda done: bar.advance(done / MEGABYTE)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _warn_of_packed(where: str, found: Sequence[Path]) -> None:
    console.warn(
        f"{where} holds archives that stay packed, {found[0].name} among {len(found)}. "
        "If there are images in them that you need, unpack everything into one folder and use --folder DIR."
    )
