"""Archives that mean harm, or are broken, or odd: bytes, as a server may give them."""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping

CONTENT = bytes(range(256)) * 40
DIRECTORY, LOCAL = b"PK\1\2", b"PK\3\4"


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file with those names as they are, be they ever so odd."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename = name  # past the constructor, which would mend it
            info.compress_type = compression
            file.writestr(info, content)
    return packed.getvalue()


def zipped_bytes(names: list[bytes]) -> bytes:
    """A ZIP file whose names are those bytes, without a mark that says what encoding they are in."""
    packed = zipped({f"{number:0{len(name)}}": name for number, name in enumerate(names)})
    for number, name in enumerate(names):
        packed = packed.replace(f"{number:0{len(name)}}".encode(), name)
    return packed


def link(name: str, target: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, target)
    return packed.getvalue()


def locked(members: Mapping[str, bytes]) -> bytes:
    """As if it were encrypted."""
    packed = bytearray(zipped(members))
    packed[6] |= 1  # flag bits of the local header …
    packed[packed.index(DIRECTORY) + 8] |= 1  # … and of the directory
    return bytes(packed)


def claiming(size: int, name: str = "a.png", content: bytes = bytes(1 << 20)) -> bytes:
    """A ZIP file whose directory says that its one member is so large."""
    packed = bytearray(zipped({name: content}))
    struct.pack_into("<I", packed, packed.index(DIRECTORY) + 24, size)
    return bytes(packed)


def flipped(packed: bytes, start: int = 60, end: int = 90) -> bytes:
    return packed[:start] + bytes(byte ^ 0xFF for byte in packed[start:end]) + packed[end:]


def overlapping(files: int, size: int) -> bytes:
    """A bomb whose members share one deflated kernel of zeros: each begins by quoting the header of the next.

    Fifield D. A better zip bomb. WOOT 2019. Each member is whole, with the right checksum.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(size)
    packed, plain, quoted = packer.compress(zeros) + packer.flush(), size, b""
    headers: list[bytes] = []
    entries: list[tuple[bytes, bytes, int]] = []  # fields, name, bytes from here to the end
    for number in reversed(range(files)):
        name = f"{number:04}.png".encode()
        crc = zlib.crc32(zeros, zlib.crc32(quoted))
        fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), plain, len(name), 0)
        header = LOCAL + fields + name
        entries.append((fields, name, len(header) + len(packed)))
        headers.append(header)
        # As the content of the one before: a stored block, not the last, that holds this header; then this content.
        packed = struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF) + header + packed
        plain, quoted = plain + len(header), header + quoted
    body = packed[5:]
    directory = b"".join(
        DIRECTORY + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body) - length) + name
        for fields, name, length in reversed(entries)
    )
    return body + directory + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, files, files, len(directory), len(body), 0)


def tarred(*members: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    """A TAR file; each regular file in it holds CONTENT."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as file:  # type: ignore[call-overload]
        for info in members:
            info.size = len(CONTENT) if info.isreg() else 0
            file.addfile(info, io.BytesIO(CONTENT))
    return packed.getvalue()


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
