"""Simulated readers: who guesses is right by half, who knows always; and what is concluded of them."""

from pathlib import Path

import pytest

from tests.readers.cases import Reads, errs, guesses, knows, put_answers, put_key
from xrgan.readers.answers import read_answers
from xrgan.readers.choice import REAL, SYNTHETIC, read_key
from xrgan.readers.page import study_of
from xrgan.readers.statistics import Summary, summarise


def judged(folder: Path, *readers: Reads, n: int = 60) -> Summary:
    key = put_key(folder, n)
    files = [put_answers(key, f"reader{k}", reads) for k, reads in enumerate(readers)]
    return summarise(read_answers(files, study_of(key), read_key(key)), study_of(key))


def test_who_knows_is_always_right(tmp_path: Path) -> None:
    found = judged(tmp_path, knows)
    assert found["accuracy"]["value"] == 1 and found["accuracy"]["interval"][0] > 0.9
    assert found["roc"] is not None and found["roc"]["auc"] == 1 and found["agreement"] is None
    assert {name: one["value"] for name, one in found["per_class"].items()} == {"NORMAL": 1, "PNEUMONIA": 1}
    only = found["readers"][0]
    assert (only["found"], only["suspected"], only["auc"], only["class_right"]) == (1, 0, 1, 1)
    assert found["conclusion"].startswith("The reader told synthetic images from real ones more often than chance")


def test_who_guesses_is_right_by_half_within_the_interval(tmp_path: Path) -> None:
    held = []
    for seed in range(40):
        accuracy = judged(tmp_path / str(seed), guesses(seed))["accuracy"]
        held.append(accuracy["interval"][0] <= 0.5 <= accuracy["interval"][1])
    assert sum(held) >= 35  # 95 % of 40 is 38
    found = judged(tmp_path / "large", guesses(7), n=1000)
    assert found["accuracy"]["value"] == pytest.approx(0.5, abs=0.04)
    assert "It was not shown that the reader can tell" in found["conclusion"]
    assert "no proof that nobody can" in found["conclusion"]


def test_who_is_always_wrong_is_no_guesser(tmp_path: Path) -> None:
    found = judged(tmp_path, errs)
    assert found["accuracy"]["value"] == 0 and "more often than chance" in found["conclusion"]
    assert found["roc"] is not None and found["roc"]["auc"] == 0


def test_three_readers_agree_or_not(tmp_path: Path) -> None:
    same = judged(tmp_path / "same", knows, knows, knows)["agreement"]
    assert same == {"kappa": 1.0, "images": 60}
    other = judged(tmp_path / "other", guesses(1), guesses(2), guesses(3))
    assert other["agreement"] is not None and abs(other["agreement"]["kappa"] or 9) < 0.25
    assert other["conclusion"].startswith("It was not shown that 3 readers")

    def always(_: int, kind: str) -> tuple[str, int]:
        return REAL, 1

    assert judged(tmp_path / "always", always, always)["agreement"] == {"kappa": None, "images": 60}


def test_kappa_is_that_of_fleiss_example(tmp_path: Path) -> None:
    """Two readers, four images: a, b agree on three; κ by hand = (0.75 − 0.53125) / (1 − 0.53125)."""

    def first(k: int, kind: str) -> tuple[str, int]:
        return (SYNTHETIC if k in (1, 2) else REAL), 3

    def second(k: int, kind: str) -> tuple[str, int]:
        return (SYNTHETIC if k == 1 else REAL), 3

    agreement = judged(tmp_path, first, second, n=4)["agreement"]
    assert agreement is not None and agreement["kappa"] == pytest.approx((0.75 - 0.53125) / (1 - 0.53125))


def test_images_are_counted_once_however_many_read_them(tmp_path: Path) -> None:
    found = judged(tmp_path, knows, errs, n=100)
    assert found["accuracy"] == {"value": 0.5, "interval": pytest.approx([0.404, 0.596], abs=0.001), "n": 100}


def test_sureness_tells_more_than_the_answer(tmp_path: Path) -> None:
    """Somebody who always says synthetic, and more surely of synthetic images."""

    def says(k: int, kind: str) -> tuple[str, int]:
        return SYNTHETIC, 4 if kind == SYNTHETIC else 2

    found = judged(tmp_path, says)
    assert found["accuracy"]["value"] == 0.5 and found["roc"] is not None and found["roc"]["auc"] == 1


def test_what_was_left_open_is_said(tmp_path: Path) -> None:
    key = put_key(tmp_path)
    file = put_answers(key, "Anna", knows)
    file.write_text("\n".join(file.read_text(encoding="utf-8-sig").splitlines()[:21]))
    both = [file, put_answers(key, "Ben", knows)]
    found = summarise(read_answers(both, study_of(key), read_key(key)), study_of(key))
    assert "20 of 60 at least" in " ".join(found["caveats"]) and found["agreement"] is not None
    assert found["agreement"]["images"] == 20
