"""The arguments of fetch, in any mixture, make sense or are named."""

from pathlib import Path

import pytest

from xrgan.data.fetch import fetch
from xrgan.data.sources import SOURCES
from xrgan.errors import XrganError
from xrgan.files import read_yaml


def test_folder_in_place_of_a_download_keeps_the_sources_terms(folder: Path, tmp_path: Path) -> None:
    target = fetch("JSRT", tmp_path / "raw", folder=folder)
    assert target.name == "jrs"
    record = read_yaml(target / "source.yaml")
    assert record["licence"] == SOURCES["jrs"].licence
    assert record["from"] == "folder my scans"


def test_archive_without_a_name_gives_its_own(archive: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "Thorax München.zip"
    renamed.write_bytes(archive.read_bytes())
    assert fetch(None, tmp_path / "raw", archive=renamed).name == "Thorax-Munchen"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source_name": None}, "no source to fetch"),
        ({"source_name": "kermanny"}, "Did you mean kermany"),
        ({"source_name": "jrs", "n": 5}, "--n is for the phantom"),
        ({"source_name": "phantom", "folder": Path("x")}, "is drawn"),
        ({"source_name": "mine", "folder": Path("absent")}, "no folder absent"),
        ({"source_name": "mine", "archive": Path("absent.zip")}, "no archive absent.zip"),
        ({"source_name": "mine", "folder": Path("x"), "archive": Path("y")}, "can't go together"),
        ({"source_name": "???", "folder": Path("x")}, "no name for a folder"),
        ({"source_name": "phantom", "n": 0}, "phantom.n = 0"),
    ],
)
def test_mistakes_are_named(arguments: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(XrganError) as caught:
        fetch(raw_root=tmp_path / "raw", **arguments)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert not (tmp_path / "raw").exists()
