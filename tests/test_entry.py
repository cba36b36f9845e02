"""The first half second of a command: Ctrl-C ends it, silently."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("seconds", [0.1, 0.3])
def test_ctrl_c_while_the_imports_run_is_silent(seconds: float) -> None:
    # The import is slowed down, so that the signal meets it on any machine.
    slow = "import sys, time\nsys.meta_path.insert(0, type('Slow', (), {'find_spec': lambda *_: time.sleep(0.02)}))\n"
    code = f"{slow}import xrgan.entry\nsys.argv = ['xrgan', 'runs']\nprint('.', flush=True)\nxrgan.entry.main()"
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=-1, stderr=-1, **restore) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == b".\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_files_in_the_working_directory_are_no_modules(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('imported')")
    command = [sys.executable, "-m", "xrgan", "data"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "imported" not in done.stderr and done.returncode == 0, done.stderr
