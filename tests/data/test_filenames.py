"""File names that others made become readable."""

import os
import tarfile
from pathlib import Path

import pytest

from tests.data.fetch_runs import tree
from xrgan.data.fetch import fetch


def test_names_in_other_encodings_become_readable(tmp_path: Path) -> None:
    """What can't be written as UTF-8 can't be written into a CSV file either."""
    scans = tmp_path / "scans"
    scans.mkdir()
    try:
        Path(os.fsdecode(os.fsencode(scans) + b"/M\xfcller.png")).write_bytes(b"1")
    except OSError:
        pytest.skip("this disk takes UTF-8 only")
    with tarfile.open(tmp_path / "scans.tar", "w") as file:
        file.add(scans, arcname=".")
    for number, given in enumerate(({"folder": scans}, {"archive": tmp_path / "scans.tar"})):
        target = fetch(f"mine{number}", tmp_path / "raw", **given)
        assert set(tree(target)) == {"Müller.png"}
