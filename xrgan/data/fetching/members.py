"""What a ZIP or TAR file holds: its files, once their names, sizes and kinds were found harmless."""

import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from xrgan.data.filenames import encoding_of, inside, readable
from xrgan.errors import XrganError
from xrgan.files import no_such

LARGEST_HEADER = 1 << 20  # bytes, in a TAR file: headers are read into memory
LARGEST_REST = 1 << 28  # bytes, of padding behind the end of a TAR file
BLOCK = 1 << 20  # bytes
# zipfile inflates a block of any other kind as a whole: a few bytes of bzip2 would fill the memory.
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
OTHER_METHODS = {9: "Deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "LZMA", 93: "Zstandard"}
UTF8_MARK = 0x800
LOCKED_MARK = 0x1
LONG_HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
OTHER_KINDS = {b"Rar!": "a RAR file", b"7z\xbc\xaf": "a 7z file"}
BY_HAND = "If you trust the archive, unpack it yourself and use --folder DIR."


class DamagedArchive(XrganError):
    """The file is no whole archive: another download may be."""


@dataclass(frozen=True)
class Member:
    """A regular file in an archive: its name there, where it goes, and its size in bytes."""

    name: str
    target: PurePosixPath
    size: int
    open: Callable[[], IO[bytes]]


def check_archive(path: Path) -> None:
    """Raise XrganError where an archive isn't there."""
    if not path.is_file():
        hint = f"A folder is taken by --folder {path}." if path.is_dir() else "Check the path."
        raise no_such("archive", path, hint)


def open_zip_or_tar(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    """Open an archive of either kind, told by its content.

    Raises:
        DamagedArchive: it is cut short, or neither; XrganError: it is not there, or of a kind that can't be read;
        and whatever the two modules raise at torn bytes.
    """
    check_archive(path)
    if zipfile.is_zipfile(path):
        return _open_zip(path)
    with path.open("rb") as file:
        start = file.read(512).lstrip()
    if start[:2] == b"PK":
        raise DamagedArchive(f"{path.name} was cut short: the end of the ZIP file is missing.", once_more(path))
    if start[:4] in OTHER_KINDS:
        raise XrganError(f"{path.name} is {OTHER_KINDS[start[:4]]}: xrgan takes ZIP and TAR.", BY_HAND)
    if start[:1] == b"<":
        raise DamagedArchive(f"{path.name} is a web page, not an archive.", once_more(path))
    if not start.strip(b"\0"):  # tarfile takes zeros for an archive of nothing
        raise DamagedArchive(f"{path.name} is empty, or begins with zeros.", once_more(path))
    try:
        return tarfile.open(path, tarinfo=_Header)
    except tarfile.ReadError:
        raise DamagedArchive(f"{path.name} is no ZIP and no TAR file.", once_more(path)) from None


def members(archive: zipfile.ZipFile | tarfile.TarFile, name: str) -> Iterator[Member]:
    """The regular files of an archive called `name`, in its own order.

    Raises:
        XrganError: a member leads outside, is a link, needs a password, or is packed in a way that can't be bounded.
    """
    return _zip_members(archive, name) if isinstance(archive, zipfile.ZipFile) else _tar_members(archive, name)


def once_more(path: Path) -> str:
    return f"Get {path.name} once more, whole."


def shortened(name: str) -> str:
    """In quotes, and short enough for a sentence."""
    return repr(name if len(name) <= 100 else f"{name[:60]}…{name[-30:]}")


def _open_zip(path: Path) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(path)
    unmarked = [info.orig_filename for info in archive.infolist() if not info.flag_bits & UTF8_MARK]
    encoding = encoding_of([name.encode("cp437") for name in unmarked])
    if encoding is None:
        return archive
    archive.close()
    return zipfile.ZipFile(path, metadata_encoding=encoding)


def _zip_members(archive: zipfile.ZipFile, name: str) -> Iterator[Member]:
    for info in archive.infolist():
        target = _inside(name, info.filename)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise _refusal(name, info.filename, "is a link")
        if info.flag_bits & LOCKED_MARK:
            raise _refusal(name, info.filename, "is locked with a password")
        if info.filename.endswith(("/", "\\")) or not target.parts:  # a folder's entry
            continue
        if info.compress_type not in ZIP_METHODS:
            method = OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
            raise _refusal(name, info.filename, f"is packed by {method}, which xrgan doesn't unpack")
        yield Member(info.filename, target, info.file_size, partial(archive.open, info))


class _Header(tarfile.TarInfo):
    """A TAR file's header, and no bomb: of the kinds whose content is read into memory, only small ones."""

    @classmethod
    def frombuf(cls, *args: Any, **kwargs: Any) -> Self:
        header = super().frombuf(*args, **kwargs)
        if header.type in LONG_HEADERS and header.size > LARGEST_HEADER:
            raise XrganError(f"The TAR file has a header of {header.size / 1e6:,.1f} MB: it is refused.", BY_HAND)
        return header


def _tar_members(archive: tarfile.TarFile, name: str) -> Iterator[Member]:
    for info in archive:
        target = _inside(name, info.name)
        if not (info.isreg() or info.isdir()):
            raise _refusal(name, info.name, "is a link" if info.issym() or info.islnk() else "is no file")
        if info.isreg() and target.parts:
            yield Member(info.name, target, info.size, partial(_open_tar_member, archive, info))
    _check_end(archive)


def _check_end(archive: tarfile.TarFile) -> None:
    """Make sure that the list of members ended where the archive does, and that its compression's checksum fits.

    tarfile takes a spoiled header for the end of the archive, and gzip compares its checksum at the very end only.

    Raises:
        tarfile.TarError: a header is spoiled, or the end is missing; and what gzip, bz2 and lzma raise.
    """
    assert archive.fileobj is not None, "it was opened for reading"
    archive.fileobj.seek(archive.offset)
    end = archive.fileobj.read(tarfile.BLOCKSIZE)
    if len(end) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("its end is missing")
    if end.strip(b"\0"):
        raise tarfile.ReadError(f"the header at byte {archive.offset:,} is spoiled")
    rest = 0
    while block := archive.fileobj.read(BLOCK):
        rest += len(block)
        if rest > LARGEST_REST:
            raise tarfile.ReadError("far too much follows its end")


def _open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(info)
    assert file is not None, "links and folders were left out"
    return file


def _inside(archive: str, name: str) -> PurePosixPath:
    try:
        return inside(readable(name))
    except ValueError as error:
        raise _refusal(archive, name, str(error)) from None


def _refusal(archive: str, name: str, what: str) -> XrganError:
    return XrganError(
        f"{archive} is refused: its member {shortened(name)} {what}.", f"Nothing was extracted. {BY_HAND}"
    )
