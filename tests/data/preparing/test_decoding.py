"""Files are decoded by many processes as by one; a file that can't be read is skipped with its reason."""

import os
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import write_image
from tests.data.conftest import Ask, options
from tests.data.test_prepare import snapshot, spoil
from xrgan.data.packed import open_packed
from xrgan.data.prepare import prepare
from xrgan.data.preparing import decoding
from xrgan.data.preparing.resize import ImageFormat
from xrgan.errors import XrganError
from xrgan.files import read_yaml

pytestmark = pytest.mark.slow


def test_bad_files_are_named_with_their_reason_and_the_good_ones_packed(
    raw: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    good = open_packed(ask(name="clean")).images
    bad = spoil(raw)
    folder = ask()
    skipped = {entry["file"]: entry["reason"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]}
    assert skipped.keys() == bad.keys()
    assert all(reason and bad[name] in reason for name, reason in skipped.items())
    assert Counter(image.tobytes() for image in open_packed(folder).images) == Counter(map(bytes, good))
    err = capsys.readouterr().err
    assert f"{len(bad)} file(s) skipped" in err
    assert any(f"{name}: " in err for name in bad)


def test_a_listed_file_that_is_absent_is_skipped(raw: Path, ask: Ask) -> None:
    (raw / "index.csv").write_text("file,label\nILL/i00.tiff,x\nlost.png,x\nILL,x\n")
    folder = ask()
    assert [entry["file"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]] == ["ILL", "lost.png"]
    assert len(open_packed(folder).images) == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_skipped(raw: Path, ask: Ask) -> None:
    foreign = os.fsencode(raw / "ILL") + b"/Jos\xe9.png"
    try:
        os.link(os.fsencode(write_image(raw / "ILL" / 'ü, "x".png')), foreign)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    folder = ask()
    (entry,) = read_yaml(folder / "dataset.yaml")["skipped"]
    assert entry["reason"] == "its name is not UTF-8"
    assert 'ILL/ü, "x".png' in list(pd.read_csv(folder / "index.csv")["file"])
    assert len(open_packed(folder).images) == 31


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough for several processes to be worth it, a bad one among them."""
    folder = tmp_path_factory.mktemp("raw") / "many"
    for k in range(decoding.FEW_IMAGES + 10):
        write_image(folder / f"{k:03d}.png", 8, 8, k)
    (folder / "100.png").write_bytes(b"torn")
    return folder


def test_several_processes_give_what_one_gives(many: Path, tmp_path: Path) -> None:
    folders = [prepare(many, tmp_path / str(n), options(size=8, workers=n)) for n in (1, 2)]
    one, two = (read_yaml(folder / "dataset.yaml") for folder in folders)
    assert one == two
    assert one["skipped"] == [{"file": "100.png", "reason": "no image"}]
    assert np.array_equal(*(open_packed(folder).images for folder in folders))


def test_no_more_processes_than_cores_that_one_may_use(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch job with one of a server's cores decodes in its own process."""
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    monkeypatch.setattr(decoding, "ProcessPoolExecutor", lambda *_, **__: pytest.fail("several"))
    assert (prepare(many, tmp_path, options(size=8, workers=0)) / "images.npy").is_file()


def decode_or_die(raw: Path, image_format: ImageFormat, entries: Sequence[decoding.Entry]) -> decoding.Decoded:
    """What a worker does whom the kernel kills for want of memory; in its process `decoding` is the unpatched one."""
    if any(entry.file == "200.png" for entry in entries):
        os.kill(os.getpid(), signal.SIGKILL)
    return decoding._decode_some(raw, image_format, entries)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_process_that_dies_is_told_and_what_is_done_is_kept(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(decoding, "_decode_some", decode_or_die)
    with pytest.raises(XrganError, match="was killed, probably for want of memory.*--workers 1"):
        prepare(many, tmp_path, options(size=8, workers=2))
    assert not (tmp_path / "many_8").exists()
    monkeypatch.undo()
    prepare(many, tmp_path, options(size=8, workers=2))
    assert "Going on where an earlier preparation was interrupted" in capsys.readouterr().err
    whole = prepare(many, tmp_path / "whole", options(size=8, workers=1))
    assert snapshot(tmp_path / "many_8").keys() == snapshot(whole).keys()
    assert (tmp_path / "many_8" / "images.npy").read_bytes() == (whole / "images.npy").read_bytes()
    assert (tmp_path / "many_8" / "index.csv").read_bytes() == (whole / "index.csv").read_bytes()


def test_an_image_that_fills_the_memory_is_skipped_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "read_resized", fill_the_memory)
    (decoded,) = decoding.decode_all(
        tmp_path, [decoding.Entry(file="a.png", mask="", boxes="")], ImageFormat(16, "pad", 1, "dicom", False), 1
    )
    assert [fact.reason for fact in decoded.facts] == ["it takes more memory than there is"]
