"""File names that others made, in archives and folders that nobody vouches for."""

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath

DEEPEST = 64  # folders: beyond, paths grow longer than systems take
JUNK = {
    "__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information", "lost+found"
}  # fmt: skip
DRIVE = re.compile(r"[A-Za-z]:")
# In Shift-JIS, GBK and Big5 the second byte of a character may be that of `\`, which would be taken for a separator.
SPLIT_CHARACTER = re.compile(rb"[\x81-\xfe]\\")
FOREIGN_FOLDER = re.compile(r"[^\x00-\x7f]\\")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)


def is_junk(path: PurePosixPath | Path) -> bool:
    """Whether any part of the path is junk."""
    return any(is_junk_name(part) for part in path.parts)


def is_junk_name(name: str) -> bool:
    """Hidden (`.DS_Store`, `._image.png`, `.git`), or a copy that a Mac, Windows or a network drive leaves."""
    return name.startswith(".") or name.lower() in JUNK


def words(name: str) -> list[str]:
    """The words and numbers of a name in lower case: `TrainingSet_2` → training, set, 2."""
    return [word.lower() for part in re.split(r"[\W_]+", name) for word in CAMEL.split(part) if word]


def is_archive(path: Path) -> bool:
    """By its extension."""
    return ARCHIVE.search(path.name) is not None


def without_extension(name: str) -> str:
    """An archive's name without `.zip`, `.tar.gz`, …; any other name as it is."""
    return ARCHIVE.sub("", name)


def inside(name: str) -> PurePosixPath:
    """The path of an archive's member below the folder; `\\` separates too, as some Windows programs write it.

    Raises:
        ValueError: it leads outside, or too deep; the message says which.
    """
    plain = name.replace("\\", "/")
    path = PurePosixPath(plain)
    if plain.startswith("/") or ".." in path.parts or any(DRIVE.match(part) for part in path.parts):
        raise ValueError("leads outside")
    if len(path.parts) > DEEPEST:
        raise ValueError(f"lies more than {DEEPEST} folders deep")
    return path


def encoding_of(names: Collection[bytes]) -> str | None:
    """The encoding of names that a ZIP file doesn't mark as UTF-8; None = code page 437, which the format prescribes.

    Python and many programs on Linux and Mac write UTF-8 without the mark, and Windows its own code page. Of those
    only the ones that would tear names apart are recognised: elsewhere the names are odd, but each is one name.
    """
    foreign = [name for name in names if not name.isascii()]
    if not foreign:
        return None
    candidates = ["utf-8"]
    if any(SPLIT_CHARACTER.search(name) for name in foreign):
        candidates += ["cp932", "gbk", "big5"]
    return next((encoding for encoding in candidates if _makes_sense(foreign, encoding)), None)


def readable(name: str) -> str:
    """The name with bytes that are no UTF-8, which Python keeps as surrogates and no CSV file takes, as Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogateescape").decode("latin-1")
    return name


def _makes_sense(names: Collection[bytes], encoding: str) -> bool:
    try:
        decoded = [name.decode(encoding) for name in names]
    except UnicodeDecodeError:
        return False
    return encoding == "utf-8" or not any(FOREIGN_FOLDER.search(name) for name in decoded)
