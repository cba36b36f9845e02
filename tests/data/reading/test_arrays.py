"""Arrays that are no picture format are read as the pictures that they hold."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.data.phantoms import PICTURE, deep
from xrgan.data.reading.arrays import read_array
from xrgan.data.reading.pictures import read_picture, read_values

DEEP = deep(12).astype(np.uint16)


def save(path: Path, values: NDArray[Any]) -> Path:
    np.save(path, values)
    return path


@pytest.mark.parametrize("values", [DEEP, DEEP[None], DEEP[None, None], DEEP[..., None], DEEP.astype(np.float32)])
def test_one_plane_of_any_type_is_a_picture(tmp_path: Path, values: NDArray[Any]) -> None:
    picture = read_picture(save(tmp_path / "a.npy", values), 1, "minmax")
    gray = read_picture(save(tmp_path / "b.npy", DEEP), 1, "minmax")
    assert np.array_equal(np.asarray(picture.image), np.asarray(gray.image)) and picture.kind == "NPY"


def test_8_bits_stay_as_they_are_and_colours_are_colours(tmp_path: Path) -> None:
    faint = (PICTURE // 4 + 90).astype(np.uint8)
    assert np.array_equal(np.asarray(read_picture(save(tmp_path / "a.npy", faint), 1, "minmax").image), faint)
    colours = np.stack([faint] * 3, axis=-1)
    assert np.array_equal(np.asarray(read_picture(save(tmp_path / "b.npy", colours), 3, "minmax").image), colours)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros((4, 20, 20)), "^has 4 slices$"),
        (np.zeros(9), "^holds no image$"),
        (np.zeros((0, 5)), "^holds no image$"),
        (np.array(["a"]), "^no NumPy array of numbers$"),
        (np.array([[None]]), "^no NumPy array of numbers$"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, values: NDArray[Any], reason: str) -> None:
    np.save(tmp_path / "a.npy", values, allow_pickle=True)
    with pytest.raises(ValueError, match=reason):
        read_picture(tmp_path / "a.npy", 1, "minmax")


def test_torn_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(save(tmp_path / "b.npy", DEEP).read_bytes()[:200])
    with pytest.raises(ValueError, match="no NumPy array"):
        read_array(tmp_path / "a.npy")


def test_a_label_map_keeps_its_values(tmp_path: Path) -> None:
    labels = np.arange(4).reshape(2, 2)
    assert np.array_equal(read_values(save(tmp_path / "a.npy", labels)), labels)


@pytest.mark.parametrize("ending", [".mha", ".nii", ".nii.gz", ".nrrd", ".mhd"])
def test_what_simpleitk_reads(tmp_path: Path, ending: str) -> None:
    simpleitk = pytest.importorskip("SimpleITK")
    for values in (DEEP, DEEP[None]):
        simpleitk.WriteImage(simpleitk.GetImageFromArray(values), str(tmp_path / f"a{ending}"))
        assert np.array_equal(read_array(tmp_path / f"a{ending}"), DEEP)
    simpleitk.WriteImage(simpleitk.GetImageFromArray(np.stack([DEEP] * 3)), str(tmp_path / f"b{ending}"))
    with pytest.raises(ValueError, match="^has 3 slices$"):
        read_array(tmp_path / f"b{ending}")
    (tmp_path / f"c{ending}").write_bytes(b"something else")
    with pytest.raises(ValueError, match="^no .* image$"):
        read_array(tmp_path / f"c{ending}")


def test_without_simpleitk_the_reason_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    (tmp_path / "a.mha").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"SimpleITK \(pip install 'xrgan\[volumes\]'\)"):
        read_picture(tmp_path / "a.mha", 1, "minmax")
