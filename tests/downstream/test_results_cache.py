"""A training's result comes back as it was, or is computed again: never torn, never another one's."""

from pathlib import Path

import numpy as np
import pytest

from xrgan.downstream.results_cache import FOLDER, digest, load, store
from xrgan.downstream.trial import TrialKey

ABOUT = {"place": ["synthetic→real", 0.1, 3, 2], "history": {"epochs": [0.1 + 0.2, 1e-17]}, "none": None}
ARRAYS = {"on_test": np.random.default_rng(0).random((5, 2)), "on_fold": np.empty((0, 2))}


def file_of(folder: Path) -> Path:
    (file,) = (folder / FOLDER).iterdir()
    return file


def same(folder: Path, name: str) -> bool:
    """Whether what is found is what was kept, bit for bit."""
    found = load(folder, name)
    assert found
    return found.about == ABOUT and all(
        found.arrays[name].dtype == array.dtype and np.array_equal(found.arrays[name], array)
        for name, array in ARRAYS.items()
    )


def test_it_comes_back_bit_for_bit(tmp_path: Path) -> None:
    assert load(tmp_path, "abc") is None
    store(tmp_path, "abc", ABOUT, ARRAYS)
    assert same(tmp_path, "abc")
    assert load(tmp_path, "abd") is None
    assert [file.name for file in (tmp_path / FOLDER).iterdir()] == ["abc.npz"]


def test_what_is_torn_is_not_there(tmp_path: Path) -> None:
    store(tmp_path, "abc", ABOUT, ARRAYS)
    file = file_of(tmp_path)
    whole = file.read_bytes()
    for end in range(0, len(whole), 7):
        file.write_bytes(whole[:end])
        assert load(tmp_path, "abc") is None, f"the first {end} of {len(whole)} bytes"
    file.write_bytes(b"")
    assert load(tmp_path, "abc") is None
    file.unlink()
    file.mkdir()
    assert load(tmp_path, "abc") is None


@pytest.mark.parametrize("part", range(4))
def test_what_a_disk_spoiled_is_not_there_either(tmp_path: Path, part: int) -> None:
    """Whichever byte is wrong: the file is as good as before, or none."""
    store(tmp_path, "abc", ABOUT, ARRAYS)
    file = file_of(tmp_path)
    whole = file.read_bytes()
    for place in range(part, len(whole), 4):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0xFF
        file.write_bytes(spoiled)
        try:
            found = load(tmp_path, "abc")
        except Exception as error:
            raise AssertionError(f"byte {place} of {len(whole)}: {type(error).__name__}: {error}") from error
        # The names of the arrays alone have no checksum in a ZIP file.
        assert found is None or found.arrays.keys() != ARRAYS.keys() or same(tmp_path, "abc")


def test_a_file_of_another_kind_is_not_there(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for content in ({"about": np.array("{")}, {"on_test": np.zeros(2)}, {"about": np.array([{}], dtype=object)}):
        np.savez(tmp_path / FOLDER / "abc.npz", **content)
        assert load(tmp_path, "abc") is None


def test_the_name_tells_everything_that_decides_apart() -> None:
    key = TrialKey("real", 1.0, 0, 1)
    base = {"dataset": "abc", "config": {"lr": 0.1, "epochs": 3}, "place": key}
    assert digest(**base) == digest(place=key, config={"epochs": 3, "lr": 0.1}, dataset="abc")
    others = [
        base | {"dataset": "abd"},
        base | {"config": {"lr": 0.1, "epochs": 4}},
        base | {"config": {"lr": 0.1}},
        *(base | {"place": key._replace(**change)} for change in ({"fraction": 0.5}, {"seed": 2}, {"fold": 1})),
        base | {"synthetic": ""},
    ]
    assert len({digest(**one) for one in [base, *others]}) == 1 + len(others)
