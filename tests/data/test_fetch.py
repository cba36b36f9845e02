"""fetch of local folders and archives, and of the phantom: whole, or not at all."""

import os
import tarfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from tests.data import evil
from tests.data.fetch_runs import assert_nothing_half_made, assert_whole, tree
from xrgan.data.fetch import fetch
from xrgan.data.fetching import archives
from xrgan.data.reading.kinds import find_images
from xrgan.data.scan import scan, table
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.errors import XrganError
from xrgan.files import read_yaml, sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my scans"
    for name in ("NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


# Local folders and archives ------------------------------------------------------------------------------------------


def test_folder_is_copied_under_a_safe_name(folder: Path, tmp_path: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"junk")
    target = fetch(None, tmp_path / "raw", folder=folder)
    assert target == tmp_path / "raw" / "my-scans"
    assert tree(target) == {name: name.encode() for name in ("NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt")}
    record = (target / "source.yaml").read_text()
    assert "from: folder my scans" in record
    assert str(tmp_path) not in record
    (folder / "NORMAL" / "a.png").write_bytes(b"changed")
    assert tree(target)["NORMAL/a.png"] == b"NORMAL/a.png"


def test_folder_in_place_of_a_download_keeps_the_sources_terms(folder: Path, tmp_path: Path) -> None:
    target = fetch("JSRT", tmp_path / "raw", folder=folder)
    assert target.name == "jrs"
    record = read_yaml(target / "source.yaml")
    assert record["licence"] == SOURCES["jrs"].licence
    assert record["from"] == "folder my scans"


def test_links_neither_lead_out_nor_round(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "secret.png").write_bytes(b"secret")
    (folder / "round").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    (folder / "out").symlink_to(secret)
    (folder / "out.png").symlink_to(secret / "secret.png")
    (folder / "within.png").symlink_to(folder / "NORMAL" / "a.png")
    os.mkfifo(folder / "pipe.png")
    target = fetch(None, tmp_path / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt", "within.png"}
    assert not (target / "within.png").is_symlink()
    assert "2 links that lead out" in capsys.readouterr().err


def test_folder_that_holds_the_raw_root_does_not_copy_the_copy(folder: Path) -> None:
    fetch("phantom", folder / "data" / "raw", n=1, size=32)
    target = fetch("mine", folder / "data" / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}


def test_dicom_without_an_extension_is_an_image(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "IM0001").write_bytes(b"\0" * 128 + b"DICM")
    assert fetch(None, tmp_path / "raw", folder=tmp_path / "scans").is_dir()


def test_archive_is_unpacked_and_recorded(archive: Path, tmp_path: Path) -> None:
    target = fetch("jrs", tmp_path / "raw", archive=archive)
    assert_whole(tmp_path / "raw", archive)
    record = read_yaml(target / "source.yaml")
    assert record["archive_sha256"] == sha256(archive)
    assert record["bytes"] == sum(len(content) for content in tree(target).values())
    assert archive.is_file()


def test_archive_without_a_name_gives_its_own(archive: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "Thorax München.zip"
    renamed.write_bytes(archive.read_bytes())
    assert fetch(None, tmp_path / "raw", archive=renamed).name == "Thorax-Munchen"


def test_archive_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as file:
        file.writestr("fine.png", b"1")
        file.writestr("../evil.png", b"2")
    with pytest.raises(XrganError, match=r"\.\./evil\.png"):
        fetch("jrs", tmp_path / "raw", archive=tmp_path / "evil.zip")
    assert_nothing_half_made(tmp_path / "raw")
    assert not list(tmp_path.rglob("evil.png"))


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


def test_failing_force_keeps_the_old(folder: Path, tmp_path: Path) -> None:
    target = fetch("jrs", tmp_path / "raw", folder=folder)
    before = tree(target)
    (tmp_path / "torn.zip").write_bytes(b"PK\3\4torn")
    with pytest.raises(XrganError, match="cut short"):
        fetch("jrs", tmp_path / "raw", archive=tmp_path / "torn.zip", force=True)
    assert tree(target) == before


def test_folder_that_no_fetch_made_is_not_replaced(folder: Path, tmp_path: Path) -> None:
    mine = tmp_path / "raw" / "mine"
    mine.mkdir(parents=True)
    (mine / "precious.png").write_bytes(b"precious")
    for force in (False, True):
        with pytest.raises(XrganError, match="was not fetched"):
            fetch("mine", tmp_path / "raw", folder=folder, force=force)
    assert tree(mine) == {"precious.png": b"precious"}


def test_crash_between_the_two_renames_loses_nothing(folder: Path, tmp_path: Path) -> None:
    target = fetch("mine", tmp_path / "raw", folder=folder)
    before = tree(target)
    target.rename(tmp_path / "raw" / ".staging" / "mine.old")
    (tmp_path / "raw" / ".staging" / "mine").mkdir()
    assert tree(fetch("mine", tmp_path / "raw", folder=folder)) == before
    assert not (tmp_path / "raw" / ".staging" / "mine.old").exists()


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


# The phantom ---------------------------------------------------------------------------------------------------------


def test_phantom_is_drawn_offline(tmp_path: Path) -> None:
    target = fetch("phantom", tmp_path / "raw", n=3, size=32, seed=7)
    assert len(list(target.glob("images/*/*.png"))) == 3
    assert (target / "index.csv").is_file()
    assert read_yaml(target / "source.yaml")["from"] == "drawn, n 3, size 32, seed 7"
    assert len(list(fetch("phantom", tmp_path / "raw", n=4, size=32, force=True).glob("images/*/*.png"))) == 4


# What users have -----------------------------------------------------------------------------------------------------


def test_folder_of_archives_is_unpacked(tmp_path: Path) -> None:
    """NIH's twelve, as they are downloaded from its own site."""
    parts = tmp_path / "nih"
    (parts / "part 2").mkdir(parents=True)
    (parts / "Data_Entry_2017.csv").write_text("Image Index")
    (parts / "images_001.zip").write_bytes(evil.zipped({"images/1.png": b"1"}))
    (parts / "part 2" / "images_02.tar.gz").write_bytes(evil.tarred(evil.tar_member("images/2.png")))
    target = fetch("nih", tmp_path / "raw", folder=parts)
    assert tree(target) == {
        "Data_Entry_2017.csv": b"Image Index",
        "images_001/images/1.png": b"1",
        "part 2/images_02/images/2.png": evil.CONTENT,
    }
    assert (parts / "images_001.zip").is_file()


def test_archives_beside_images_stay_packed(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They may well hold the same images once more."""
    (folder / "all.zip").write_bytes(evil.zipped({"a.png": b"1"}))
    target = fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt", "all.zip"}
    said = capsys.readouterr().err
    assert "stay packed, all.zip among 1" in said


def test_folder_of_archives_without_an_image(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "text.zip").write_bytes(evil.zipped({"readme.txt": b"1"}))
    with pytest.raises(XrganError, match="no image in the archives in"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "parts")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_archive_in_a_folder_that_is_refused_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "1.zip").write_bytes(evil.zipped({"a.png": b"1"}))
    (tmp_path / "parts" / "2.zip").write_bytes(evil.zipped({"../evil.png": b"1"}))
    with pytest.raises(XrganError, match=r"2\.zip is refused"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "parts")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_archives_in_an_archive_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Harmless each, they may be a bomb all the same; the limit is lowered here to 10 kB."""
    inner = {f"{number}.zip": evil.zipped({"a.png": bytes(5_000)}) for number in range(4)}
    (tmp_path / "one.zip").write_bytes(evil.zipped({"0.zip": inner["0.zip"]}))
    (tmp_path / "all.zip").write_bytes(evil.zipped(inner))
    monkeypatch.setattr(archives, "SMALLEST_BOMB", 10_000)
    monkeypatch.setattr(archives, "LARGEST_GROWTH", 10)
    monkeypatch.setattr(archives, "BYTES_A_FILE", 0)
    fetch("one", tmp_path / "raw", archive=tmp_path / "one.zip")
    with pytest.raises(XrganError, match=r"2\.zip is refused: its 0\.0 MB claim to hold"):
        fetch("all", tmp_path / "raw", archive=tmp_path / "all.zip")
    assert_nothing_half_made(tmp_path / "raw", "all")


@pytest.mark.parametrize("name", ["scans.rar", "scans.7z"])
def test_archives_of_other_kinds_are_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes({"scans.rar": b"Rar!\x1a\7\1\0", "scans.7z": b"7z\xbc\xaf\x27\x1c"}[name] + bytes(99))
    with pytest.raises(XrganError, match="xrgan takes ZIP and TAR") as caught:
        fetch("mine", tmp_path / "raw", archive=tmp_path / name)
    assert "--folder DIR" in caught.value.hint


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


def test_folder_that_is_endlessly_deep_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / "scans" / "/".join(["a"] * 70)
    deep.mkdir(parents=True)
    (deep / "a.png").write_bytes(b"1")
    with pytest.raises(XrganError, match="64 folders deep"):
        fetch("mine", tmp_path / "raw", folder=tmp_path / "scans")
    assert_nothing_half_made(tmp_path / "raw", "mine")


def test_junk_of_systems_and_drives_is_left_out(folder: Path, tmp_path: Path) -> None:
    for name in ("@eaDir/a.png/thumb.jpg", "$RECYCLE.BIN/x.png", "THUMBS.DB", "Desktop.ini"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"junk")
    target = fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(target)) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}


# Links in the place of data ------------------------------------------------------------------------------------------


def test_raw_root_may_be_a_link_to_another_disk(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "raw").symlink_to(tmp_path / "other")
    fetch("mine", tmp_path / "raw", folder=folder)
    assert set(tree(tmp_path / "other" / "mine")) == {"NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"}


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
