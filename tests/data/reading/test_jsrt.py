"""JSRT's raw files: no header, big-endian, 12 bits, inverted."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from xrgan.data.reading.jsrt import read_img


@pytest.fixture(scope="module")
def film() -> NDArray[np.uint16]:
    return np.random.default_rng(0).integers(0, 4096, (2048, 2048), dtype=np.uint16)


def test_a_raw_file_of_jsrt(tmp_path: Path, film: NDArray[np.uint16]) -> None:
    path = tmp_path / "JPCLN001.IMG"
    path.write_bytes((4095 - film).astype(">u2").tobytes())
    got = read_img(path)
    assert got.dtype == np.uint16 and got.dtype.isnative
    np.testing.assert_array_equal(got, film)


def test_raw_files_that_are_not_jsrts(tmp_path: Path, film: NDArray[np.uint16]) -> None:
    path = tmp_path / "a.img"
    content = (4095 - film).astype(">u2").tobytes()
    for size in (0, 100, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match=f"^has {size} bytes, a raw file of JSRT 8388608$"):
            read_img(path)
    path.write_bytes((4095 - film).astype("<u2").tobytes())
    with pytest.raises(ValueError, match="more than 12 bits"):
        read_img(path)
