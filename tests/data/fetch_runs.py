"""What tests of fetching share: a fetch in a process of its own, and looks at what it left."""

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from tests.data.fake_kaggle import FakeKaggle

ZIP_NAME = "nodules-in-chest-xrays-jsrt.zip"
SCRIPT = [sys.executable, str(Path(__file__).with_name("fetch_process.py"))]
NETWORKLESS = FakeKaggle(b"", port=9)  # a port that nobody listens on
Done = subprocess.CompletedProcess[str]


def order(root: Path, name: str | None = "jrs", read_seconds: float = 60, **options: Path | int) -> dict[str, Any]:
    """`fetch(name, root/raw, **options)`, for fetch_process.py."""
    plain = {key: value if isinstance(value, int) else str(value) for key, value in options.items()}
    return {"name": name, "raw": str(root / "raw"), "read_seconds": read_seconds, "options": plain}


def run(
    kaggle: FakeKaggle,
    root: Path,
    name: str | None = "jrs",
    read_seconds: float = 60,
    dies: tuple[int, int] | None = None,
    **options: Path | int,
) -> Done:
    """Fetch into root/raw, in a process that meets the fake Kaggle.

    Args:
        dies: after how many steps, by which signal.
    """
    wanted = order(root, name, read_seconds, **options)
    if dies:
        wanted["dies"] = dies
    with tempfile.TemporaryDirectory() as folder:
        files = {stream: str(Path(folder) / stream) for stream in ("stdout", "stderr")}
        process = _process(kaggle.port)
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(wanted | files) + "\n")
        process.stdin.flush()
        assert select.select([process.stdout], [], [], 30)[0], "the fetch hangs"
        code = int(process.stdout.readline())
        said = {stream: Path(path).read_text() for stream, path in files.items()}
    return subprocess.CompletedProcess([], code, **said)


def run_alone(
    kaggle: FakeKaggle,
    root: Path,
    name: str | None = "jrs",
    credentials: bool = True,
    wrap: Iterable[str] = (),
    **options: Path | int,
) -> Done:
    """As `run`, in a process that starts for it: `wrap` is a command that runs the command."""
    line = [*wrap, *SCRIPT, json.dumps(order(root, name, **options))]
    environment = kaggle.environment(home(root), credentials)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=30, check=False)


@cache
def _process(port: int) -> subprocess.Popen[str]:
    """The process whose forks fetch from that port."""
    folder = tempfile.TemporaryDirectory()
    environment = FakeKaggle(b"", port=port).environment(Path(folder.name))
    pipe = subprocess.PIPE
    process = subprocess.Popen(SCRIPT, env=environment, stdin=pipe, stdout=pipe, text=True)
    atexit.register(folder.cleanup)
    atexit.register(process.communicate)  # the end of its stdin is its end
    return process


def home(root: Path) -> Path:
    (root / "home").mkdir(exist_ok=True)
    return root / "home"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the record, by its relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "source.yaml")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def content_of(archive: Path) -> dict[str, bytes]:
    """What `tree` finds of an archive, unpacked."""
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist() if "__MACOSX" not in name}


def assert_whole(raw: Path, archive: Path) -> None:
    assert tree(raw / "jrs") == content_of(archive)


def assert_nothing_half_made(raw: Path, name: str = "jrs") -> None:
    assert not (raw / name).exists()
    assert not (raw / ".staging" / name).exists()


def assert_refused(done: Done, root: Path, *says: str, name: str = "jrs") -> None:
    """One error and its next step, exit code 1, no traceback, nothing half-made."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error:") == 1
    *_, message, hint = done.stderr.strip().split("\n")
    assert message.startswith("Error:") and message.endswith("."), done.stderr
    assert hint.endswith((".", ")")), done.stderr
    for words in says:
        assert words in done.stderr
    assert_nothing_half_made(root / "raw", name)


def partial(root: Path) -> Path:
    return root / "raw" / ".downloads" / "jrs" / ZIP_NAME


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def unprivileged() -> list[str]:
    """A command that runs a command without root's power over files that are not its own."""
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
