"""`xrgan report`: where the page lands, what makes it anew, and that a public one shows no patient."""

import webbrowser
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.patients import traces_of_patients
from tests.report.cases import put_run
from tests.report.pages import Page
from tests.terminal import Terminal, words
from xrgan.data.images import Pixels, save_png
from xrgan.data.packed import open_packed
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def pictures_as_zip(file: Path) -> Path:
    """What stands in a page, as the search for patients reads it: the page, and each picture as a file."""
    page, archive = Page(file.read_text(encoding="utf-8")), file.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("page.html", page.html)
        for k, (kind, content) in enumerate(page.pictures()):
            opened.writestr(f"{k}.{kind.partition('/')[2]}", content)
    return archive


def test_the_page_lies_in_the_run(type_: Terminal, run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(opened.append(address)))
    answer = type_("report --open")
    assert answer.out.strip() == "runs/mine/report.html" and "open the file by hand" in words(answer.err)
    assert opened == [(run.path / "report.html").resolve().as_uri()]
    assert "<h1>mine</h1>" in (run.path / "report.html").read_text()
    type_("report mine --out elsewhere.html -q")
    assert Path("elsewhere.html").is_file()


def test_several_runs_lie_beside_them(type_: Terminal) -> None:
    for name in ("a", "b"):
        put_run(type_.folder / "runs", name)
    assert type_("report a b").out.strip() == "runs/report.html"
    assert "2 runs side by side" in Path("runs/report.html").read_text()
    assert "named twice" in words(type_("report a runs/a", code=2).err)
    assert "is a folder" in words(type_("report a --out runs", code=2).err)
    assert "There is no run" in words(type_("report nobody", code=1).err)


def test_it_is_written_anew_by_what_changes_the_run(type_: Terminal, run: RunDir) -> None:
    type_("evaluate --ssim --device cpu --n 8")
    assert not (run.path / "report.html").exists()
    type_("report")
    page = (run.path / "report.html").read_text()
    type_("evaluate --ssim --device cpu --n 6")
    again = (run.path / "report.html").read_text()
    assert "SSIM within the set" in page and again != page
    type_("resume --epochs 3 --device cpu")
    assert "--set=train.epochs=3" in (run.path / "report.html").read_text()
    run.classify.mkdir()
    (run.classify / "summary.yaml").write_text("comparisons: [1]\n")
    answer = type_("evaluate --ssim --device cpu --n 5")
    assert "was not written anew" in words(answer.err)
    assert "not as xrgan writes it" in words(type_("report", code=1).err)


def test_a_public_page_shows_no_patient_even_where_one_lies_among_the_synthetic(type_: Terminal, run: RunDir) -> None:
    dataset = open_packed(Path("data/prepared/tiny"))
    type_("sample --run mine -n 4 --device cpu")
    for place in (run.synthetic / "synthetic_00002.png", run.samples / "epoch_0009.png"):
        save_png(place, np.asarray(dataset.images[0, :1]))
    type_("report mine")
    assert traces_of_patients(pictures_as_zip(run.path / "report.html"), dataset.images) != []
    answer = type_("report mine --public")
    assert answer.out.strip() == "runs/mine/report-public.html"
    assert traces_of_patients(pictures_as_zip(run.path / "report-public.html"), dataset.images) == []
    assert "Synthetic X-ray" in (run.path / "report-public.html").read_text()


@pytest.mark.real
@pytest.mark.slow
def test_a_public_page_of_a_run_on_real_x_rays_holds_no_patient(
    type_: Terminal, real_patients: tuple[Pixels, list[str]]
) -> None:
    type_("evaluate --ssim --n 12 --device cpu")
    type_("report real --public")
    page = pictures_as_zip(Path("runs/real/report-public.html"))
    assert traces_of_patients(page, *real_patients) == []
