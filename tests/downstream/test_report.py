"""What a study leaves in its folder can be read: by people, by spreadsheets, by programs."""

import io
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.downstream.blobs import ALL_ARMS, QUICK, constructed, results_of, summarised, toy_dataset
from xrgan.downstream import report
from xrgan.downstream.classification import pictures
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.metrics import METRICS, score
from xrgan.downstream.classification.task import Classification
from xrgan.files import write_text

pytestmark = pytest.mark.slow

DATASET = toy_dataset(train=60, test=40)
POOL = gather(DATASET)
LABELS = POOL.strata
FOLDS = cut(POOL, 2, 0)
STRENGTHS = dict(zip(ALL_ARMS, (1.0, 1.5, 3.0, 3.5, 3.0, 1.0, 1.5, 0.5), strict=True))
TRIALS = constructed(POOL, FOLDS, STRENGTHS, fractions=(0.25, 1.0))
TASK = Classification(QUICK)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a study of all arms, two fractions and two folds."""
    wish = {"arms": ALL_ARMS, "fractions": (0.25, 1.0), "resamples": 20}
    summary = summarised(DATASET, POOL, FOLDS, QUICK.model_copy(update=wish), TRIALS)
    folder = tmp_path_factory.mktemp("report") / "classify"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pictures, "RESAMPLES", 5)
        report.write(TASK, results_of(POOL, FOLDS, TRIALS, folder), summary)
    return folder


def test_scores_has_a_row_a_training_with_the_figures_of_both_parts(folder: Path) -> None:
    text = (folder / "scores.csv").read_text()
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == len(ALL_ARMS) * 2 * 2 and len(table) == len(TRIALS)
    for (_, row), one in zip(table.iterrows(), TRIALS, strict=True):
        assert (row.arm, row.fraction, row.fold, row.seed) == one.key
        assert (row.n_real, row.n_synthetic, row.steps, row.best_epoch) == (one.n_real, one.n_synthetic, 8, 2)
        assert (row.validation_auroc, row.validation_balanced_accuracy) == (0.9, 0.8)
        on_test = score(LABELS[POOL.test], one.on_test)
        on_fold = score(LABELS[FOLDS[one.key.fold - 1].test], one.on_fold)
        for name in METRICS:
            assert row[name] == pytest.approx(on_test[name], abs=1e-12)
            assert row[f"fold_{name}"] == pytest.approx(on_fold[name], abs=1e-12)
    assert not table.isna().any().any()


def test_without_folds_there_are_no_columns_of_them() -> None:
    own = cut(POOL, 0, 0)
    table = report.scores(TASK, results_of(POOL, own, constructed(POOL, own, {"real": 1})))
    assert len(table) == 1 and not [name for name in table if str(name).startswith("fold_")]


def test_the_summary_is_plain_yaml_without_nan(folder: Path) -> None:
    text = (folder / "summary.yaml").read_text(encoding="utf-8")
    assert ".nan" not in text.lower() and ".inf" not in text.lower() and "!!" not in text
    summary = yaml.safe_load(text)
    assert len(summary["results"]) == 2 * len(ALL_ARMS) and len(summary["comparisons"]) == 2 * (len(ALL_ARMS) - 1)
    assert "synthetic→real" in text, "as people write it"


def test_the_report_names_every_arm_and_shows_every_picture(folder: Path) -> None:
    text = (folder / "report.md").read_text(encoding="utf-8")
    summary = yaml.safe_load((folder / "summary.yaml").read_text(encoding="utf-8"))
    assert summary["conclusion"] in text
    for arm in ALL_ARMS:
        assert f"| {arm} |" in text
    for said in (*summary["caveats"], *(one["sentence"] for one in summary["comparisons"])):
        assert f"- {said}" in text
    for label in METRICS.values():
        assert text.count(f"| {label} |") == 2, "a table a fraction"
    assert "25 %" in text and "100 %" in text
    assert "medical device" in text
    shown = re.findall(r"!\[.+?\]\((.+?)\)", text)
    assert sorted(shown) == sorted(file.name for file in folder.glob("*.png")) and len(shown) == 5
    assert DATASET.name in text and "20 patients" in text
    assert not re.search(r"\bnan\b|\bNone\b|np\.", text)


def test_tables_of_the_report_are_rectangles(folder: Path) -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", (folder / "report.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(tables) == 3
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
        assert re.fullmatch(r"\|( --- \|)+", table.splitlines()[1])


@pytest.mark.parametrize("k", [0, 2])
def test_one_arm_is_a_report_without_comparisons(tmp_path: Path, no_pictures: None, k: int) -> None:
    folds = cut(POOL, k, 0)
    config = QUICK.model_copy(update={"arms": ("real",), "k_folds": k, "resamples": 20})
    trials = constructed(POOL, folds, {"real": 1})
    summary = summarised(DATASET, POOL, folds, config, trials)
    report.write(TASK, results_of(POOL, folds, trials, tmp_path), summary)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "nothing is compared" in text and "## Comparisons\n\nNone." in text
    assert ("own split" in text) == (k == 0)
    assert not re.search(r"\bnan\b", text)
    assert yaml.safe_load((tmp_path / "summary.yaml").read_text(encoding="utf-8")) == summary


def test_the_summary_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_pictures: None) -> None:
    """Who finds it finds the rest whole."""

    def full_disk(path: Path, text: str) -> None:
        if path.name == "report.md":
            raise OSError("no space left")
        write_text(path, text)

    monkeypatch.setattr(report, "write_text", full_disk)
    own = cut(POOL, 0, 0)
    trials = constructed(POOL, own, {"real": 1})
    config = QUICK.model_copy(update={"arms": ("real",), "k_folds": 0, "resamples": 20})
    with pytest.raises(OSError, match="no space left"):
        summary = summarised(DATASET, POOL, own, config, trials)
        report.write(TASK, results_of(POOL, own, trials, tmp_path), summary)
    assert [file.name for file in tmp_path.iterdir()] == ["scores.csv"]


def test_a_class_of_any_name_stays_in_its_cell() -> None:
    assert report._row(["a|b", "two\nlines", "c\\"]) == "| a\\|b | two lines | c\\\\ |"


def test_a_class_of_any_name_makes_no_link_and_no_html() -> None:
    assert report._prose("NORMAL, p < 0.05 & `xrgan runs`") == "NORMAL, p < 0.05 & `xrgan runs`"
    assert report._prose("<img src=x>\n[a](b) &lt;") == "\\<img src=x> \\[a\\](b) \\&lt;"
