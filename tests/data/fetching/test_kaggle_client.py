"""fetch through the real kaggle package, against a Kaggle on loopback that fails in every way known."""

import json
import os
import pty
import re
import subprocess
import threading
import zipfile
from pathlib import Path

import pytest

from tests.data import evil
from tests.data.conftest import Start
from tests.data.fake_kaggle import FakeKaggle
from tests.data.fetch_runs import (
    SCRIPT,
    ZIP_NAME,
    assert_refused,
    assert_whole,
    home,
    order,
    partial,
    run,
    run_alone,
    tree,
    wait_until,
)
from xrgan.files import read_yaml, sha256

pytestmark = pytest.mark.slow

PNG = {"a.png": b"1"}


def leave_partial(root: Path, content: bytes, kaggle: FakeKaggle, etag: str = "") -> None:
    """As an interrupted download does, with the kaggle package's note beside it."""
    partial(root).parent.mkdir(parents=True)
    partial(root).write_bytes(content)
    note = {"validator": etag or kaggle.etag, "size": len(kaggle.archive)}
    partial(root).with_name(f"{ZIP_NAME}.kaggle-partial").write_text(json.dumps(note))


def resumed_at(kaggle: FakeKaggle) -> list[int]:
    """Where each request for the rest of a file began, in bytes."""
    return [int(wanted.removeprefix("bytes=").rstrip("-")) for wanted in kaggle.ranges if wanted]


# What works ----------------------------------------------------------------------------------------------------------


def test_download_is_unpacked_and_recorded(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    done = run(kaggle, tmp_path)
    raw = tmp_path / "raw"
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{raw / 'jrs'}\n"  # and nothing of the kaggle package's own talk
    assert_whole(raw, archive)
    assert kaggle.asked == ["raddar/nodules-in-chest-xrays-jsrt"]
    record = read_yaml(raw / "jrs" / "source.yaml")
    assert record["name"] == "jrs"
    assert record["from"] == "Kaggle dataset raddar/nodules-in-chest-xrays-jsrt"
    assert record["archive_sha256"] == sha256(archive)
    assert record["files"] == 7
    assert record["images"] == 6
    assert "Shiraishi" in record["citation"]
    assert not (raw / ".downloads" / "jrs").exists()


def test_terminal_shows_how_the_download_grows(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.seconds_a_block = 0.05  # 19 blocks: a second
    ours, theirs = pty.openpty()
    environment = kaggle.environment(home(tmp_path)) | {"TERM": "xterm", "COLUMNS": "200"}
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:  # the other end was closed
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    line = [*SCRIPT, json.dumps(order(tmp_path))]
    done = subprocess.run(line, env=environment, stdout=subprocess.PIPE, stderr=theirs, timeout=30, check=False)
    os.close(theirs)
    reader.join(10)
    os.close(ours)
    text = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", shown.decode())
    assert done.returncode == 0, text
    figures = [float(figure) for figure in re.findall(r"Downloading jrs[^\r\n]*? ([\d.]+)/0\.3 MB", text)]
    assert figures == sorted(figures) and {0.1, 0.2} & set(figures)  # it grows before one's eyes
    assert figures[-1] == 0.3
    for work in ("Checking", "Unpacking", "Hashing"):
        assert re.search(rf"{work} {ZIP_NAME}[^\r\n]* 0\.3/0\.3 MB", text)


def test_public_dataset_needs_no_credentials(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    done = run_alone(kaggle, tmp_path, credentials=False)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


def test_competition_is_downloaded(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    done = run(kaggle, tmp_path, "rsna-dicom")
    assert done.returncode == 0, done.stderr
    assert kaggle.asked == ["rsna-pneumonia-detection-challenge"]
    assert len(tree(tmp_path / "raw" / "rsna-dicom")) == 7
    assert "The competition's rules must be accepted" in done.stderr
    assert "rules must be accepted" in read_yaml(tmp_path / "raw" / "rsna-dicom" / "source.yaml")["note"]


def test_place_with_blanks_and_umlauts(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    root = tmp_path / "Röntgen Thorax"
    root.mkdir()
    assert run(kaggle, root).returncode == 0
    assert_whole(root / "raw", archive)


def test_server_that_says_no_size(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.announced = -1
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


# A download that breaks off ------------------------------------------------------------------------------------------


def test_dropped_connection_goes_on_where_it_broke_off(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.script = [(200, 120_000), (200, None), (200, 70_000)]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)
    assert resumed_at(kaggle) == [65536, 131072]
    assert "going on" in done.stderr


def test_silent_server_is_asked_again(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.holds_at = 150_000
    done = run(kaggle, tmp_path, read_seconds=0.4)
    assert done.returncode == 0, done.stderr
    assert "going on" in done.stderr
    assert_whole(tmp_path / "raw", archive)


@pytest.mark.parametrize("status", [403, 500])
def test_error_page_is_not_joined_to_what_is_there(
    status: int, kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    """The signed address has expired, or the store stumbles, just when the rest is asked for."""
    kaggle.script = [(200, 120_000), (200, None), (status, None)]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)
    assert resumed_at(kaggle) == [65536, 65536]  # nothing that was there is downloaded again
    assert len(kaggle.asked) == 3  # each time for a fresh address


def test_address_that_has_expired_at_once(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.script = [(403, None)]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(kaggle.asked) == 2
    assert_whole(tmp_path / "raw", archive)


def test_store_that_never_works(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.script = [(403, None)] * 20
    done = run(kaggle, tmp_path)
    assert_refused(done, tmp_path, "Kaggle's store answers with an error (403)", "later", "--archive FILE.zip")


def test_kaggle_in_trouble_between_two_pieces(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.script, kaggle.statuses = [(200, 120_000)], [200, 502]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert resumed_at(kaggle) == [65536]
    assert_whole(tmp_path / "raw", archive)


def test_connection_that_stays_down_ends_in_a_sentence_and_keeps_the_partial(
    kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    kaggle.script = [(200, 120_000)] + [(200, None), (200, 0)] * 20
    done = run(kaggle, tmp_path)
    assert_refused(done, tmp_path, "Kaggle can't be reached", "goes on where it stopped", "--archive FILE.zip")
    assert partial(tmp_path).stat().st_size == 65_536
    kaggle.script.clear()
    kaggle.ranges.clear()
    assert run(kaggle, tmp_path).returncode == 0
    assert resumed_at(kaggle) == [65536]
    assert_whole(tmp_path / "raw", archive)


# A download that is not what it should be ----------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [b"\0" * 100_000, b'{"message": "expired"}'])
def test_poisoned_partial_is_found_out_and_fetched_again(
    garbage: bytes, kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    """The kaggle package joins whatever lies there to the rest, and takes the right size for the right file."""
    leave_partial(tmp_path, garbage, kaggle)
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert resumed_at(kaggle) == [len(garbage)]  # it did go on with the garbage
    assert_whole(tmp_path / "raw", archive)


def test_poison_that_is_larger_than_the_file(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    leave_partial(tmp_path, b"\0" * 500_000, kaggle)
    assert run(kaggle, tmp_path).returncode == 0
    assert_whole(tmp_path / "raw", archive)


def test_partial_of_an_older_version_is_not_joined_to_the_new(
    kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    leave_partial(tmp_path, b"\0" * 100_000, kaggle, etag='"older"')
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "damaged" not in done.stderr
    assert resumed_at(kaggle) == []
    assert_whole(tmp_path / "raw", archive)


def test_whole_download_is_not_downloaded_again(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    """As an interruption while unpacking leaves it."""
    partial(tmp_path).parent.mkdir(parents=True)
    partial(tmp_path).write_bytes(kaggle.archive)
    kaggle.holds_at = 0  # nothing more can come
    done = run(kaggle, tmp_path, read_seconds=1)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


DAMAGED = {
    "cut short": lambda whole: whole[:200_000],
    "damaged at 'images/images/JPCLN003.png': Bad CRC-32": lambda whole: evil.flipped(whole, 120_000, 120_001),
    "is a web page": lambda _: b"<!DOCTYPE html><title>Sign in to the hospital's network</title>",
    "no ZIP and no TAR": lambda _: b"\1\2\3",
    "is empty": lambda _: b"",
    "begins with zeros": lambda _: bytes(20_000),
    "a.png": lambda _: evil.claiming(100),  # a member larger than it says
}


@pytest.mark.parametrize("says", DAMAGED)
def test_archive_that_is_damaged_at_kaggle_is_downloaded_twice(says: str, kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.archive = DAMAGED[says](kaggle.archive)
    done = run(kaggle, tmp_path)
    assert_refused(done, tmp_path, says, "damaged twice", "another day")
    assert len(kaggle.asked) == 2
    assert not partial(tmp_path).exists()


REFUSED = {
    "'../evil.png' leads outside": evil.zipped(PNG | {"../evil.png": b""}),
    "'/evil.png' leads outside": evil.zipped(PNG | {"/evil.png": b""}),
    "'C:\\\\evil.png' leads outside": evil.zipped(PNG | {"C:\\evil.png": b""}),
    "'..\\\\evil.png' leads outside": evil.zipped(PNG | {"..\\evil.png": b""}),
    "'evil.png' is a link": evil.link("evil.png", "/etc/passwd"),
    "'folder' is a link": evil.link("folder", "../.."),
    "'a.png' is locked with a password": evil.locked(PNG),
    "'a.png' is packed by bzip2": evil.zipped(PNG, zipfile.ZIP_BZIP2),
    "64 folders deep": evil.zipped({"a/" * 2000 + "a.png": b""}),
    "no name for a file here": evil.zipped({"x" * 300 + ".png": b""}),
    "both a file and a folder": evil.zipped({"a.png": b"", "a.png/b.png": b""}),
    "claim to hold 4.3 GB": evil.claiming(0xFFFFFFF0),
    "0.0 MB claim to hold 1.1 GB": evil.overlapping(40, 30 << 20),
    "inner.zip is refused: its member '../evil.png'": evil.zipped({"inner.zip": evil.zipped({"../evil.png": b""})}),
    "inner.zip is refused: its 0.0 MB claim to hold": evil.zipped({"inner.zip": evil.claiming(0xFFFFFFF0)}),
    f"In {ZIP_NAME}: inner.zip was cut short": evil.zipped({"inner.zip": evil.zipped(PNG)[:-30]}),
    f"There is no image in {ZIP_NAME}.": evil.zipped({}),
    f"There is no image in {ZIP_NAME}. ": evil.zipped({"__MACOSX/a.png": b"1", "b/.c.png": b"2", "readme.txt": b""}),
}


@pytest.mark.parametrize("says", REFUSED)
def test_archive_that_means_harm_is_refused(says: str, kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.archive = REFUSED[says]
    done = run(kaggle, tmp_path)
    assert_refused(done, tmp_path, says.strip())
    assert len(kaggle.asked) == 1
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink() or "evil" in path.name]
    assert str(partial(tmp_path)) in done.stderr and partial(tmp_path).is_file()  # for who trusts it


def test_archives_in_the_archive_are_unpacked(kaggle: FakeKaggle, tmp_path: Path) -> None:
    """NIH's twelve, as one file."""
    parts = {f"images_{n:03}.zip": evil.zipped({f"images/{n:08}_000.png": b"%d" % n}) for n in (1, 2)}
    kaggle.archive = evil.zipped({"Data_Entry_2017.csv": b"Image Index", **parts})
    done = run(kaggle, tmp_path, "nih")
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "raw" / "nih") == {
        "Data_Entry_2017.csv": b"Image Index",
        "images_001/images/00000001_000.png": b"1",
        "images_002/images/00000002_000.png": b"2",
    }


# Refusals ------------------------------------------------------------------------------------------------------------


# --force, and two at once --------------------------------------------------------------------------------------------


def test_force_that_fails_keeps_the_old(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    assert run(kaggle, tmp_path).returncode == 0
    kaggle.archive = REFUSED["'../evil.png' leads outside"]
    done = run(kaggle, tmp_path, force=True)
    assert done.returncode == 1
    assert_whole(tmp_path / "raw", archive)
    kaggle.status = 404
    assert run(kaggle, tmp_path, force=True).returncode == 1
    assert_whole(tmp_path / "raw", archive)


def test_second_fetch_at_once_waits_and_finds_the_first_ones(
    start: Start, kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    kaggle.holds_at, kaggle.seconds_a_block = 80_000, 0.06
    first = start(kaggle, tmp_path)
    wait_until(lambda: partial(tmp_path).is_file())
    second = start(kaggle, tmp_path)
    assert second.stderr and "waiting for it" in second.stderr.readline()
    kaggle.gate.set()
    _, first_err = first.communicate(timeout=30)
    _, second_err = second.communicate(timeout=30)
    assert first.returncode == second.returncode == 0, first_err + second_err
    assert "is there already" in second_err
    assert len(kaggle.asked) == 1
    assert_whole(tmp_path / "raw", archive)
    assert re.search(r"Downloading jrs: 0\.3/0\.3 MB", first_err)


def test_second_fetch_takes_over_from_a_first_that_is_killed(
    start: Start, kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    kaggle.holds_at = 80_000
    first = start(kaggle, tmp_path)
    wait_until(lambda: partial(tmp_path).is_file() and partial(tmp_path).stat().st_size == 65_536)
    second = start(kaggle, tmp_path)
    assert second.stderr and "waiting for it" in second.stderr.readline()
    first.kill()
    kaggle.gate.set()
    _, second_err = second.communicate(timeout=30)
    assert second.returncode == 0, second_err
    assert resumed_at(kaggle) == [65536]
    assert_whole(tmp_path / "raw", archive)
