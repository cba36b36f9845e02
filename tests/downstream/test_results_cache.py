"""A training's result comes back as it was, or is computed again: never torn, never another one's."""

from pathlib import Path

import numpy as np
import pytest

from tests.downstream.blobs import HISTORY
from xrgan.downstream.classification.classifier import Epoch
from xrgan.downstream.classification.comparison import Outcome
from xrgan.downstream.results_cache import FOLDER, digest_of, find, keep
from xrgan.downstream.trial import TrialKey, trial_from

ABOUT = {"place": ["synthetic→real", 0.1, 3, 2], "history": {"epochs": [0.1 + 0.2, 1e-17]}, "none": None}
ARRAYS = {"on_test": np.random.default_rng(0).random((5, 2)), "on_fold": np.empty((0, 2))}


def file_of(folder: Path) -> Path:
    (file,) = (folder / FOLDER).iterdir()
    return file


def same(folder: Path, digest: str) -> bool:
    """Whether what is found is what was kept, bit for bit."""
    found = find(folder, digest)
    assert found
    return found.about == ABOUT and all(
        found.arrays[name].dtype == array.dtype and np.array_equal(found.arrays[name], array)
        for name, array in ARRAYS.items()
    )


def test_it_comes_back_bit_for_bit(tmp_path: Path) -> None:
    assert find(tmp_path, "abc") is None
    keep(tmp_path, "abc", ABOUT, ARRAYS)
    assert same(tmp_path, "abc")
    assert find(tmp_path, "abd") is None
    assert [file.name for file in (tmp_path / FOLDER).iterdir()] == ["abc.npz"]


def test_a_training_comes_back_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    outcome = Outcome(
        TrialKey("synthetic→real", 0.05, 4, 2), 31, 17, HISTORY, rng.random((7, 3)), rng.random((0, 3)), 1.25
    )
    keep(tmp_path, "abc", outcome.about(), outcome.arrays())
    found = find(tmp_path, "abc")
    assert found
    again = trial_from(found, Epoch)
    assert (again.place, again.n_real, again.n_synthetic, again.history, again.seconds) == (
        outcome.place,
        31,
        17,
        HISTORY,
        1.25,
    )
    assert isinstance(again.place, TrialKey) and isinstance(again.history.kept, Epoch)
    assert np.array_equal(again.on_test, outcome.on_test) and again.on_fold.shape == (0, 3)


def test_what_is_torn_is_not_there(tmp_path: Path) -> None:
    keep(tmp_path, "abc", ABOUT, ARRAYS)
    file = file_of(tmp_path)
    whole = file.read_bytes()
    for end in range(0, len(whole), 7):
        file.write_bytes(whole[:end])
        assert find(tmp_path, "abc") is None, f"the first {end} of {len(whole)} bytes"
    file.write_bytes(b"")
    assert find(tmp_path, "abc") is None
    file.unlink()
    file.mkdir()
    assert find(tmp_path, "abc") is None


@pytest.mark.parametrize("part", range(4))
def test_what_a_disk_spoiled_is_not_there_either(tmp_path: Path, part: int) -> None:
    """Whichever byte is wrong: the file is as good as before, or none."""
    keep(tmp_path, "abc", ABOUT, ARRAYS)
    file = file_of(tmp_path)
    whole = file.read_bytes()
    for place in range(part, len(whole), 4):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0xFF
        file.write_bytes(spoiled)
        try:
            found = find(tmp_path, "abc")
        except Exception as error:
            raise AssertionError(f"byte {place} of {len(whole)}: {type(error).__name__}: {error}") from error
        # The names of the arrays alone have no checksum in a ZIP file.
        assert found is None or found.arrays.keys() != ARRAYS.keys() or same(tmp_path, "abc")


def test_a_file_of_another_kind_is_not_there(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    for content in ({"about": np.array("{")}, {"on_test": np.zeros(2)}, {"about": np.array([{}], dtype=object)}):
        np.savez(tmp_path / FOLDER / "abc.npz", **content)
        assert find(tmp_path, "abc") is None


def test_the_name_tells_everything_that_decides_apart() -> None:
    place = TrialKey("real", 1.0, 0, 1)
    base = {"dataset": "abc", "config": {"lr": 0.1, "epochs": 3}, "place": place}
    assert digest_of(**base) == digest_of(place=place, config={"epochs": 3, "lr": 0.1}, dataset="abc")
    others = [
        base | {"dataset": "abd"},
        base | {"config": {"lr": 0.1, "epochs": 4}},
        base | {"config": {"lr": 0.1}},
        *(base | {"place": place._replace(**change)} for change in ({"fraction": 0.5}, {"seed": 2}, {"fold": 1})),
        base | {"synthetic": ""},
    ]
    assert len({digest_of(**one) for one in [base, *others]}) == 1 + len(others)
