"""A process that fetches: once, as its argument says, or again and again, as the lines of its stdin say.

The kaggle package reads its environment when it is imported: it is imported once here, by the first fetch that needs
it or at the start, and each order is carried out by a fork. An order is JSON: name, raw, read_seconds, options;
stdout and stderr, files; and to end it in the midst of its work, dies: after so many steps, and by which signal.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from xrgan import console
from xrgan.data.fetch import fetch
from xrgan.data.fetching import kaggle_client
from xrgan.errors import XrganError

UNIMPRESSED = 99  # exit code of a fetch that ended well although it was sent a signal
STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.utime", "shutil.copyfile", "socket.connect"}


def carry_out(order: dict[str, Any]) -> int:
    """Returns the exit code."""
    os.fsync = lambda _: None  # a busy disk needs seconds
    # Whoever runs the tests in the background has Ctrl-C ignored, and so have all processes below.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kaggle_client.PAUSE_SECONDS, kaggle_client.READ_SECONDS = 0.02, order["read_seconds"]
    options = {key: Path(value) if isinstance(value, str) else value for key, value in order["options"].items()}
    struck = _strike(*order["dies"], order["raw"]) if "dies" in order else lambda: False
    try:
        print(fetch(order["name"], Path(order["raw"]), **options))
    except XrganError as error:
        console.show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return UNIMPRESSED if struck() else 0


def _strike(step: int, signal: int, raw: str) -> Callable[[], bool]:
    """Send this process a signal when it takes that step; returns what tells whether it has come to that.

    A step: it touches a file below `raw`, connects, gets a block of the download, or moves a bar on.
    """
    taken = 0

    def take() -> None:
        nonlocal taken
        taken += 1
        if taken == step:
            os.kill(os.getpid(), signal)

    def watch(event: str, details: tuple[object, ...]) -> None:
        if event in STEPS and (event != "open" or str(details[0]).startswith(raw)):
            take()

    def first_a_step(method: Callable[..., None]) -> Callable[..., None]:
        def stepping(*given: object) -> None:
            take()
            method(*given)

        return stepping

    console.Bar.advance = first_a_step(console.Bar.advance)  # type: ignore[method-assign]
    tqdm.update = first_a_step(tqdm.update)  # type: ignore[method-assign]
    sys.addaudithook(watch)
    return lambda: taken >= step


def _in_a_fork(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for stream, path in ((1, order["stdout"]), (2, order["stderr"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    code = 1
    try:
        code = carry_out(order)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(carry_out(json.loads(sys.argv[1])))
    import kaggle  # noqa: F401

    import xrgan.data.phantom  # noqa: F401

    for line in sys.stdin:
        print(_in_a_fork(json.loads(line)), flush=True)
