"""The reader study in a real browser: it is answered by keyboard, left, gone on with, and judged."""

from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import Open
from xrgan.readers.answers import read_answers
from xrgan.readers.choice import REAL, SYNTHETIC, Shown, read_key
from xrgan.readers.page import study_of, write_study
from xrgan.readers.statistics import summarise

pytestmark = pytest.mark.slow
N = 6


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    first, second = (np.random.default_rng(k).integers(0, 256, (N, 1, 64, 64), dtype=np.uint8) for k in (0, 1))
    shown = [Shown((REAL, SYNTHETIC)[k in (1, 2, 5)], "ab"[k % 2], k) for k in range(N)]
    write_study(folder, shown, first, second, ["a", "b"], of_phantoms=False)
    return folder


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_fault(study: Path, visit: Open, dark: bool) -> None:
    seen = visit(study / "readers.html", 360, 740, dark)
    assert seen.faults() == []
    seen.page.fill("#reader", "Anna")
    seen.page.click("#begin")
    assert seen.faults() == [] and seen.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_reader_who_knows_stops_goes_on_and_is_right(study: Path, visit: Open, tmp_path: Path) -> None:
    seen = visit(study / "readers.html")
    page, key = seen.page, read_key(study / "key.csv")
    page.fill("#reader", 'Anna "A", B')
    page.locator("#reader").press("Enter")
    for k in range(1, N + 1):
        assert page.locator("#now").inner_text() == str(k) and page.locator("#next").is_disabled()
        page.keyboard.press("r" if key.loc[k, "is"] == REAL else "s")
        page.keyboard.press("4")
        page.get_by_label(str(key.loc[k, "class"]), exact=True).check()
        page.locator("#next").press("Enter")
        if k == 3:  # closes the page, and comes back
            page.reload()
            assert "3 of 6 images are answered already" in page.locator("#kept").inner_text()
            page.click("#begin")
    with page.expect_download() as download:
        page.locator("#end .save").click()
    assert download.value.suggested_filename == "answers-Anna-A-B.csv"
    download.value.save_as(tmp_path / "answers.csv")
    study_id = study_of(study / "key.csv")
    found = summarise(read_answers([tmp_path / "answers.csv"], study_id, key), study_id)
    assert found["accuracy"]["value"] == 1 and found["readers"][0]["reader"] == 'Anna "A", B'
    assert found["readers"][0]["class_right"] == 1 and seen.trouble == []


def test_an_answer_can_be_changed(study: Path, visit: Open) -> None:
    page = visit(study / "readers.html", 360, 740).page
    page.fill("#reader", "Ben")
    page.click("#begin")
    for name in ("Real", "1 a guess", "b"):
        page.get_by_label(name, exact=True).check()
    page.click("#next")
    page.click("#back")
    assert page.get_by_label("Real", exact=True).is_checked() and page.get_by_label("b", exact=True).is_checked()
    page.get_by_label("Synthetic", exact=True).check()
    page.click("#next")
    page.click("#back")
    assert page.get_by_label("Synthetic", exact=True).is_checked()
