"""Which files are images: by their extensions, or by their first bytes where the extension says nothing.

This module reads no pixels and imports no reader.
"""

import gzip
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Literal

from xrgan.data.filenames import is_junk_name
from xrgan.errors import XrganError

EXTENSIONS = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".bmp", ".gif", ".webp"),
        *(".jp2", ".j2k", ".jpx", ".jpf", ".pgm", ".ppm", ".pbm", ".pnm", ".avif"),
    }
)
DICOM_EXTENSIONS = frozenset({".dcm", ".dicom", ".dic", ".ima", ".dcm.gz"})
ARRAY_EXTENSIONS = frozenset({".npy", ".mha", ".mhd", ".nii", ".nii.gz", ".nrrd"})
KNOWN_KINDS = (
    "PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000, PGM, PPM, AVIF, DICOM, NumPy, MHA, NIfTI, NRRD and JSRT's IMG"
)
DEEP_EXTENSIONS = DICOM_EXTENSIONS | ARRAY_EXTENSIONS | {".img"}  # JSRT's own raw files
# Nobody takes these for images: they are not counted among what isn't read.
DOCUMENTS = frozenset(
    {
        *(".csv", ".tsv", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".xml", ".xlsx", ".xls", ".ods", ".parquet"),
        *(".md", ".rst", ".pdf", ".doc", ".docx", ".rtf", ".html", ".htm", ".bib", ".log", ".sql", ".db"),
        *(".py", ".ipynb", ".m", ".r", ".sh", ".bat", ".ini", ".cfg", ".toml", ".lock", ".url", ".lnk"),
    }
)
# The first bytes of files, whatever they are called: `x.jpg.1`, `x.jpg_`, no extension at all.
STARTS = (
    *(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF87a", b"GIF89a"),
    *(b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
)
VRS = (b"UI", b"CS", b"UL", b"LO", b"DA", b"TM", b"SH", b"OB", b"PN", b"UN", b"AE", b"ST", b"LT", b"IS", b"DS", b"US")
LARGEST_FIRST_ELEMENT = 1024  # bytes, of a DICOM file without a preamble


def extension(path: PurePath) -> str:
    """In lower case: `.png`, `.nii.gz`; "" = none."""
    suffixes = path.suffixes[-2:] if path.suffix.lower() == ".gz" else path.suffixes[-1:]
    return "".join(suffixes).lower()


def stem(path: PurePath) -> str:
    """The file's name without its extension: of a.nii.gz it is a."""
    return PurePath(path.stem).stem if extension(path) in {".nii.gz", ".dcm.gz"} else path.stem


def is_image(path: Path) -> bool:
    """By its extension; files of other names or none by their first bytes, DICOM without its preamble among them."""
    suffix = extension(path)
    if suffix in EXTENSIONS | DEEP_EXTENSIONS:
        return True
    if suffix in DOCUMENTS or not path.is_file():
        return False
    start = _start(path)
    return start[128:] == b"DICM" or start.startswith(STARTS) or _is_webp_or_avif(start) or _begins_a_dataset(start)


def says_dicom(path: Path) -> bool:
    """Whether the file has DICOM's mark, behind a preamble of 128 bytes."""
    return _start(path)[128:] == b"DICM"


def may_be_dicom(path: Path) -> bool:
    """Whether the file begins as DICOM: with its mark, or, without a preamble, with the elements of a header."""
    start = _start(path)
    return start[128:] == b"DICM" or _begins_a_dataset(start)


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder, by name; hidden files and the copies that systems leave are none.

    Links are followed, each folder once. Links that lead nowhere are listed too if their names are images': whoever
    reads them can say so.

    Raises:
        XrganError: a folder may not be read: a class of images might be missing unnoticed.
    """
    return sorted(path for path in _walk(folder) if is_image(path))


def count_others(folder: Path) -> dict[str, int]:
    """How many files below a folder are no images and no documents, by extension, the most frequent first."""
    others = (path for path in _walk(folder) if not is_image(path) and path.suffix.lower() not in DOCUMENTS)
    return dict(Counter(extension(path) or "no extension" for path in others).most_common())


def in_words(others: dict[str, int]) -> str:
    """Counts by extension as a sentence's part: `.npy 3, .mha 1`."""
    return ", ".join(f"{extension} {count:,}" for extension, count in others.items())


def _walk(folder: Path) -> Iterator[Path]:
    """Every file below a folder; what links lead to comes after what stands there itself, and nothing twice."""
    seen: set[str] = set()
    waiting = [str(folder)]
    while waiting:
        links: list[str] = []
        for start in waiting:
            for parent, folders, names in os.walk(start, onerror=_refuse):  # several times faster than rglob
                if (real := os.path.realpath(parent)) in seen:
                    folders[:] = []
                    continue
                seen.add(real)
                folders[:] = sorted(name for name in folders if not is_junk_name(name))
                links += [path for name in folders if os.path.islink(path := os.path.join(parent, name))]  # noqa: PTH114, PTH118
                yield from (Path(parent, name) for name in names if not is_junk_name(name))
        waiting = links


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # which was moved away meanwhile, or never there
        raise XrganError(
            f"{error.filename} can't be read: {error.strerror}.", f"Make it readable: `chmod -R u+rX {error.filename}`."
        ) from error


def _start(path: Path) -> bytes:
    try:
        with gzip.open(path) if extension(path) == ".dcm.gz" else path.open("rb") as file:
            return file.read(132)
    except (OSError, EOFError, zlib.error):  # what can't be read says nothing
        return b""


def _is_webp_or_avif(start: bytes) -> bool:
    return (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[4:12] in {b"ftypavif", b"ftypavis"}


def _begins_a_dataset(start: bytes) -> bool:
    """Whether these are the first elements of a DICOM header: group 0002 or 0008, and a value of a likely length."""
    if len(start) < 16 or start[:2] not in {b"\x08\0", b"\x02\0", b"\0\x08", b"\0\x02"}:
        return False
    order: Literal["little", "big"] = "little" if start[1] == 0 else "big"
    element = int.from_bytes(start[2:4], order)
    if start[4:6] in VRS:
        return True
    length = int.from_bytes(start[4:8], order)
    return order == "little" and element <= 0x0070 and 0 < length <= LARGEST_FIRST_ELEMENT
