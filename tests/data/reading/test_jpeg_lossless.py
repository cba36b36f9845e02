"""JPEG Lossless and JPEG-LS frames: right, or refused; and whatever gdcm does then, it does elsewhere."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame

from tests.data.dicom_files import write
from tests.data.phantoms import PICTURE, deep
from xrgan.data.reading import jpeg_lossless
from xrgan.data.reading.dicom import read_dicom

pytestmark = pytest.mark.slow

SYNTAXES = ["JPEG Lossless", "JPEG Lossless 14", "JPEG-LS"]
HEADER = {"rows": 64, "columns": 60, "samples": 1}


def encoded(folder: Path, syntax: str, pixels: NDArray[Any], **options: Any) -> tuple[bytes, str]:
    """The frame, and the UID of its transfer syntax."""
    dataset = pydicom.dcmread(write(folder / "encoded.dcm", pixels, syntax=syntax, **options))
    return get_frame(dataset.PixelData, 0, number_of_frames=1), str(dataset.file_meta.TransferSyntaxUID)


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_bit_comes_back(tmp_path: Path, syntax: str) -> None:
    frame, uid = encoded(tmp_path, syntax, deep(12))
    values = np.frombuffer(jpeg_lossless.decode(frame, uid, **HEADER), "<u2").reshape(64, 60)
    np.testing.assert_array_equal(values, deep(12))
    frame, uid = encoded(tmp_path, syntax, PICTURE, bits=8)
    assert jpeg_lossless.decode(frame, uid, **HEADER) == PICTURE.tobytes()


def test_a_frame_with_other_segments_and_fill_bytes_before_its_header(tmp_path: Path) -> None:
    frame, uid = encoded(tmp_path, "JPEG Lossless", deep(12))
    comment = b"\xff\xfe\x00\x04\xff\xc3"  # says what looks like a frame header
    values = jpeg_lossless.decode(frame[:2] + comment + b"\xff\xff" + frame[2:], uid, **HEADER)
    np.testing.assert_array_equal(np.frombuffer(values, "<u2").reshape(64, 60), deep(12))


@pytest.mark.parametrize("header", [{"BitsAllocated": 16}, {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}])
def test_a_header_of_more_bits_than_the_frame(tmp_path: Path, header: dict[str, int]) -> None:
    dataset = pydicom.dcmread(write(tmp_path / "a.dcm", PICTURE, bits=8, syntax="JPEG Lossless"))
    dataset.update(header)
    dataset.save_as(tmp_path / "b.dcm")
    np.testing.assert_array_equal(read_dicom(tmp_path / "b.dcm", "dicom"), PICTURE)


def test_colours_come_interleaved_whatever_the_header_says(tmp_path: Path) -> None:
    file = get_testdata_file("SC_rgb_jpeg_gdcm.dcm", download=False)
    dataset = pydicom.dcmread(file)
    dataset.PlanarConfiguration = 1
    dataset.save_as(tmp_path / "b.dcm")
    np.testing.assert_array_equal(read_dicom(tmp_path / "b.dcm", "dicom"), read_dicom(Path(str(file)), "dicom"))


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("wrong", [{"rows": 32}, {"columns": 64}, {"rows": 60, "columns": 64}, {"samples": 3}])
def test_a_frame_of_another_shape_than_the_header_says_is_refused(
    tmp_path: Path, syntax: str, wrong: dict[str, int]
) -> None:
    frame, uid = encoded(tmp_path, syntax, deep(12))
    with pytest.raises(ValueError, match="not as the header says"):
        jpeg_lossless.decode(frame, uid, **HEADER | wrong)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_a_frame_cut_short_is_refused(tmp_path: Path, syntax: str, share: float) -> None:
    frame, uid = encoded(tmp_path, syntax, deep(12))
    with pytest.raises(ValueError):
        jpeg_lossless.decode(frame[: round(share * len(frame))], uid, **HEADER)


def test_pixels_that_gdcm_made_up_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A hole in the middle of a frame: gdcm goes on with gray of its own and says so on stderr only."""
    frame, uid = encoded(tmp_path, "JPEG Lossless", deep(12))
    middle = len(frame) // 2
    with pytest.raises(ValueError, match="torn"):
        jpeg_lossless.decode(frame[:middle] + frame[-2:], uid, **HEADER)
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_crash_of_gdcm_is_one_torn_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = tmp_path / "crash.py"
    crashing.write_text("import os, signal; os.kill(os.getpid(), signal.SIGABRT)")
    monkeypatch.setattr(jpeg_lossless, "__file__", str(crashing))
    frame, uid = encoded(tmp_path, "JPEG Lossless", deep(12))
    with pytest.raises(ValueError, match="torn"):
        jpeg_lossless.decode(frame, uid, **HEADER)


def test_too_few_pixels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tmp_path / "short.py"
    short.write_text("import sys; sys.stdout.write('1234')")
    monkeypatch.setattr(jpeg_lossless, "__file__", str(short))
    frame, uid = encoded(tmp_path, "JPEG Lossless", deep(12))
    with pytest.raises(ValueError, match="not as the header says"):
        jpeg_lossless.decode(frame, uid, **HEADER)


def test_a_frame_that_takes_for_ever_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeping = tmp_path / "sleep.py"
    sleeping.write_text("import time; time.sleep(60)")
    file = write(tmp_path / "a.dcm", deep(12), syntax="JPEG Lossless")
    monkeypatch.setattr(jpeg_lossless, "__file__", str(sleeping))
    monkeypatch.setattr(jpeg_lossless, "_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"^its pixels can't be decoded \(JPEG Lossless"):
        read_dicom(file, "dicom")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8", b"\xff\xd8\xff\xff\xff\xff", bytes(100), b"\xff\xd8" * 50])
def test_what_is_no_such_frame(frame: bytes) -> None:
    with pytest.raises(ValueError, match="no JPEG Lossless or JPEG-LS frame"):
        jpeg_lossless.decode(frame, "1.2.840.10008.1.2.4.70", **HEADER)


def test_damaged_frames_end_in_pixels_or_value_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(0)
    for syntax in ("JPEG Lossless", "JPEG-LS"):
        frame, uid = encoded(tmp_path, syntax, deep(12))
        for _ in range(12):
            damaged = bytearray(frame)
            damaged[random.integers(20, 100)] = random.integers(256)
            damaged[random.integers(len(frame))] = random.integers(256)
            try:
                assert len(jpeg_lossless.decode(bytes(damaged), uid, **HEADER)) == 2 * PICTURE.size
            except ValueError as error:
                assert str(error)
    assert tuple(capfd.readouterr()) == ("", "")


def test_gdcm_leaves_pythons_zlib_alone() -> None:
    """gdcm loaded before zlib makes Python crash: whoever imports dicom.py first must be safe."""
    check = (
        "import xrgan.data.reading.dicom, pydicom.pixels.decoders.gdcm, zlib, sys; "
        "deflate = zlib.compressobj(wbits=-15); packed = deflate.compress(bytes(9999)) + deflate.flush(); "
        "sys.exit(zlib.decompressobj(-15).decompress(packed) != bytes(9999))"
    )
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
