"""The kaggle package behind one function: a dataset's ZIP file, or one sentence that says why not.

What the package leaves to its caller (2.2.4): it signs in when imported and talks on stdout; it sets no time-out; it
repeats with an address that may have expired, and then takes an error page for the file; it sleeps a minute before
it admits that a disk is full. So each attempt here is one request for a fresh address, with time-outs, nothing but the
rest of the file is added to what is there, and the archive is for `archives.verify` to judge.
"""

import contextlib
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from xrgan import console
from xrgan.data.fetching.archives import need_room
from xrgan.data.fetching.kaggle_refusals import from_store, later, no_credentials, refusal, status_of, unreachable
from xrgan.data.fetching.members import DamagedArchive
from xrgan.data.source import Source
from xrgan.errors import XrganError
from xrgan.files import MEGABYTE

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
ATTEMPTS = 4  # in a row without a byte of progress, once a download has begun
BLOCK = 1 << 16  # bytes; what a broken connection leaves of the last block is lost
PAUSE_SECONDS = 1.0  # before the next attempt; doubled at each failure
WATCH_SECONDS = 0.2
RANGE_NOT_SATISFIABLE = 416  # the package then starts the file again


class _BrokenOff(Exception):
    """The download had begun: the rest is worth some more attempts."""


def download(source: Source, downloads: Path) -> Path:
    """Download a source's archive into `downloads`, resuming what an earlier attempt left there.

    Only one process may do so at a time: the caller holds a lock.

    Raises:
        XrganError: no credentials, no access, no such dataset, no network, or trouble at Kaggle; the hint says what
            to do, and how to do without Kaggle.
        DamagedArchive: what came is not what Kaggle announced.
        OSError: the disk is full, or can't be written.
    """
    import requests

    archive = downloads / f"{source.slug.rpartition('/')[2]}.zip"
    begun, failures = False, 0
    with _guarded_requests(), contextlib.redirect_stdout(io.StringIO()):
        api = _sign_in(source)
        while True:
            size = _size(archive)
            try:
                _request(api, source, downloads)
                return archive
            except (_BrokenOff, requests.RequestException) as error:
                cause = error.__cause__ if isinstance(error, _BrokenOff) else error
                begun = begun or _had_begun(error)
                if isinstance(error, requests.HTTPError) and not (begun and _may_pass(error)):
                    raise refusal(api, source, error) from error
                failures = 0 if _size(archive) > size else failures + 1
                if not begun or failures == ATTEMPTS:
                    raise unreachable(api, source, cause) from error
            except ValueError as error:
                forget(archive)
                raise DamagedArchive(f"Kaggle sent something else than {archive.name}.", later(source)) from error
            console.notice(f"The download of {source.name} broke off at {_size(archive) / MEGABYTE:,.1f} MB: going on.")
            time.sleep(PAUSE_SECONDS * 2**failures)


def forget(archive: Path) -> None:
    """Remove a download, whole or not, and what the kaggle package notes beside it."""
    for path in (archive, archive.with_name(f"{archive.name}.kaggle-partial")):
        path.unlink(missing_ok=True)


def _had_begun(error: Exception) -> bool:
    """Whether Kaggle had given the address already: an error of its store is none of Kaggle's own."""
    import requests

    return isinstance(error, _BrokenOff) or (isinstance(error, requests.HTTPError) and from_store(error))


def _may_pass(error: Any) -> bool:
    """Whether a new address may help: the old one has expired, or a server is in trouble."""
    return from_store(error) or status_of(error) >= 500


def _sign_in(source: Source) -> Any:
    """The package's client, with the credentials that it found, or without any: some datasets are open to all."""
    try:
        import kaggle
    except SystemExit:
        raise no_credentials(source) from None
    except OSError as error:
        message = f"The kaggle package can't keep its settings: {error}."
        raise XrganError(message, "Set KAGGLE_CONFIG_DIR to a folder that can be written.") from error
    kaggle.api.download_file = partial(_download_file, kaggle.api, source)
    return kaggle.api


def _request(api: Any, source: Source, downloads: Path) -> None:
    if source.kind == "competition":
        api.competition_download_files(source.slug, path=str(downloads), quiet=True)
    else:
        api.dataset_download_files(source.slug, path=str(downloads), quiet=True)


def _download_file(
    api: Any, source: Source, response: Any, outfile: str, http_client: Any, quiet: bool = True, resume: bool = False
) -> None:
    """Stand in the place of the package's method: a single attempt, behind a bar, if the disk has room for it."""
    import requests

    archive, size = Path(outfile), int(response.headers.get("Content-Length", 0))
    archive.parent.mkdir(parents=True, exist_ok=True)
    # X-rays hardly shrink: what comes out of the archive needs as much room again, at the least.
    need_room(archive.parent, 2 * size - _size(archive), " for the archive and what it holds")
    rest = "the rest of " if _size(archive) else ""
    with _bar_of_growth(archive, size, f"Downloading {rest}{source.name}"):
        try:
            type(api).download_file(
                api, response, outfile, http_client, quiet, resume, BLOCK, max_retries=0, timeout=READ_SECONDS
            )
        except requests.RequestException as error:
            raise _BrokenOff from error


@contextmanager
def _bar_of_growth(path: Path, size: int, description: str) -> Iterator[None]:
    """Show how a file becomes `size` bytes long (0 = nobody knows); what is there already is not counted."""
    stop, had = threading.Event(), _size(path)
    with console.progress(description, max(size - had, 0) / MEGABYTE or None, "MB") as bar:

        def watch() -> None:
            start, shown, stopped = had, 0, False
            while not stopped:
                stopped = stop.wait(WATCH_SECONDS)
                now = _size(path)
                if now < start:  # it begins again: the file at Kaggle is another one by now
                    start = 0
                    bar.set_total(size / MEGABYTE)
                bar.advance((now - start - shown) / MEGABYTE)
                shown = now - start

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def _guarded_requests() -> Iterator[None]:
    """Give every request a time-out, and let no error page be added to a file.

    Without a time-out, a request would wait for minutes behind a firewall that swallows packets. Asked for the rest
    of a file, the package takes whatever comes, and throws away for an error what it has.
    """
    import requests

    plain = requests.Session.send

    def send(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        response = plain(self, request, **kwargs)
        if "Range" in request.headers and response.status_code != RANGE_NOT_SATISFIABLE:
            response.raise_for_status()
        return response

    requests.Session.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        requests.Session.send = plain  # type: ignore[method-assign]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
