"""ZIP and TAR files that nobody vouches for: verified before anything is written, and never outside the folder."""

import errno
import lzma
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xrgan.data.fetching.members import BY_HAND, DamagedArchive, Member, members, once_more, open_zip_or_tar, shortened
from xrgan.data.filenames import is_junk
from xrgan.errors import XrganError

BLOCK = 1 << 20  # bytes
# X-rays shrink to a half at best, masks in BMP to a hundredth: what grows far beyond is made to fill a disk.
LARGEST_GROWTH = 200
SMALLEST_BOMB = 1 << 30  # bytes: below that, whatever grows does no harm
BYTES_A_FILE = 4096  # that a file takes on a disk, however empty
BAD_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
DAMAGES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # NotImplementedError among them: a kind of ZIP that Python doesn't know
    ValueError,
    OverflowError,
    OSError,
)


@dataclass(frozen=True)
class Archive:
    """An open archive: the files to extract, without the junk."""

    path: Path
    members: tuple[Member, ...]

    @property
    def bytes(self) -> int:
        """What `extract` writes."""
        return sum(member.size for member in self.members)


@contextmanager
def opened(path: Path, packed: int = 0, before: int = 0) -> Iterator[Archive]:
    """The archive, once its files' names, sizes and kinds were found harmless; nothing of them was read yet.

    Args:
        packed: the bytes that all came in, where the archive was itself in another; 0 = its own size.
        before: the bytes that came out of those already.

    Raises:
        DamagedArchive: the file is cut short or no archive.
        XrganError: a member's name leads outside, is a link, or needs a password; or the archive is a bomb.
    """
    with _damage_named(path):
        archive = open_zip_or_tar(path)
    with archive:
        found = {}
        with _damage_named(path):
            for member in _bounded(members(archive, path.name), path.name, packed or path.stat().st_size, before):
                found[member.target] = member  # where a name comes twice, the later one is meant
        yield Archive(path, tuple(member for member in found.values() if not is_junk(member.target)))


def verify(archive: Archive, advance: Callable[[int], None] = lambda _: None) -> None:
    """Read every member and compare its checksum; `advance` is told the bytes read.

    Raises:
        DamagedArchive: a member is torn.
    """
    for member in archive.members:
        with _damage_named(archive.path, member), member.open() as packed:
            while block := packed.read(BLOCK):
                advance(len(block))


def extract(archive: Archive, folder: Path, advance: Callable[[int], None] = lambda _: None) -> None:
    """Write every file of the archive below `folder`, which must be absent or empty; `advance` is told the bytes.

    When anything is wrong, nothing stays behind.

    Raises:
        DamagedArchive: as `verify`; XrganError: a name that the disk doesn't take, or takes for another one;
        FileExistsError: `folder` is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for member in archive.members:
            with _damage_named(archive.path, member):
                _write(member, folder, archive.path.name, advance)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def need_room(folder: Path, size: int, purpose: str = "") -> None:
    """Make sure that `folder` can take `size` bytes more.

    Args:
        purpose: what for, to follow on "… are needed".

    Raises:
        XrganError: its disk has less free.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise XrganError(
            f"{amount(size)} are needed{purpose} in {folder}, and its disk has {amount(free)} free.",
            "Free some space, or put the data elsewhere: --data-root DIR.",
        )


def amount(size: float) -> str:
    """So many bytes, in words."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _write(member: Member, folder: Path, archive: str, advance: Callable[[int], None]) -> None:
    target = folder.joinpath(*member.target.parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _name_is_taken(member, target, archive) from None
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in BAD_NAME:
            raise
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{archive} holds {shortened(member.name)}, no name for a file here: {reason}."
        raise XrganError(message, BY_HAND) from error
    with file, member.open() as packed:
        while block := packed.read(BLOCK):
            file.write(block)
            advance(len(block))


def _name_is_taken(member: Member, target: Path, archive: str) -> XrganError:
    name = shortened(member.name)
    if target.is_file():
        return XrganError(
            f"{archive} holds {name}, and another file whose name this disk takes for the same.",
            "Put the data on a disk that tells capital letters from small ones: --data-root DIR.",
        )
    return XrganError(f"{archive} holds both a file and a folder called {name}.", BY_HAND)


def _bounded(members: Iterable[Member], name: str, packed: int, declared: int) -> Iterator[Member]:
    """The sizes that an archive declares bound what it can write: readers stop there."""
    for member in members:
        declared += member.size + BYTES_A_FILE
        if declared > SMALLEST_BOMB and declared > LARGEST_GROWTH * packed:
            raise XrganError(
                f"{name} is refused: its {packed / 1e6:,.1f} MB claim to hold {declared / 1e9:,.1f} GB or more.",
                f"No X-rays shrink like that. {BY_HAND}",
            )
        yield member


@contextmanager
def _damage_named(path: Path, member: Member | None = None) -> Iterator[None]:
    """Turn whatever the readers raise at torn or forged bytes into one sentence."""
    try:
        yield
    except DAMAGES as error:
        # bz2 and a seek to nowhere report damage as an OSError; the others are the disk's or the system's.
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
            raise
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        where = f" at {shortened(member.name)}" if member else ""
        raise DamagedArchive(f"{path.name} is damaged{where}: {reason}.", once_more(path)) from error
