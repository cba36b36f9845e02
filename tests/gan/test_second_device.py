"""Runs on_second_device.py in a process of its own: a device can be made before the first gradient only, and stays."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_a_step_on_a_second_device() -> None:
    file = Path(__file__).with_name("on_second_device.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=file.parents[2])
    assert run.returncode == 0, run.stdout[-5000:]
