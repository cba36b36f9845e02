from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.errors import XrganError
from xrgan.readers.choice import REAL, SYNTHETIC, Shown, choose, read_key, write_key

CLASSES = ("NORMAL", "PNEUMONIA")


def test_of_each_class_as_many_are_real_as_synthetic() -> None:
    real, synthetic = np.repeat([0, 1], [40, 90]), np.repeat([0, 1], [50, 50])
    shown = choose(real, np.arange(130), synthetic, CLASSES, 60, seed=0)
    assert Counter((one.is_, one.label) for one in shown) == {
        (kind, label): 15 for kind in (REAL, SYNTHETIC) for label in CLASSES
    }
    assert all(CLASSES[(real if one.is_ == REAL else synthetic)[one.number]] == one.label for one in shown)
    kinds = [one.is_ for one in shown]
    assert kinds != sorted(kinds) and kinds != sorted(kinds, reverse=True)
    assert shown == choose(real, np.arange(130), synthetic, CLASSES, 60, seed=0)
    assert shown != choose(real, np.arange(130), synthetic, CLASSES, 60, seed=1)


def test_no_patient_is_shown_twice() -> None:
    patients = np.arange(40) // 4
    shown = choose(np.zeros(40, int), patients, np.zeros(40, int), CLASSES, 60, seed=0)
    of_real = [patients[one.number] for one in shown if one.is_ == REAL]
    assert len(of_real) == len(set(of_real)) == 10 and len(shown) == 20


def test_without_labels_classes_play_no_part() -> None:
    shown = choose(np.zeros(10, int), np.arange(10), np.full(10, -1), CLASSES, 10, seed=0)
    assert len(shown) == 10 and {one.label for one in shown} == {""}


@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=60),
    st.lists(st.integers(0, 2), min_size=2, max_size=60),
    st.integers(4, 60),
)
def test_whatever_is_there_both_sides_are_alike(real: list[int], synthetic: list[int], n: int) -> None:
    try:
        shown = choose(np.array(real), np.arange(len(real)), np.array(synthetic), "abc", n, seed=0)
    except XrganError:
        return
    assert len(shown) <= n and len({(one.is_, one.number) for one in shown}) == len(shown)
    counts = Counter((one.is_, one.label) for one in shown)
    assert all(counts[REAL, label] == counts[SYNTHETIC, label] for label in "abc")


def test_too_few_images_are_no_test() -> None:
    with pytest.raises(XrganError, match="too few"):
        choose(np.array([0]), np.array([0]), np.array([0, 1]), CLASSES, 60, seed=0)


def test_a_key_is_read_back_and_checked(tmp_path: Path) -> None:
    write_key(tmp_path / "key.csv", [Shown(REAL, "a, b", 4), Shown(SYNTHETIC, "", 0)])
    key = read_key(tmp_path / "key.csv")
    assert list(key["is"]) == [REAL, SYNTHETIC] and list(key["class"]) == ["a, b", ""] and list(key.index) == [1, 2]
    for torn in ("", "image,is\n1,real\n", "image,is,class,number\n2,real,,1\n", "image,is,class,number\n1,maybe,,1\n"):
        (tmp_path / "key.csv").write_text(torn)
        with pytest.raises(XrganError, match="damaged"):
            read_key(tmp_path / "key.csv")
    with pytest.raises(XrganError, match="no key"):
        read_key(tmp_path / "none.csv")
