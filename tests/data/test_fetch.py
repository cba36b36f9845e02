"""fetch of local folders and archives, and of the phantom: whole, or not at all."""

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.data.fetch_runs import assert_nothing_half_made, assert_whole, tree
from xrgan.data.fetch import fetch
from xrgan.data.reading.kinds import find_images
from xrgan.data.scan import scan
from xrgan.data.scanning.rows import table
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.errors import XrganError
from xrgan.files import read_yaml

# Local folders and archives ------------------------------------------------------------------------------------------


def test_second_fetch_does_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = fetch("mine", tmp_path / "raw", folder=folder)
    (target / "mark.txt").write_text("untouched")
    assert fetch("mine", tmp_path / "raw", folder=folder) == target
    assert (target / "mark.txt").exists()
    assert "is there already" in capsys.readouterr().err


def test_another_origin_under_the_same_name_is_refused(folder: Path, archive: Path, tmp_path: Path) -> None:
    target = fetch("mine", tmp_path / "raw", folder=folder)
    with pytest.raises(XrganError, match=r"from another place \(folder my scans\).*--force"):
        fetch("mine", tmp_path / "raw", archive=archive)
    assert "NORMAL/a.png" in tree(target)
    fetch("phantom", tmp_path / "raw", n=3, size=16)
    with pytest.raises(XrganError, match="from another place"):
        fetch("phantom", tmp_path / "raw", n=4, size=16)


def test_what_was_brought_by_hand_stands_for_the_download(folder: Path, tmp_path: Path) -> None:
    target = fetch("kermany", tmp_path / "raw", folder=folder)
    assert fetch("kermany", tmp_path / "raw") == target


def test_force_replaces(folder: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fetch("jrs", tmp_path / "raw", folder=folder)
    capsys.readouterr()
    fetch("jrs", tmp_path / "raw", archive=archive, force=True)
    assert_whole(tmp_path / "raw", archive)
    assert "is there already" not in capsys.readouterr().err


def test_folder_that_no_fetch_made_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "raw" / "mine"
    mine.mkdir(parents=True)
    (mine / "precious.png").write_bytes(b"precious")
    for force in (False, True):
        with pytest.raises(XrganError, match="was not fetched"):
            fetch("mine", tmp_path / "raw", folder=folder, force=force)
    assert tree(mine) == {"precious.png": b"precious"}


def test_nothing_to_see_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "readme.txt").write_text("no image")
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as file:
        file.writestr("readme.txt", "no image")
    with pytest.raises(XrganError, match="no image"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "text")
    with pytest.raises(XrganError, match="no image"):
        fetch("mine", tmp_path / "raw", archive=tmp_path / "text.zip")
    assert_nothing_half_made(tmp_path / "raw", "mine")


# The phantom ---------------------------------------------------------------------------------------------------------


def test_phantom_is_drawn_offline(tmp_path: Path) -> None:
    target = fetch("phantom", tmp_path / "raw", n=3, size=32, seed=7)
    assert len(list(target.glob("images/*/*.png"))) == 3
    assert (target / "index.csv").is_file()
    assert read_yaml(target / "source.yaml")["from"] == "drawn, n 3, size 32, seed 7"
    assert len(list(fetch("phantom", tmp_path / "raw", n=4, size=32, force=True).glob("images/*/*.png"))) == 4


# What users have -----------------------------------------------------------------------------------------------------


# Links in the place of data ------------------------------------------------------------------------------------------


def test_raw_root_may_be_a_link_to_another_disk(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "raw").symlink_to(tmp_path / "other")
    fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(tmp_path / "other" / "mine")) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}


# --- a source that isn't on Kaggle


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Source:
    def read(folder: Path) -> pd.DataFrame:
        return table(file=[path.relative_to(folder).as_posix() for path in find_images(folder)], label=["ill"] * 2)

    source = Source("clinic", "A clinic's", "On request", "", "https://clinic.example", 2, origin="manual", read=read)
    monkeypatch.setitem(SOURCES, source.name, source)
    return source


def test_a_source_that_comes_by_hand_says_where_it_is_and_how_to_bring_it(by_hand: Source, tmp_path: Path) -> None:
    with pytest.raises(XrganError) as refused:
        fetch("clinic", tmp_path / "raw")
    assert "https://clinic.example" in str(refused.value)
    assert all(way in str(refused.value) for way in ("xrgan fetch clinic --folder", "--archive"))
    assert not (tmp_path / "raw" / "clinic").exists()


def test_a_source_that_comes_by_hand_is_read_by_its_reader(by_hand: Source, folder: Path, tmp_path: Path) -> None:
    target = fetch("clinic", tmp_path / "raw", folder=folder)
    record = read_yaml(target / "source.yaml")
    assert (record["name"], record["licence"], record["images"]) == ("clinic", "On request", 2)
    assert set(scan(target, by_hand)["label"]) == {"ill"}
    assert fetch("clinic", tmp_path / "raw") == target  # it is here: nothing to bring


def test_a_source_that_comes_by_hand_is_not_drawn(by_hand: Source, tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="--n is for the phantom, not for clinic"):
        fetch("clinic", tmp_path / "raw", n=10)
