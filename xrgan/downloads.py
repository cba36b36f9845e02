"""Download one file over HTTP: with time-outs, a progress bar and a check of its SHA-256; the cache of such files."""

import os
from pathlib import Path

import platformdirs
import requests

from xrgan import console
from xrgan.files import replacing, sha256

CONNECT_SECONDS = 5.0  # for each address of the server: a hospital's firewall often just doesn't answer
READ_SECONDS = 60.0  # the longest silence in between: a slow network does not fail
CHUNK_BYTES = 1 << 20


def cache_dir() -> Path:
    """The folder of what xrgan can fetch or compute again: `XRGAN_CACHE`, else the user's cache directory."""
    return Path(os.environ.get("XRGAN_CACHE") or platformdirs.user_cache_dir("xrgan"))


class WrongContentError(OSError):
    """What arrived is another file than the wanted one; nothing of it was kept."""


def download(url: str, target: Path, sha256_start: str, description: str, size_bytes: int | None = None) -> None:
    """Download a file to `target`, which is replaced when all of it has arrived and is the right one.

    Args:
        sha256_start: hexadecimal digits: the whole SHA-256, or as much of its start as was published.
        description: what the progress bar calls it.
        size_bytes: for the bar; without it, the size that the server tells.

    Raises:
        requests.RequestException: there is no connection, or the server answered with an error.
        WrongContentError: the SHA-256 of what arrived is another one.
        OSError: `target` can't be written.
    """
    with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS)) as response:
        response.raise_for_status()
        megabytes = (size_bytes or int(response.headers.get("Content-Length", 0))) / 1e6
        with replacing(target) as temporary:
            with console.progress(description, megabytes or None, "MB") as bar, temporary.open("wb") as out:
                for chunk in response.iter_content(CHUNK_BYTES):
                    out.write(chunk)
                    bar.advance(len(chunk) / 1e6)
            if not sha256(temporary).startswith(sha256_start):
                raise WrongContentError("what arrived is another file (its SHA-256 is wrong)")


def reason(error: OSError) -> str:
    """Why a download failed, as the part of a sentence behind a colon."""
    match error:
        case requests.HTTPError(response=response) if response is not None:
            return f"the server answered {response.status_code}"
        case requests.Timeout():
            return "no answer came in time"
        case requests.exceptions.SSLError():
            return "the server's certificate is not trusted; REQUESTS_CA_BUNDLE can name your proxy's"
        case requests.RequestException():
            return "the server can't be reached"
    return error.strerror or str(error)
