"""A folder appears whole or not at all."""

from pathlib import Path

import pytest

from tests.data.fetch_runs import tree
from xrgan.data.fetch import fetch
from xrgan.errors import XrganError


def test_failing_force_keeps_the_old(folder: Path, tmp_path: Path) -> None:
    target = fetch("jrs", tmp_path / "raw", folder=folder)
    before = tree(target)
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4torn")
    with pytest.raises(XrganError, match="cut short"):
        fetch("jrs", tmp_path / "raw", archive=tmp_path / "torn.zip", force=True)
    assert tree(target) == before


def test_crash_between_the_two_renames_loses_nothing(folder: Path, tmp_path: Path) -> None:
    target = fetch("mine", tmp_path / "raw", folder=folder)
    before = tree(target)
    target.rename(tmp_path / "raw" / ".staging" / "mine.old")
    (tmp_path / "raw" / ".staging" / "mine").mkdir()
    assert tree(fetch("mine", tmp_path / "raw", folder=folder)) == before
    assert not (tmp_path / "raw" / ".staging" / "mine.old").exists()


@pytest.mark.parametrize("leads_to", ["nothing", "an empty folder", "a source"])
def test_link_is_not_replaced_by_a_folder(leads_to: str, folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    if leads_to == "a source":
        fetch("mine", elsewhere, folder=folder)
    elif leads_to == "an empty folder":
        (elsewhere / "mine").mkdir(parents=True)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "mine").symlink_to(elsewhere / "mine")
    before = tree(elsewhere / "mine")
    if leads_to == "a source":
        assert fetch("mine", tmp_path / "raw", folder=folder) == tmp_path / "raw" / "mine"  # it is there already
    with pytest.raises(XrganError, match="is a link to") as caught:
        fetch("mine", tmp_path / "raw", folder=folder, force=True)
    assert "--data-root" in caught.value.hint
    assert (tmp_path / "raw" / "mine").is_symlink()
    assert tree(elsewhere / "mine") == before
