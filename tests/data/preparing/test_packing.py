"""A packing that was interrupted goes on where it stopped, and never trusts what a power cut may have torn."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import write_image
from xrgan.data.packed import open_packed
from xrgan.data.preparing import decoding, packing
from xrgan.data.preparing.decoding import Decoded, Entry
from xrgan.data.preparing.packing import HEADER_BYTES, IMAGES, INPUTS, JOURNAL, finish, pack
from xrgan.data.preparing.resize import ImageFormat

pytestmark = pytest.mark.slow

SQUARE = ImageFormat(8, "pad", 1, "minmax", False)
IMAGE_BYTES = 64


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 images, every seventh of them bad."""
    folder = tmp_path_factory.mktemp("raw")
    for k in range(40):
        write_image(folder / f"{k:02d}.png", 9, 9, k)
        if k % 7 == 3:
            (folder / f"{k:02d}.png").write_bytes(b"torn")
    return folder


def rows(raw: Path, n: int = 40) -> pd.DataFrame:
    files = sorted(path.name for path in raw.iterdir())[:n]
    return pd.DataFrame({"file": files, "mask": "", "boxes": ""})


def packed(raw: Path, folder: Path, wish: str = "w") -> tuple[pd.DataFrame, bytes]:
    journal = pack(raw, rows(raw), SQUARE, 1, folder, {"wish": wish})
    return journal, (folder / IMAGES).read_bytes()


@pytest.fixture(scope="module")
def whole(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, bytes]:
    return packed(raw, tmp_path_factory.mktemp("whole") / "a")


def test_every_row_is_in_the_journal(whole: tuple[pd.DataFrame, bytes]) -> None:
    journal, images = whole
    bad = journal["reason"] != ""
    assert len(journal) == 40
    assert list(np.flatnonzero(bad)) == [3, 10, 17, 24, 31, 38]
    assert len(images) == HEADER_BYTES + 34 * IMAGE_BYTES
    assert (journal["perceptual"][~bad].str.len() == 64).all()


@settings(max_examples=40)
@given(st.data())
def test_whatever_is_torn_is_done_again(
    raw: Path, whole: tuple[pd.DataFrame, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn") / "a"
    packed(raw, folder)
    for name in (IMAGES, JOURNAL):
        content = bytearray((folder / name).read_bytes())
        start = HEADER_BYTES if name == IMAGES else 0
        if data.draw(st.booleans()):
            content = content[: data.draw(st.integers(start, len(content)))]
        if name == IMAGES and len(content) > start and data.draw(st.booleans()):
            content[data.draw(st.integers(start, len(content) - 1))] ^= 0xFF  # as a block that never reached the disk
        (folder / name).write_bytes(content)
    journal, images = packed(raw, folder)
    assert journal.equals(whole[0])
    assert images[HEADER_BYTES:] == whole[1][HEADER_BYTES:]


@pytest.mark.parametrize("damage", [b"\xff\xfe,1\n", b'"', b"- 1", b"", b"a: ["])
@pytest.mark.parametrize("name", [INPUTS, JOURNAL])
def test_what_can_not_be_read_is_begun_anew(
    raw: Path, whole: tuple[pd.DataFrame, bytes], tmp_path: Path, name: str, damage: bytes
) -> None:
    packed(raw, tmp_path / "a")
    (tmp_path / "a" / name).write_bytes(damage)
    journal, images = packed(raw, tmp_path / "a")
    assert journal.equals(whole[0])
    assert images[HEADER_BYTES:] == whole[1][HEADER_BYTES:]


def test_what_is_done_is_not_done_again(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed(raw, tmp_path / "a")
    asked: list[int] = []

    def decode_all(raw: Path, entries: Sequence[Entry], image_format: ImageFormat, workers: int) -> Iterator[Decoded]:
        asked.append(len(entries))
        return decoding.decode_all(raw, entries, image_format, workers)

    monkeypatch.setattr(packing, "decode_all", decode_all)
    packed(raw, tmp_path / "a")
    assert asked == [0]
    lines = (tmp_path / "a" / JOURNAL).read_bytes().splitlines(keepends=True)
    (tmp_path / "a" / JOURNAL).write_bytes(b"".join(lines[:30]))
    packed(raw, tmp_path / "a")
    assert asked == [0, 10]


def test_another_wish_starts_anew(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed(raw, tmp_path / "a", "one")
    packed(raw, tmp_path / "a", "two")
    assert "Going on" not in capsys.readouterr().err
    packed(raw, tmp_path / "a", "two")
    assert "40 of 40 are done" in capsys.readouterr().err


def test_what_is_not_kept_leaves_no_gap(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "BLOCK", 4)
    packed(raw, tmp_path / "a")
    finish(tmp_path / "a", SQUARE, np.ones(34, bool))
    everything = np.load(tmp_path / "a" / IMAGES).copy()
    assert everything.shape == (34, 1, 8, 8)
    keep = np.random.default_rng(0).random(34) < 0.6
    finish(tmp_path / "a", SQUARE, keep)
    assert np.array_equal(np.load(tmp_path / "a" / IMAGES), everything[keep])


def assert_gone(group: int) -> None:
    """No worker outlives the process that it works for."""
    deadline = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.02)
        pytest.fail("workers are still there")


def test_a_killed_prepare_goes_on_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    """SIGKILL at random moments, with several processes at work."""
    raw = tmp_path / "many"
    for k in range(600):
        write_image(raw / f"{k:03d}.png", 400, 300, k % 50)
    command = [sys.executable, "-m", "xrgan", "prepare", str(raw), "--size", "32", "--workers", "2", "--data-root"]
    partial = tmp_path / "killed" / "prepared" / ".staging" / "many_32.partial" / JOURNAL
    for done in (60, 300):
        process = subprocess.Popen(
            [*command, str(tmp_path / "killed")], stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 60
        while not (partial.is_file() and partial.read_bytes().count(b"\n") > done) and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert_gone(process.pid)
    assert not (tmp_path / "killed" / "prepared" / "many_32").exists()
    for root in ("killed", "whole"):
        again = [*command, str(tmp_path / root)]
        said = subprocess.run(again, capture_output=True, text=True, timeout=120, check=True).stderr
        assert ("Going on" in said) == (root == "killed")
    killed, whole = (tmp_path / root / "prepared" / "many_32" for root in ("killed", "whole"))
    for file in ("images.npy", "index.csv", "preview.png"):
        assert (killed / file).read_bytes() == (whole / file).read_bytes()
    assert open_packed(killed).content_hash == open_packed(whole).content_hash
    assert not partial.parent.exists()
