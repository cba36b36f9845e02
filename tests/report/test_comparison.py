from pathlib import Path

from tests.report.cases import put_run, sources_of
from tests.report.pages import Page
from xrgan.report.comparison import columns, comparison_page, row, same_comparison
from xrgan.rundir import RunDir


def test_runs_stand_side_by_side(tmp_path: Path) -> None:
    sources = [sources_of(put_run(tmp_path, name)) for name in ("exp1", "<script>exp2")]
    page = Page(comparison_page(sources))
    assert "2 runs side by side" in page.text and page.text.count("Is it any good?") >= 2
    assert len(page.all("script")) == 1 and "<script>exp2" in page.text
    assert [image["alt"] for image in page.all("img")] == [
        f"Synthetic X-rays of {name} after epoch 3, from the same latents" for name in ("exp1", "<script>exp2")
    ]


def test_a_row_has_a_cell_for_each_column(tmp_path: Path) -> None:
    line = dict(zip(columns(), row(sources_of(put_run(tmp_path))), strict=True))
    assert line["run"] == "exp1" and line["FID"] == "90.2" and line["FID, real"] == "60.5" and line["copies"] == "5.0 %"
    assert "nothing shown" in line["studies"] and line["readers"] == "–"
    old = RunDir(tmp_path / "old")
    old.path.mkdir()
    old.config_file.write_text("dataset: tiny\n")
    assert row(sources_of(old))[4:].count("–") == len(columns()) - 4


def test_scores_of_other_images_do_not_compare(tmp_path: Path) -> None:
    first, second = put_run(tmp_path, "a"), put_run(tmp_path, "b")
    assert same_comparison([sources_of(run).facts for run in (first, second)])
    environment = second.read_environment()
    environment["dataset"]["content_hash"] = "cd" * 32
    second.write_environment(environment)
    assert not same_comparison([sources_of(run).facts for run in (first, second)])
    assert "their FIDs don't compare" in comparison_page([sources_of(run) for run in (first, second)])
