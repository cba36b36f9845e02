"""A source → data/raw/<source>/: downloaded, unpacked, copied or drawn; whole, or not there at all.

It grows in data/raw/.staging/<source>; data/raw/.downloads/<source>/ keeps what a download left, for the next try.
"""

import errno
import hashlib
from pathlib import Path

from xrgan import console
from xrgan.data.fetching import kaggle_client
from xrgan.data.fetching.copying import check_folder, copy_folder
from xrgan.data.fetching.members import DamagedArchive, check_archive
from xrgan.data.fetching.record import RECORD, ArchiveRecord, read_record, write_record
from xrgan.data.fetching.request import Request, understand
from xrgan.data.fetching.synthetic_images import remove_synthetic
from xrgan.data.fetching.unpacking import bar_of_bytes, unpack
from xrgan.data.reading.dicom import is_dicom
from xrgan.data.reading.kinds import count_others, find_images, in_words
from xrgan.data.source import Source
from xrgan.data.staging import growing, locked, remove
from xrgan.errors import XrganError

BLOCK = 1 << 20  # bytes
TOLERANCE = 0.01  # share of the images by which a copy of a source may differ from the catalogue
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
NEW_ROOT = "put the data elsewhere (--data-root DIR)"


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
    allow_synthetic: bool = False,
) -> Path:
    """Bring a source to raw_root/<source>/ and say in its source.yaml what it is; a second time does nothing.
    Args:
        source_name: a source of the catalogue; with `archive` or `folder` also a name of one's own, or None, and the
            archive's or folder's name is taken.
        archive: a ZIP or TAR file that was downloaded before.
        folder: a folder of images, which is copied.
        n, size, seed: of the phantom: how many images, of how many pixels a side, and which ones.
        force: fetch again; what is there stays until the new is whole.
        allow_synthetic: of an archive or folder, take what says it is synthetic, too; else it is named and left out.

    Returns:
        the folder.

    Raises:
        XrganError: whatever hinders it, in one sentence with the next step. Nothing half-made is left, but what was
            downloaded so far.
    """
    request = understand(source_name, archive, folder, {"n": n, "size": size, "seed": seed})
    target = _target_of(request, raw_root)
    try:
        with locked(target):
            if _is_there(target) and not force:
                _say_what_is_there(request, target)
                return target
            _refuse_link(target)
            with growing(target) as staging:
                archive_record = _build(request, raw_root, staging)
                if (request.archive or request.folder) and not allow_synthetic:
                    archive_record["synthetic_left_out"] = remove_synthetic(staging, request.name)
                write_record(request, staging, archive_record)
            remove(_downloads(raw_root, request.name))
    except OSError as error:
        raise _explained(error, raw_root) from error
    except KeyboardInterrupt:
        _say_what_stays(request, raw_root)
        raise
    _say_what_was_fetched(request, target)
    return target


def _target_of(request: Request, raw_root: Path) -> Path:
    """Name the folder that a source goes to.

    Where nothing was fetched yet, what it is fetched from is looked for before anything is written. Where something
    was, a fetch that was killed may have left a source to be put back, which comes first.
    """
    if not raw_root.exists():
        if request.archive:
            check_archive(request.archive)
        if request.folder:
            check_folder(request.folder)
    return raw_root / request.name


def _say_what_was_fetched(request: Request, target: Path) -> None:
    console.notice(f"Fetched {request.name} ({request.provenance}) into {target}.")
    if request.source is None and any(is_dicom(path) for path in find_images(target)):
        console.warn(
            f"{target} holds DICOM files as they came: the names, dates and numbers of patients in their headers and "
            "names are in it. What `xrgan prepare` makes of them holds none."
        )
    if others := count_others(target):
        console.notice(f"Not read will be {in_words(others)}: no images that xrgan reads.")
    if request.source and request.source.note:
        console.notice(f"Note: {request.source.note}")
    if request.source and request.source.images:
        _compare_count(request.source, target)


def _compare_count(source: Source, target: Path) -> None:
    """An archive of other images, or a part of them, should not pass for the source unnoticed."""
    images = read_record(target).get("images")
    if images is None or abs(images - source.images) > TOLERANCE * source.images:
        found = "none was recognised" if images is None else f"{images:,} are here"
        console.warn(
            f"{source.name} has {source.images:,} images, of which {found}: is it all of it, and nothing else?"
        )


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
    provenance = read_record(target).get("from")
    if provenance != request.provenance and (request.archive or request.folder or request.phantom):
        # A script that goes on would work with other images than it asked for.
        raise XrganError(
            f"{target} is there already, from another place ({provenance}).",
            "Replace it with --force, or give the new one a name of its own: `xrgan fetch NAME …`.",
        )
    console.notice(f"{request.name} is there already, in {target}; --force fetches it again.")


def _refuse_link(target: Path) -> None:
    if target.is_symlink():
        raise XrganError(
            f"{target} is a link to {target.readlink()}, and a fetched source is a folder of its own.",
            f"Remove the link. To keep the data on another disk, {NEW_ROOT}, or make {target.parent} the link.",
        )


def _build(request: Request, raw_root: Path, staging: Path) -> ArchiveRecord:
    """Fill the staging folder; returns what source.yaml shall say about the archive."""
    if request.phantom is not None:
        _draw(request.phantom, staging)
        return {}
    if request.folder:
        copy_folder(request.folder, staging, leave_out=raw_root)
        return {}
    if request.archive:
        archive = request.archive
        unpack(archive, staging)
    else:
        assert request.source is not None
        if request.source.origin == "manual":
            raise _by_hand(request.source)
        archive = _download(request.source, _downloads(raw_root, request.name), staging)
    return {"archive": archive.name, "archive_sha256": _sha256(archive)}


def _by_hand(source: Source) -> XrganError:
    return XrganError(
        f"{source.name} can't be downloaded by a program: get it at {source.url}.",
        f"Then bring it: `xrgan fetch {source.name} --folder DIR` (unpacked), or `--archive FILE.zip`.",
    )


def _draw(arguments: dict[str, int], folder: Path) -> None:
    from xrgan.data import phantom

    with console.progress("Drawing phantoms", arguments["n"]) as bar:
        try:
            phantom.write_dataset(folder, **arguments, advance=bar.advance)
        except ValueError as error:
            raise XrganError(str(error)) from error


def _downloads(raw_root: Path, name: str) -> Path:
    return raw_root / ".downloads" / name


def _download(source: Source, downloads: Path, staging: Path) -> Path:
    """Download and unpack; a resume can join pieces of different files, so that damage is worth a second try."""
    try:
        return _download_once(source, downloads, staging)
    except DamagedArchive as error:
        console.warn(f"{error.message} It is downloaded once more, from the start.")
    try:
        return _download_once(source, downloads, staging)
    except DamagedArchive as error:
        raise XrganError(f"Kaggle's archive came damaged twice: {error.message}", "Try again another day.") from error


def _download_once(source: Source, downloads: Path, staging: Path) -> Path:
    """Download and unpack; returns the archive, which stays, for all that is refused, but not if it is damaged."""
    archive = kaggle_client.download(source, downloads)
    try:
        unpack(archive, staging)
    except DamagedArchive:
        kaggle_client.forget(archive)
        raise
    except XrganError as error:
        raise XrganError(error.message, f"{error.hint} The download stays in {archive}.") from error
    return archive


def _sha256(archive: Path) -> str:
    digest = hashlib.sha256()
    with bar_of_bytes(f"Hashing {archive.name}", archive.stat().st_size) as advance, archive.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def _say_what_stays(request: Request, raw_root: Path) -> None:
    downloads = _downloads(raw_root, request.name)
    had = sum(path.stat().st_size for path in downloads.glob("*.zip")) if downloads.is_dir() else 0
    resumed = f"; the same command goes on with the {had / 1e6:,.1f} MB that were downloaded" if had else ""
    console.warn(f"Stopped: nothing half-made is left{resumed}.")


def _explained(error: OSError, raw_root: Path) -> XrganError:
    """What the system refused, and what to do."""
    if error.errno in DISK_IS_FULL:
        return XrganError(
            f"The disk of {raw_root} is full.",
            f"Free some space, or {NEW_ROOT}, and run the command again: a download goes on where it stopped.",
        )
    if error.errno == errno.EFBIG:
        return XrganError(f"The disk of {raw_root} takes no file that large.", f"On another disk it may: {NEW_ROOT}.")
    reason = error.strerror or str(error)
    path = Path(error.filename) if isinstance(error.filename, str) else raw_root
    if error.errno in FORBIDDEN and not _lead_to_each_other(path, raw_root):
        return XrganError(f"{path} can't be read: {reason}.", "Make it readable, or leave it out.")
    return XrganError(f"Fetching stopped at {path}: {reason}.", f"Mend that, or {NEW_ROOT}, and run the command again.")


def _lead_to_each_other(path: Path, raw_root: Path) -> bool:
    path, root = path.absolute(), raw_root.absolute()
    return path.is_relative_to(root) or root.is_relative_to(path)
