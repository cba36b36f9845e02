"""fetch against real folders and archives, and through the real kaggle package against a Kaggle on loopback."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from xrgan.data.fetch import fetch
from xrgan.data.sources import SOURCES, find_source
from xrgan.errors import XrganError
from xrgan.files import read_yaml, sha256

from .fake_kaggle import ETAG, FakeKaggle, serve

ZIP_NAME = "nodules-in-chest-xrays-jsrt.zip"
# The kaggle package reads its environment when it is imported: each fetch through it is a process of its own.
DRIVER = """
import sys
from pathlib import Path
from xrgan import console
from xrgan.data import kaggle_client
from xrgan.data.fetch import fetch
from xrgan.errors import XrganError
kaggle_client.PAUSE_SECONDS, kaggle_client.READ_SECONDS = 0.02, float(sys.argv[3])
try:
    print(fetch(sys.argv[1], Path(sys.argv[2])))
except XrganError as error:
    console.show_error(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "jsrt.zip"
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("jsrt_metadata.csv", "study_id,state\nJPCLN001.png,malignant\n")
        for number in range(1, 7):
            file.writestr(f"images/images/JPCLN{number:03d}.png", rng.bytes(50_000))
        file.writestr("__MACOSX/images/._JPCLN001.png", b"junk")
    return path


@pytest.fixture
def kaggle(archive: Path) -> Iterator[FakeKaggle]:
    with serve(FakeKaggle(archive.read_bytes())) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my scans"
    for name in ("NORMAL/a.png", "PNEUMONIA/b.JPEG", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


Start = Callable[..., subprocess.Popen[str]]


def command(root: Path, name: str = "jrs", read_seconds: float = 60) -> list[str]:
    (root / "home").mkdir(exist_ok=True)
    return [sys.executable, "-c", DRIVER, name, str(root / "raw"), str(read_seconds)]


def run(
    kaggle: FakeKaggle, root: Path, credentials: bool = True, read_seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    line, environment = command(root, read_seconds=read_seconds), kaggle.environment(root / "home", credentials)
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a fetch and go on; whatever a failing test leaves is killed."""
    with contextlib.ExitStack() as stack:

        def start_one(kaggle: FakeKaggle, root: Path, name: str = "jrs") -> subprocess.Popen[str]:
            pipe, environment = subprocess.PIPE, kaggle.environment(root / "home")
            process = subprocess.Popen(command(root, name), env=environment, stdout=pipe, stderr=pipe, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start_one


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the record, by its relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "source.yaml")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def assert_whole(raw: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        expected = {name: file.read(name) for name in file.namelist() if "__MACOSX" not in name}
    assert tree(raw / "jrs") == expected


def assert_nothing_half_made(raw: Path, name: str = "jrs") -> None:
    assert not (raw / name).exists()
    assert not (raw / ".staging" / name).exists()


def partial(root: Path) -> Path:
    return root / "raw" / ".downloads" / "jrs" / ZIP_NAME


# Through the kaggle package ------------------------------------------------------------------------------------------


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
    assert "Shiraishi" in record["citation"]
    assert not (raw / ".downloads" / "jrs").exists()


def test_public_dataset_needs_no_credentials(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    done = run(kaggle, tmp_path, credentials=False)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


def test_dropped_connection_goes_on_where_it_broke_off(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.script = [(200, 120_000), (200, None), (200, 70_000)]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)
    assert [wanted for wanted in kaggle.ranges if wanted] == ["bytes=65536-", "bytes=131072-"]
    assert "going on" in done.stderr


def test_silent_server_is_asked_again(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.holds_at = 150_000
    done = run(kaggle, tmp_path, read_seconds=0.4)
    assert done.returncode == 0, done.stderr
    assert "going on" in done.stderr
    assert_whole(tmp_path / "raw", archive)


def test_whole_download_is_not_downloaded_again(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    """As an interruption while unpacking leaves it."""
    partial(tmp_path).parent.mkdir(parents=True)
    partial(tmp_path).write_bytes(kaggle.archive)
    kaggle.holds_at = 0  # nothing more can come
    done = run(kaggle, tmp_path, read_seconds=1)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


def test_connection_that_stays_down_ends_in_a_sentence_and_keeps_the_partial(
    kaggle: FakeKaggle, tmp_path: Path
) -> None:
    kaggle.script = [(200, 120_000)] + [(200, None), (200, 0)] * 20
    done = run(kaggle, tmp_path)
    assert done.returncode == 1
    assert "Kaggle can't be reached" in done.stderr
    assert "--archive FILE.zip" in done.stderr
    assert partial(tmp_path).stat().st_size == 65_536
    assert_nothing_half_made(tmp_path / "raw")


@pytest.mark.parametrize("garbage", [b"\0" * 100_000, b'{"message": "expired"}'])
def test_poisoned_partial_is_found_out_and_fetched_again(
    garbage: bytes, kaggle: FakeKaggle, archive: Path, tmp_path: Path
) -> None:
    """The kaggle package joins whatever lies there to the rest, and takes the right size for the right file."""
    partial(tmp_path).parent.mkdir(parents=True)
    partial(tmp_path).write_bytes(garbage)
    marker = {"validator": ETAG, "size": len(kaggle.archive)}
    partial(tmp_path).with_name(f"{ZIP_NAME}.kaggle-partial").write_text(json.dumps(marker))
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"bytes={len(garbage)}-" in kaggle.ranges  # it did go on with the garbage
    assert_whole(tmp_path / "raw", archive)


def test_expired_address_during_a_resume(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.script = [(200, 120_000), (200, None), (403, None), (403, None)]
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_whole(tmp_path / "raw", archive)


def test_archive_that_is_torn_at_kaggle(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.archive = kaggle.archive[:200_000]
    done = run(kaggle, tmp_path)
    assert done.returncode == 1
    assert "damaged twice" in done.stderr
    assert len(kaggle.asked) == 2
    assert_nothing_half_made(tmp_path / "raw")
    assert not partial(tmp_path).exists()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "refused the credentials"),
        (403, "Accept its terms at https://www.kaggle.com/datasets/raddar/nodules-in-chest-xrays-jsrt"),
        (404, "no dataset raddar/nodules-in-chest-xrays-jsrt"),
        (429, "again in 17 seconds"),
        (503, "error (503)"),
    ],
)
def test_refusal_is_a_sentence_with_both_ways_on(status: int, message: str, kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.status, kaggle.headers = status, {"Retry-After": "17"}
    done = run(kaggle, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr
    assert "xrgan fetch jrs --archive FILE.zip" in done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_half_made(tmp_path / "raw")


def test_no_credentials(kaggle: FakeKaggle, tmp_path: Path) -> None:
    kaggle.open_to_all = False
    done = run(kaggle, tmp_path, credentials=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "this machine has none" in done.stderr
    assert "https://www.kaggle.com/settings/api" in done.stderr
    assert "xrgan fetch jrs --archive FILE.zip" in done.stderr


def test_no_network(tmp_path: Path) -> None:
    """A port that nobody listens on stands for a network that isn't there."""
    nowhere = FakeKaggle(b"", port=9)
    begin = time.monotonic()
    done = run(nowhere, tmp_path, credentials=False)
    assert time.monotonic() - begin < 8
    assert done.returncode == 1
    assert "Kaggle can't be reached" in done.stderr
    assert "settings/api" in done.stderr
    assert "--archive FILE.zip" in done.stderr
    assert not (tmp_path / "raw" / ".downloads").exists()


def test_competition_whose_rules_were_not_accepted(kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from xrgan.data.kaggle_client import download
from xrgan.data.sources import Source
url = "https://www.kaggle.com/competitions/rsna-x"
source = Source("x", "", "", "", url, 1, kaggle="competition:rsna-x")
print(download(source, Path(sys.argv[1])))
"""
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-c", code, str(tmp_path)]
    environment = kaggle.environment(home)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=True)
    assert Path(done.stdout.strip()).read_bytes() == archive.read_bytes()
    assert kaggle.asked == ["rsna-x"]
    kaggle.status = 403
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert "https://www.kaggle.com/competitions/rsna-x/rules" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_full_disk(kaggle: FakeKaggle, tmp_path: Path) -> None:
    partial(tmp_path).parent.mkdir(parents=True)
    partial(tmp_path).symlink_to("/dev/full")
    done = run(kaggle, tmp_path)
    assert done.returncode == 1
    assert "is full" in done.stderr
    assert_nothing_half_made(tmp_path / "raw")


def test_interrupted_download_is_resumed(start: Start, kaggle: FakeKaggle, archive: Path, tmp_path: Path) -> None:
    kaggle.holds_at = 80_000
    process = start(kaggle, tmp_path)
    wait_until(lambda: partial(tmp_path).is_file() and partial(tmp_path).stat().st_size > 30_000)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    kaggle.gate.set()
    assert process.returncode != 0
    assert_nothing_half_made(tmp_path / "raw")
    had = partial(tmp_path).stat().st_size
    done = run(kaggle, tmp_path)
    assert done.returncode == 0, done.stderr
    assert kaggle.ranges[-1] == f"bytes={had}-"
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


def test_another_origin_under_the_same_name_is_said(
    folder: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = fetch("mine", tmp_path / "raw", folder=folder)
    fetch("mine", tmp_path / "raw", archive=archive)
    assert "from another place (folder my scans)" in " ".join(capsys.readouterr().err.split())
    assert "NORMAL/a.png" in tree(target)


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


def test_phantom_is_drawn_offline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = fetch("phantom", tmp_path / "raw", n=3, size=32, seed=7)
    assert len(list(target.glob("images/*/*.png"))) == 3
    assert (target / "index.csv").is_file()
    assert read_yaml(target / "source.yaml")["from"] == "drawn, n 3, size 32, seed 7"
    fetch("phantom", tmp_path / "raw", n=4, size=32)
    assert "--force replaces it" in capsys.readouterr().err


@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_drawing_leaves_no_dataset(start: Start, kill: signal.Signals, tmp_path: Path) -> None:
    process = start(FakeKaggle(b""), tmp_path, name="phantom")
    wait_until(lambda: (tmp_path / "raw" / ".staging" / "phantom" / "images").exists())
    process.send_signal(kill)
    process.communicate(timeout=20)
    assert not (tmp_path / "raw" / "phantom").exists()
    assert (tmp_path / "raw" / ".staging" / "phantom").exists() == (kill == signal.SIGKILL)
    target = fetch("phantom", tmp_path / "raw", n=1, size=32)
    assert len(list(target.glob("images/*/*.png"))) == 1


# The catalogue -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "stem", "patient"),
    [
        ("kermany", "person12_virus_46", "person12"),
        ("kermany", "person1_bacteria_2", "person1"),
        ("kermany", "IM-0115-0001", "IM-0115"),
        ("kermany", "IM-0652-0001-0002", "IM-0652"),
        ("kermany", "NORMAL2-IM-1427-0001", "NORMAL2-IM-1427"),
        ("jrs", "JPCLN001", "JPCLN001"),
        ("phantom", "phantom00001_2", "phantom00001"),
        ("rsna", "0004cfab-14fd-4e49-80ba-63a80b6bddd6", "0004cfab-14fd-4e49-80ba-63a80b6bddd6"),
    ],
)
def test_file_names_tell_the_patient(source: str, stem: str, patient: str) -> None:
    match = re.search(find_source(source).patient_pattern, stem)
    assert match and match[1] == patient


@pytest.mark.real
def test_every_kermany_name_tells_its_patient() -> None:
    folder = Path(os.environ.get("XRGAN_REAL_DATA", "../shared/data")) / "kermany_224"
    stems = [path.stem for path in folder.rglob("*.jpeg")]
    if not stems:
        pytest.skip("the real images are not here")
    found = [re.search(find_source("kermany").patient_pattern, stem) for stem in stems]
    assert all(found)
    assert len(stems) == find_source("kermany").images
