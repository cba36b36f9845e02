"""Reports in a real browser: nothing is loaded, all can be reached, read and printed."""

import re
from pathlib import Path

import pytest

from tests.browser.conftest import PATIENCE, Open
from tests.report.cases import put_images, put_run, sources_of
from xrgan.report.comparison import comparison_page
from xrgan.report.page import run_page

pytestmark = pytest.mark.slow
EVIL = "<script>alert(1)<∕script><b title='x"
A4, A4_ACROSS = 688, 1017  # CSS pixels between its margins of 14 mm
BROKEN = "[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt)"
WORDS = "[...document.querySelectorAll('#answers .words')].map(e => e.getBoundingClientRect().bottom)"
CUT = """[...document.querySelectorAll('table, figure, pre, .box, .answers')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run with a malicious name and five thousand samples."""
    folder = tmp_path_factory.mktemp("runs")
    run = put_run(folder, EVIL, images=0, size=64)
    put_images(run, 5000, 64, masks=False)
    put_images(run, 24, 64, masks=True)
    rows = "".join(f"synthetic_{k:05d}.png,0,{('NORMAL', 'PNEUMONIA')[k % 2]}\n" for k in range(1, 5001))
    (run.synthetic / "index.csv").write_text("file,seed,label\n" + rows)
    (folder / "report.html").write_text(run_page(sources_of(run)), encoding="utf-8")
    return folder / "report.html"


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    sources = [sources_of(put_run(folder, name)) for name in ("exp1", EVIL)]
    (folder / "report.html").write_text(comparison_page(sources), encoding="utf-8")
    return folder / "report.html"


def test_it_loads_at_once_whole_and_alone(report: Path, visit: Open) -> None:
    assert report.stat().st_size < 15e6
    seen = visit(report)
    assert seen.seconds() < 2
    assert seen.page.evaluate(BROKEN) == [] and seen.trouble == []
    assert seen.page.locator("h1").inner_text() == EVIL


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1600, 900)])
def test_the_first_screen_answers_and_nothing_is_wider_than_it(
    report: Path, visit: Open, width: int, height: int
) -> None:
    seen = visit(report, width, height)
    assert len(bottoms := seen.page.evaluate(WORDS)) == 3 and max(bottoms) < height
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_fault(report: Path, two_runs: Path, visit: Open, dark: bool) -> None:
    for file, width in ((report, 1600), (two_runs, 360)):
        seen = visit(file, width, dark=dark)
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert seen.faults() == []


def test_the_slider_moves_by_keyboard(report: Path, visit: Open) -> None:
    page = visit(report).page
    shown = page.locator(".slides img:visible")
    assert "epoch 3" in shown.get_attribute("alt")
    page.locator("#epoch").press("ArrowLeft")
    assert shown.count() == 1 and "epoch 1" in shown.get_attribute("alt")
    assert page.locator(".slider output").inner_text() == "epoch 1"


def test_tables_sort_by_numbers_and_by_words(report: Path, visit: Open) -> None:
    page = visit(report).page
    table = page.locator("#scores table").first
    heads, value = table.locator("th button"), "tbody tr td:nth-child(2)"
    heads.nth(1).click()
    figures = [float(text) for text in table.locator(value).all_inner_texts() if "%" not in text]
    assert figures == sorted(figures) and len(figures) > 3
    assert table.locator("th").nth(1).get_attribute("aria-sort") == "ascending"
    heads.nth(1).press("Enter")
    figures = [float(text) for text in table.locator(value).all_inner_texts() if "%" not in text]
    assert figures == sorted(figures, reverse=True)
    heads.first.click()
    words = table.locator("tbody th").all_inner_texts()
    assert words == sorted(words, key=str.casefold) and table.locator("th[aria-sort]").count() == 1


def test_a_picture_is_enlarged_and_left_by_keyboard(report: Path, visit: Open) -> None:
    from playwright.sync_api import expect

    seen = visit(report)
    first, dialog = seen.page.locator(".gallery button").first, seen.page.locator("dialog")
    first.press("Enter")
    assert dialog.is_visible() and "synthetic_00002" in dialog.locator("p").inner_text()
    seen.page.keyboard.press("ArrowRight")
    assert "synthetic_00004" in dialog.locator("img").get_attribute("alt")
    assert seen.faults() == []
    seen.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden(timeout=PATIENCE)
    # The dialog's close event, which moves the focus, comes a task after the dialog is gone: expect waits for it.
    focused = seen.page.locator("button:focus img")
    expect(focused).to_have_attribute("alt", re.compile("synthetic_00004"), timeout=PATIENCE)
    assert seen.trouble == []


def test_figures_are_read_by_pointer_and_by_arrow_keys(report: Path, visit: Open) -> None:
    from playwright.sync_api import expect

    page = visit(report).page
    figure = page.locator("#training figure").first
    figure.locator("svg[role=img]").hover()
    expect(figure.locator("output")).to_have_text("epoch 2 · discriminator 0.55 · generator 1.3", timeout=PATIENCE)
    figure.press("ArrowRight")
    expect(figure.locator("output")).to_have_text("epoch 3 · discriminator 0.3667 · generator 1.3")


def test_paper_cuts_nothing_off_and_folds_nothing(report: Path, two_runs: Path, visit: Open) -> None:
    for file, width in ((report, A4), (two_runs, A4_ACROSS)):
        page = visit(file, width, 980, dark=True).page
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        assert page.evaluate(CUT) == []
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("details[open]").count() == 0
        assert page.pdf(format="A4", prefer_css_page_size=True).startswith(b"%PDF")


def test_two_runs_stand_side_by_side(two_runs: Path, visit: Open) -> None:
    seen = visit(two_runs, 360, 740)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360
    names = seen.page.locator("#table tbody th")
    before = names.all_inner_texts()
    seen.page.locator("#table th button").first.click()
    seen.page.locator("#table th button").first.click()
    assert sorted(names.all_inner_texts()) == sorted(before) and names.all_inner_texts() == sorted(before, reverse=True)
    assert seen.page.evaluate(BROKEN) == [] and seen.trouble == []
