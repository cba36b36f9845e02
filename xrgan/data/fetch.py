"""A source → data/raw/<source>/: downloaded, unpacked, copied or drawn; whole, or not there at all.

It grows in data/raw/.staging/<source>; data/raw/.downloads/<source>/ keeps what a download left, for the next try.
"""

import datetime
import errno
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xrgan import console
from xrgan.config import resolve
from xrgan.data import archives, kaggle_client
from xrgan.data.copying import copy_folder, no_image
from xrgan.data.images import is_image
from xrgan.data.sources import SOURCES, Source, find_source
from xrgan.data.staging import growing, locked, remove
from xrgan.errors import XrganError
from xrgan.files import read_yaml, sha256, write_yaml

RECORD = "source.yaml"
MEGABYTE = 1e6
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}


@dataclass(frozen=True)
class Request:
    """What is to become data/raw/<name>/, and where it comes from: one of phantom, archive, folder, or Kaggle."""

    name: str
    source: Source | None  # None: the user's own images
    archive: Path | None = None
    folder: Path | None = None
    phantom: dict[str, int] | None = None  # arguments of phantom.write_dataset

    @property
    def origin(self) -> str:
        """Where the images come from, in words that mean the same on another machine."""
        if self.archive:
            return f"archive {self.archive.name}"
        if self.folder:
            return f"folder {self.folder.resolve().name}"
        if self.phantom is not None:
            return "drawn, " + ", ".join(f"{key} {value}" for key, value in self.phantom.items())
        return f"Kaggle {self.source.kind} {self.source.slug}" if self.source else ""


def fetch(
    source_name: str | None,
    raw_root: Path,
    *,
    archive: Path | None = None,
    folder: Path | None = None,
    n: int | None = None,
    size: int | None = None,
    seed: int | None = None,
    force: bool = False,
) -> Path:
    """Bring a source to raw_root/<source>/ and say in its source.yaml what it is; a second time does nothing.

    Args:
        source_name: a source of the catalogue; with `archive` or `folder` also a name of one's own, or None, and the
            archive's or folder's name is taken.
        archive: a ZIP or TAR file that was downloaded before.
        folder: a folder of images, which is copied.
        n, size, seed: of the phantom: how many images, of how many pixels a side, and which ones.
        force: fetch again; what is there stays until the new is whole.

    Returns:
        the folder.

    Raises:
        XrganError: whatever hinders it, in one sentence with the next step. Nothing half-made is left, but what was
            downloaded so far.
    """
    request = _understand(source_name, archive, folder, {"n": n, "size": size, "seed": seed})
    target = raw_root / request.name
    try:
        with locked(target):
            if _is_there(target) and not force:
                _say_what_is_there(request, target)
                return target
            with growing(target) as staging:
                archive_record = _build(request, raw_root, staging)
                _write_record(request, staging, archive_record)
            remove(_downloads(raw_root, request.name))
    except OSError as error:
        raise _explained(error, raw_root) from error
    console.notice(f"Fetched {request.name} ({request.origin}) into {target}.")
    return target


def _understand(name: str | None, archive: Path | None, folder: Path | None, phantom: dict[str, int | None]) -> Request:
    """Make sense of the arguments together; they are a user's, in any mixture."""
    if archive and folder:
        raise XrganError("--archive and --folder can't go together.", "Give one of them.", exit_code=2)
    local = archive or folder
    if not (name or local):
        raise XrganError("There is no source to fetch.", f"One of {', '.join(SOURCES)}, or --folder DIR.", exit_code=2)
    name = name or _name_of(local)
    source = _source_or_own(name) if local else find_source(name)
    name = source.name if source else _safe(name)
    drawn = source is not None and not source.kaggle
    if drawn and local:
        raise XrganError(f"{name} is drawn, not read from files.", f"Name your images: `xrgan fetch my-{name} …`.")
    given = {key: value for key, value in phantom.items() if value is not None}
    if given and not drawn:
        raise XrganError(f"--{min(given)} is for the phantom, not for {name}.", "Leave it out.", exit_code=2)
    if source and drawn:
        wish = resolve(flags={f"phantom.{key}": value for key, value in given.items()})
        return Request(name, source, phantom=wish.phantom.model_dump())
    return Request(name, source, archive, folder)


def _name_of(path: Path | None) -> str:
    """The folder's name, or the archive's without its extensions."""
    assert path is not None
    return re.sub(r"\.(zip|tar|tgz|gz|bz2|xz)\b", "", path.resolve().name, flags=re.IGNORECASE)


def _safe(name: str) -> str:
    """A name that any file system takes, and that hides nothing and leads nowhere."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:100]
    if not safe:
        raise XrganError(f"{name!r} makes no name for a folder.", "Give one: `xrgan fetch NAME --folder DIR`.")
    return safe


def _source_or_own(name: str) -> Source | None:
    try:
        return find_source(name)
    except XrganError:
        return None


def _is_there(target: Path) -> bool:
    """Whether the source was fetched before.

    Raises:
        XrganError: the folder is there, but no fetch made it: it is nobody's to replace.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    if not (target / RECORD).is_file():
        raise XrganError(
            f"{target} is there, but was not fetched: it has no {RECORD}.",
            f"Move it away, or use it as it is: `xrgan prepare {target}`.",
        )
    return True


def _say_what_is_there(request: Request, target: Path) -> None:
    origin = read_yaml(target / RECORD).get("from")
    if origin == request.origin:
        console.notice(f"{request.name} is there already, in {target}; --force fetches it again.")
    else:
        console.warn(f"{target} is there already, from another place ({origin}); --force replaces it.")


def _build(request: Request, raw_root: Path, staging: Path) -> dict[str, str]:
    """Fill the staging folder; returns what source.yaml shall say about the archive."""
    if request.phantom is not None:
        _draw(request.phantom, staging)
        return {}
    if request.folder:
        copy_folder(request.folder, staging, leave_out=raw_root)
        return {}
    archive = request.archive
    if archive:
        contents = _verified(archive)
    else:
        archive, contents = _downloaded(request, _downloads(raw_root, request.name))
    archives.need_room(staging, contents.bytes)
    with console.progress(f"Unpacking {archive.name}", contents.files, "files") as bar:
        archives.extract(archive, staging, bar.advance)
    return {"archive": archive.name, "archive_sha256": sha256(archive)}


def _draw(arguments: dict[str, int], folder: Path) -> None:
    from xrgan.data import phantom

    with console.progress("Drawing phantoms", arguments["n"]) as bar:
        try:
            phantom.write_dataset(folder, **arguments, advance=bar.advance)
        except ValueError as error:
            raise XrganError(str(error)) from error


def _downloads(raw_root: Path, name: str) -> Path:
    return raw_root / ".downloads" / name


def _downloaded(request: Request, downloads: Path) -> tuple[Path, archives.Contents]:
    """Download and verify; a resume can join pieces of different files, so that damage is worth a second try."""
    assert request.source is not None
    try:
        archive = kaggle_client.download(request.source, downloads)
        return archive, _verified(archive)
    except archives.DamagedArchive as error:
        console.warn(f"{error.message} It is downloaded once more, from the start.")
    archive = kaggle_client.download(request.source, downloads, anew=True)
    try:
        return archive, _verified(archive)
    except archives.DamagedArchive as error:
        kaggle_client.forget(archive)
        raise XrganError(f"Kaggle's archive came damaged twice: {error.message}", "Try again another day.") from error


def _verified(archive: Path) -> archives.Contents:
    contents = archives.contents(archive)
    with console.progress(f"Checking {archive.name}", contents.bytes / MEGABYTE, "MB") as bar:
        archives.verify(archive, lambda size: bar.advance(size / MEGABYTE))
    return contents


def _write_record(request: Request, staging: Path, archive: dict[str, str]) -> None:
    """Write source.yaml: enough to say in a paper what was used, and no path of this machine."""
    files = [path for path in staging.rglob("*") if path.is_file()]
    if not any(is_image(path) for path in files):
        raise no_image(request.origin)
    source = request.source
    record: dict[str, Any] = {
        "name": request.name,
        "title": source.title if source else request.name,
        "from": request.origin,
        "licence": source.licence if source else "not stated",
        "citation": source.citation if source else "",
        "url": source.url if source else "",
        "fetched": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        **archive,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
    }
    write_yaml(staging / RECORD, {key: value for key, value in record.items() if value != ""})


def _explained(error: OSError, raw_root: Path) -> XrganError:
    if error.errno in DISK_IS_FULL:
        return XrganError(
            f"The disk of {raw_root} is full.",
            "Free some space, or put the data elsewhere (--data-root DIR), and run the command again: "
            "a download goes on where it stopped.",
        )
    return XrganError(f"Fetching stopped: {error.strerror or error} ({error.filename or raw_root}).")
