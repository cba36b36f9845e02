"""The kaggle package behind one function: a dataset's ZIP file, or one sentence that says why not.

What the package leaves to its caller (2.2.4): it signs in when imported and talks on stdout; it sets no time-out; it
repeats with an address that may have expired, and then takes an error page for the file; it sleeps a minute before
it admits that a disk is full. So each attempt here is one request for a fresh address, with time-outs, and the
archive is for `archives.verify` to judge.
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
from xrgan.data.archives import DamagedArchive, need_room
from xrgan.data.sources import Source
from xrgan.errors import XrganError

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
ATTEMPTS = 4  # in a row without a byte of progress, once a download has begun
BLOCK = 1 << 16  # bytes; what a broken connection leaves of the last block is lost
PAUSE_SECONDS = 1.0  # before the next attempt; doubled at each failure
WATCH_SECONDS = 0.2
MEGABYTE = 1e6
TOKEN_HELP = (
    "For a token, press `Generate New Token` at https://www.kaggle.com/settings/api, then set KAGGLE_API_TOKEN to it "
    "or save it as ~/.kaggle/access_token."
)


class _BrokenOff(Exception):
    """The download had begun: the rest is worth some more attempts."""


def download(source: Source, downloads: Path, anew: bool = False) -> Path:
    """Download a source's archive into `downloads`, going on with what an earlier attempt left there.

    Only one process may do so at a time: the caller holds a lock.

    Args:
        anew: forget what an earlier attempt left.

    Raises:
        XrganError: no credentials, no access, no such dataset, no network, or trouble at Kaggle; the hint says what
            to do, and how to go on without Kaggle.
        DamagedArchive: what came is not what Kaggle announced.
        OSError: the disk is full, or can't be written.
    """
    import requests

    archive = downloads / f"{source.slug.rpartition('/')[2]}.zip"
    if anew:
        forget(archive)
    begun, failures = False, 0
    with _time_outs(), contextlib.redirect_stdout(io.StringIO()):
        api = _sign_in(source)
        while True:
            size = _size(archive)
            try:
                _request(api, source, downloads)
                return archive
            except requests.HTTPError as error:
                raise _refusal(api, source, error) from error
            except (_BrokenOff, requests.RequestException) as error:
                begun = begun or isinstance(error, _BrokenOff)
                failures = 0 if _size(archive) > size else failures + 1
                if not begun or failures == ATTEMPTS:
                    raise _unreachable(api, source, error) from error
            except ValueError as error:
                forget(archive)
                raise DamagedArchive(f"Kaggle sent something else than {archive.name}.", _later(source)) from error
            console.notice(f"The download of {source.name} broke off at {_size(archive) / MEGABYTE:,.1f} MB: going on.")
            time.sleep(PAUSE_SECONDS * 2**failures)


def forget(archive: Path) -> None:
    """Remove a download, whole or not, and what the kaggle package notes beside it."""
    for path in (archive, archive.with_name(f"{archive.name}.kaggle-partial")):
        path.unlink(missing_ok=True)


def _sign_in(source: Source) -> Any:
    """The package's client, with the credentials that it found, or without any: some datasets are open to all."""
    try:
        import kaggle
    except SystemExit:
        raise _no_credentials(source) from None
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
    need_room(archive.parent, size - _size(archive))
    with _bar_of_growth(archive, size, f"Downloading {source.name}"):
        try:
            type(api).download_file(
                api, response, outfile, http_client, quiet, resume, BLOCK, max_retries=0, timeout=READ_SECONDS
            )
        except requests.RequestException as error:
            raise _BrokenOff from error


@contextmanager
def _bar_of_growth(path: Path, size: int, description: str) -> Iterator[None]:
    """Show how a file of `size` bytes grows."""
    stop = threading.Event()
    with console.progress(description, size / MEGABYTE, "MB") as bar:

        def watch() -> None:
            shown, stopped = 0, False
            while not stopped:
                stopped = stop.wait(WATCH_SECONDS)
                now = _size(path)
                bar.advance((now - shown) / MEGABYTE)
                shown = now

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def _time_outs() -> Iterator[None]:
    """Give every request a time-out: behind a firewall that swallows packets, one without would wait for minutes."""
    import requests

    plain = requests.Session.send

    def send(self: requests.Session, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or (CONNECT_SECONDS, READ_SECONDS)
        return plain(self, request, **kwargs)

    requests.Session.send = send  # type: ignore[method-assign]
    try:
        yield
    finally:
        requests.Session.send = plain  # type: ignore[method-assign]


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _has_credentials(api: Any) -> bool:
    from kaggle.api.kaggle_api_extended import get_access_token_from_env

    return bool(api.config_values.get(api.CONFIG_NAME_AUTH_METHOD) or get_access_token_from_env()[0])


def _refusal(api: Any, source: Source, error: Any) -> XrganError:
    """What an answer of 400 or more means for the user."""
    status = error.response.status_code
    if status in {401, 403} and not _has_credentials(api):
        return _no_credentials(source)
    if status == 401:
        return XrganError(
            "Kaggle refused the credentials of this machine (401).", f"{TOKEN_HELP} {_without_kaggle(source)}"
        )
    if status == 403:
        rules = f"{source.url}/rules" if source.kind == "competition" else source.url
        return XrganError(
            f"Kaggle doesn't give {source.name} to this account (403).",
            f"Accept its terms at {rules}, signed in as the owner of the token, then run the command again. "
            f"{_without_kaggle(source)}",
        )
    if status == 404:
        return XrganError(
            f"Kaggle has no {source.kind} {source.slug} (404).",
            f"It may have moved: look for it at https://www.kaggle.com. {_without_kaggle(source)}",
        )
    if status == 429:
        wait = error.response.headers.get("Retry-After", "")
        after = f"in {wait} seconds" if wait.isdigit() else "in a few minutes"
        return XrganError(
            "Kaggle was asked too often (429).", f"Run the command again {after}. {_without_kaggle(source)}"
        )
    return XrganError(f"Kaggle answered with an error ({status}).", _later(source))


def _no_credentials(source: Source) -> XrganError:
    return XrganError(
        f"Kaggle wants credentials for {source.name}, and this machine has none.",
        f"{TOKEN_HELP} {_without_kaggle(source)}",
    )


def _unreachable(api: Any, source: Source, error: Exception) -> XrganError:
    import requests

    reasons = {
        requests.exceptions.ProxyError: "the proxy doesn't let it through",
        requests.exceptions.SSLError: "its certificate is not trusted; REQUESTS_CA_BUNDLE can name your proxy's",
        requests.exceptions.Timeout: "no answer came in time",
    }
    cause = error.__cause__ if isinstance(error, _BrokenOff) else error
    reason = next((text for kind, text in reasons.items() if isinstance(cause, kind)), "no connection")
    token = "" if _has_credentials(api) else f"There are no Kaggle credentials here either. {TOKEN_HELP} "
    return XrganError(
        f"Kaggle can't be reached from this machine: {reason}.",
        f"With a network, run the command again: it goes on where it stopped. {token}{_without_kaggle(source)}",
    )


def _later(source: Source) -> str:
    return f"Run the command again later: it goes on where it stopped. {_without_kaggle(source)}"


def _without_kaggle(source: Source) -> str:
    return (
        f"Without Kaggle on this machine: download {source.url} elsewhere, then "
        f"`xrgan fetch {source.name} --archive FILE.zip` (or `--folder DIR`, unpacked)."
    )
