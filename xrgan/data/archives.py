"""ZIP and TAR files that nobody vouches for: verified before anything is written, and never outside the folder."""

import errno
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from xrgan.errors import XrganError

BLOCK = 1 << 20  # bytes
# X-rays shrink to a half at best, masks in BMP to a hundredth: what grows far beyond is made to fill a disk.
LARGEST_GROWTH = 200
SMALLEST_BOMB = 1 << 30  # bytes: below that, whatever grows does no harm
DRIVE = re.compile(r"[A-Za-z]:")
BAD_NAME = {errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
DAMAGES = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # NotImplementedError among them: a compression that Python doesn't know
    ValueError,
    OverflowError,
    OSError,
)


class DamagedArchive(XrganError):
    """The file is no whole archive: another download may be."""


@dataclass(frozen=True)
class Member:
    """A regular file in an archive: its name there, where it goes, and its size in bytes."""

    name: str
    target: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


@dataclass(frozen=True)
class Contents:
    files: int
    bytes: int


def contents(path: Path) -> Contents:
    """Count what `extract` would write, from the archive's directory alone.

    Raises:
        DamagedArchive: the file is cut short or no archive.
        XrganError: a member's name leads outside, is a link, or needs a password; or the archive is a bomb.
    """
    with _opened(path) as members:
        return Contents(len(members), sum(member.size for member in members))


def verify(path: Path, advance: Callable[[int], None] = lambda _: None) -> None:
    """Read every member and compare its checksum; `advance` is told the bytes read.

    Raises:
        DamagedArchive: a member is torn; else as `contents`.
    """
    with _opened(path) as members:
        for member in members:
            with _damage_named(path, f" at {member.name!r}"), member.open() as packed:
                while block := packed.read(BLOCK):
                    advance(len(block))


def extract(path: Path, folder: Path, advance: Callable[[int], None] = lambda _: None) -> None:
    """Write every file of the archive below `folder`, which must be absent or empty; `advance(1)` after each.

    Hidden files and the Mac's `__MACOSX` copies are left out. When anything is wrong, nothing stays behind.

    Raises:
        as `verify`; FileExistsError: `folder` is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    with _opened(path) as members:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for member in members:
                with _damage_named(path, f" at {member.name!r}"):
                    _write(member, folder, path)
                advance(1)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def need_room(folder: Path, size: int) -> None:
    """Make sure that `folder` can take `size` bytes more.

    Raises:
        XrganError: its disk has less free.
    """
    free = shutil.disk_usage(folder).free
    if free < size:
        raise XrganError(
            f"{size / 1e9:,.1f} GB are needed in {folder}, and its disk has {free / 1e9:,.1f} GB free.",
            "Free some space, or put the data elsewhere: --data-root DIR.",
        )


def is_junk(path: PurePosixPath | Path) -> bool:
    """Hidden (`.DS_Store`, `._image.png`, `.git/…`), or one of the copies that a Mac or Windows leaves."""
    return any(part.startswith(".") or part in {"__MACOSX", "Thumbs.db", "desktop.ini"} for part in path.parts)


def _write(member: Member, folder: Path, archive: Path) -> None:
    target = folder.joinpath(*member.target.parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("wb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise XrganError(f"{archive.name} holds both a file and a folder called {member.name!r}.") from None
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in BAD_NAME:
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise XrganError(f"{archive.name} holds {member.name[:80]!r}, no name for a file here: {reason}.") from error
    with file, member.open() as packed:
        shutil.copyfileobj(packed, file, BLOCK)


@contextmanager
def _opened(path: Path) -> Iterator[list[Member]]:
    """The archive's files without the junk, once their names, sizes and kinds were found harmless."""
    with _damage_named(path):
        archive = _open_zip_or_tar(path)
    with archive:
        with _damage_named(path):
            members = _zip_members(archive) if isinstance(archive, zipfile.ZipFile) else _tar_members(archive)
        _refuse_bomb(path, members)
        yield [member for member in members if member.target.parts and not is_junk(member.target)]


def _open_zip_or_tar(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    if not path.is_file():
        hint = f"A folder is taken by --folder {path}." if path.is_dir() else "Check the path."
        raise XrganError(f"There is no archive {path}.", hint)
    if zipfile.is_zipfile(path):
        return zipfile.ZipFile(path)
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] == b"PK":
        raise DamagedArchive(f"{path.name} was cut short: the end of the ZIP file is missing.", _again(path))
    try:
        return tarfile.open(path)
    except tarfile.ReadError:
        raise DamagedArchive(f"{path.name} is no ZIP and no TAR file.", _again(path)) from None


def _zip_members(archive: zipfile.ZipFile) -> list[Member]:
    members = []
    for info in archive.infolist():
        target = _inside(archive.filename, info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refusal(archive.filename, info.filename, "is a link")
        if info.flag_bits & 1:
            raise _refusal(archive.filename, info.filename, "is locked with a password")
        if not info.filename.endswith(("/", "\\")):  # a folder's entry
            members.append(Member(info.filename, target, info.file_size, partial(archive.open, info)))
    return members


def _tar_members(archive: tarfile.TarFile) -> list[Member]:
    members = []
    for info in archive.getmembers():
        target = _inside(str(archive.name), info.name)
        if not (info.isreg() or info.isdir()):
            raise _refusal(str(archive.name), info.name, "is a link" if info.issym() or info.islnk() else "is no file")
        if info.isreg():
            members.append(Member(info.name, target, info.size, partial(_open_tar_member, archive, info)))
    return members


def _open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None, "links and folders were left out"
    return file


def _inside(archive: str | None, name: str) -> PurePosixPath:
    """The member's path below the folder; `\\` separates too, as some Windows programs write it."""
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if plain.startswith("/") or ".." in path.parts or any(DRIVE.match(part) for part in path.parts):
        raise _refusal(archive, name, "leads outside")
    return path


def _refusal(archive: str | None, name: str, what: str) -> XrganError:
    return XrganError(
        f"{Path(archive or '').name} is refused: its member {name[:200]!r} {what}.",
        "Nothing was extracted. If you trust the archive, unpack it yourself and use --folder DIR.",
    )


def _refuse_bomb(path: Path, members: list[Member]) -> None:
    """The sizes that an archive declares bound what it can write: readers stop there."""
    declared, packed = sum(member.size for member in members), path.stat().st_size
    if declared > SMALLEST_BOMB and declared > LARGEST_GROWTH * packed:
        raise XrganError(
            f"{path.name} is refused: its {packed / 1e6:,.1f} MB claim to hold {declared / 1e9:,.1f} GB.",
            "No X-rays shrink like that. If you trust the archive, unpack it yourself and use --folder DIR.",
        )


@contextmanager
def _damage_named(path: Path, where: str = "") -> Iterator[None]:
    """Turn whatever the readers raise at torn or forged bytes into one sentence."""
    try:
        yield
    except DAMAGES as error:
        # bz2 and a seek to nowhere report damage as an OSError; the others are the disk's or the system's.
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
            raise
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DamagedArchive(f"{path.name} is damaged{where}: {reason}.", _again(path)) from error


def _again(path: Path) -> str:
    return f"Get {path.name} once more, whole."
