"""source.yaml in each folder of data/raw: what was fetched, from where, and under which terms."""

import datetime
from pathlib import Path
from typing import Any, TypedDict

from pydantic import BaseModel

from xrgan.data.fetching.request import Request
from xrgan.data.scan import scan
from xrgan.data.source import Source
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

RECORD = "source.yaml"


class ArchiveRecord(TypedDict, total=False):
    """The archive that a source was unpacked from, if there was one, and what was left out of it."""

    archive: str  # its name
    archive_sha256: str
    synthetic_left_out: int  # images that say they are synthetic; 0 isn't written


# `from` is no name for an attribute: hence the other form.
SourceRecord = TypedDict(
    "SourceRecord",
    {
        "name": str,
        "title": str,
        "from": str,  # in words that mean the same on another machine
        "licence": str,
        "citation": str,
        "url": str,
        "note": str,
        "fetched": str,  # date and time, UTC
        "archive": str,
        "archive_sha256": str,
        "synthetic_left_out": int,
        "files": int,
        "images": int | None,  # X-rays, without copies and masks; None isn't written
        "bytes": int,
    },
    total=False,
)


class _Record(BaseModel):
    """What is read back of source.yaml."""

    name: str = ""
    images: int | None = None
    bytes: int = 0


def read_record(folder: Path) -> dict[str, Any]:
    """Read the source.yaml of a folder of data/raw.

    Raises:
        XrganError: it is absent, or was damaged.
    """
    next_step = (
        "`xrgan fetch … --force` fetches it anew; without the file, `xrgan prepare` takes the folder as your own."
    )
    return read_yaml(folder / RECORD, _Record, next_step)


def write_record(request: Request, folder: Path, archive: ArchiveRecord) -> None:
    """Write source.yaml: enough to say in a paper what was used, and no path of this machine."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    source = request.source
    record: SourceRecord = {
        "name": request.name,
        "title": source.title if source else request.name,
        "from": request.provenance,
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
    write_yaml(
        folder / RECORD,
        {
            key: value
            for key, value in record.items()
            if value not in ("", None) and (key, value) != ("synthetic_left_out", 0)
        },
    )


def _count_images(folder: Path, source: Source | None) -> int | None:
    """Count the X-rays, without copies and masks; None where the layout is not the source's."""
    try:
        return len(scan(folder, source))
    except XrganError:
        return None  # `prepare` says why, and what to do
