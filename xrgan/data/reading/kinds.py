"""Which files are images: by their extensions, or by DICOM's mark.

This module reads no pixels and imports no reader.
"""

import os
from pathlib import Path

from xrgan.data.filenames import is_junk_name
from xrgan.errors import XrganError

EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp"})
DICOM_EXTENSIONS = frozenset({".dcm", ".dicom"})
KNOWN_KINDS = "PNG, JPEG, TIFF, BMP, GIF, WebP, DICOM and JSRT's IMG"
DEEP_EXTENSIONS = DICOM_EXTENSIONS | {".img"}  # JSRT's own raw files


def is_image(path: Path) -> bool:
    """By its extension; DICOM files often have none (or a part of a number), but say `DICM` after a preamble."""
    return path.suffix.lower() in EXTENSIONS | DEEP_EXTENSIONS or (path.is_file() and says_dicom(path))


def says_dicom(path: Path) -> bool:
    """Whether the file has DICOM's mark, behind a preamble of 128 bytes."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:  # what can't be read says nothing
        return False


def find_images(folder: Path) -> list[Path]:
    """The image files below a folder, by name; hidden files and the copies that systems leave are none.

    Links that lead nowhere are listed too if their names are images': whoever reads them can say so.

    Raises:
        XrganError: a folder may not be read: a class of images might be missing unnoticed.
    """
    found = []
    for parent, folders, names in os.walk(folder, onerror=_refuse):  # several times faster than rglob
        folders[:] = [name for name in folders if not is_junk_name(name)]
        found += [os.path.join(parent, name) for name in names if not is_junk_name(name)]  # noqa: PTH118
    return sorted(path for path in map(Path, found) if is_image(path))


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # which was moved away meanwhile, or never there
        raise XrganError(
            f"{error.filename} can't be read: {error.strerror}.", f"Make it readable: `chmod -R u+rX {error.filename}`."
        ) from error
