"""What can be fetched, and what was: source.yaml in each folder of data/raw."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xrgan.data.fetching.archives import amount
from xrgan.data.fetching.request import Request
from xrgan.data.scan import scan
from xrgan.data.sources import SOURCES, Source
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

RECORD = "source.yaml"
COLUMNS = ["name", "images", "GB on disk", "classes", "masks", "licence", "here"]
NONE = "–"
MOST_CLASSES = 4  # that are named


def write_record(request: Request, folder: Path, archive: dict[str, str]) -> None:
    """Write source.yaml: enough to say in a paper what was used, and no path of this machine.

    Args:
        archive: what it shall say of the archive.
    """
    files = [path for path in folder.rglob("*") if path.is_file()]
    source = request.source
    record: dict[str, Any] = {
        "name": request.name,
        "title": source.title if source else request.name,
        "from": request.origin,
        "licence": source.licence if source else "not stated",
        "citation": source.citation if source else "",
        "url": source.url if source else "",
        "note": source.note if source else "",
        "fetched": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **archive,
        "files": len(files),
        "images": _count_images(folder, source),
        "bytes": sum(path.stat().st_size for path in files),
    }
    write_yaml(folder / RECORD, {key: value for key, value in record.items() if value not in ("", None)})


def _count_images(folder: Path, source: Source | None) -> int | None:
    """How many X-rays there are, without copies and masks; None where the layout is not the source's."""
    try:
        return len(scan(folder, source))
    except XrganError:
        return None  # `prepare` says why, and what to do


def catalogue(raw_root: Path) -> tuple[list[str], list[list[object]]]:
    """What can be fetched and what was: the public sources, then the user's own folders, by name.

    Returns:
        columns and rows for `console.show_table`. Images and gigabytes are about what the source has; the last column
        says what is here of it.
    """
    rows = [_row(source, raw_root) for source in SOURCES.values()]
    own = (file.parent for file in sorted(raw_root.glob(f"*/{RECORD}")) if not file.parent.name.startswith("."))
    rows += [_own_row(folder) for folder in own if folder.name not in SOURCES]
    return COLUMNS, rows


def notes() -> list[str]:
    """What a user should know of the sources before use, a line each."""
    return [f"{source.name}: {source.note}" for source in SOURCES.values() if source.note]


def _row(source: Source, raw_root: Path) -> list[object]:
    return [
        ", ".join((source.name, *source.aliases)),
        f"{source.images:,}" if source.images else NONE,
        f"{source.gigabytes:g}" if source.gigabytes else NONE,
        _listed(source.classes),
        ", ".join(source.masks) or NONE,
        source.licence,
        _here(raw_root, source.name),
    ]


def _own_row(folder: Path) -> list[object]:
    licence = _read(folder).get("licence", NONE)
    return [folder.name, NONE, NONE, NONE, NONE, licence, _here(folder.parent, folder.name)]


def _listed(classes: Sequence[str]) -> str:
    if len(classes) > MOST_CLASSES:
        return f"{', '.join(classes[:MOST_CLASSES])}, … ({len(classes)})"
    return ", ".join(classes) or NONE


def _here(raw_root: Path, name: str) -> str:
    """What is here of a source: all of it, a part of its download, or nothing."""
    if (raw_root / name / RECORD).is_file():
        record = _read(raw_root / name)
        images, size = record.get("images"), record.get("bytes")
        said = [f"{images:,} images"] if isinstance(images, int) else []
        said += [amount(size)] if isinstance(size, int) else []
        return f"yes: {', '.join(said)}" if said else "yes"
    downloaded = sum(path.stat().st_size for path in (raw_root / ".downloads" / name).glob("*.zip"))
    return f"no: {amount(downloaded)} are downloaded" if downloaded else "no"


def _read(folder: Path) -> dict[str, Any]:
    """A folder's record; nothing where it was damaged: that is no reason to list no other."""
    try:
        return read_yaml(folder / RECORD)
    except XrganError:
        return {}
