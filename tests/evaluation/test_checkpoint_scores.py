"""Scores of checkpoints: their rows on disk, the best of them, and the distances themselves."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.evaluation.checkpoint_rows import row
from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_scores
from xrgan.evaluation.extractors import Extractor, custom


@pytest.fixture
def toy() -> Extractor:
    """A network that sees the mean of each quarter of an image: four features."""

    def network(images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images.float().mean(dim=1, keepdim=True), 2).flatten(1) / 255

    return custom("toy", "1", 4, network, "cpu", channels=1)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [row(20, kid=0.123456), row(10, n=7), row(10, split="test")]
    checkpoint_scores.write(tmp_path, rows)
    assert checkpoint_scores.read(tmp_path) == [rows[2], rows[1], rows[0]]
    assert checkpoint_scores.read(tmp_path / "nowhere") == []


def test_of_two_scores_of_a_checkpoint_the_later_one_counts_in_each_setting(tmp_path: Path) -> None:
    checkpoint_scores.write(tmp_path, [row(10, kid=0.5), row(10, kid=0.4, n=7), row(10, kid=0.3)])
    assert {(found.n, found.kid) for found in checkpoint_scores.read(tmp_path)} == {(50, 0.3), (7, 0.4)}


@pytest.mark.parametrize("text", [b"a,b\n1,2\n", b"checkpoint,epoch\nx\n", b"\xff\xfe", b"checkpoint,epoch\ns,one\n"])
def test_a_damaged_table_is_one_sentence(tmp_path: Path, text: bytes) -> None:
    (tmp_path / checkpoint_scores.TABLE).write_bytes(text)
    with pytest.raises(XrganError, match=r"over_time.csv is damaged.*Move it away"):
        checkpoint_scores.read(tmp_path)


@pytest.mark.parametrize(("column", "cell"), [("n", "0.5"), ("step", "x"), ("kid", "low"), ("seed", ""), ("fid", "²")])
def test_a_cell_that_is_no_number_is_named(tmp_path: Path, column: str, cell: str) -> None:
    checkpoint_scores.write(tmp_path, [row(10), row(20)])
    file = tmp_path / checkpoint_scores.TABLE
    header, first, second = file.read_text().splitlines()
    cells = second.split(",")
    cells[header.split(",").index(column)] = cell
    file.write_text("\n".join([header, first, ",".join(cells)]))
    with pytest.raises(
        XrganError, match=rf"over_time.csv is damaged: line 3's {column} is '{cell}', no (whole )?number\."
    ):
        checkpoint_scores.read(tmp_path)


def test_a_run_that_goes_on_forgets_what_lies_behind_its_checkpoint(tmp_path: Path) -> None:
    checkpoint_scores.write(tmp_path, [row(10), row(20), row(20, n=7), row(30)])
    checkpoint_scores.forget_after(tmp_path, 20)
    assert [found.step for found in checkpoint_scores.read(tmp_path)] == [10, 20, 20]
    checkpoint_scores.forget_after(tmp_path / "nowhere", 20)
    assert not (tmp_path / "nowhere").exists()


def test_the_best_has_the_least_kid_of_those_that_are_there() -> None:
    rows = [row(10, kid=0.2), row(20, kid=0.1), row(30, kid=0.1), row(40, kid=float("nan"))]
    assert checkpoint_scores.best(rows, {10, 20, 30, 40}) == rows[1]
    assert checkpoint_scores.best(rows, {10, 30}) == rows[2]
    assert checkpoint_scores.best(rows, {40}) is None
    assert checkpoint_scores.best([], {10}) is None


def test_a_checkpoint_that_lost_variety_is_not_the_best() -> None:
    rows = [row(10, kid=0.3, coverage=0.2), row(20, kid=0.2, coverage=0.6), row(30, kid=0.1, coverage=0.3)]
    assert checkpoint_scores.best(rows, {10, 20, 30}) == rows[1]
    assert checkpoint_scores.best(rows, {10, 30}) == rows[2]
    alike = [row(10, kid=0.2, coverage=0.60), row(20, kid=0.1, coverage=0.56)]
    assert checkpoint_scores.best(alike, {10, 20}) == alike[1], "within chance of the highest"


def test_rows_of_earlier_versions_know_no_coverage_and_kid_chooses_alone(tmp_path: Path) -> None:
    checkpoint_scores.write(tmp_path, [row(10, kid=0.2), row(20, kid=0.1)])
    file = tmp_path / checkpoint_scores.TABLE
    table = pd.read_csv(file)
    table.drop(columns=["clipped_coverage", "clipped_coverage_floor"]).to_csv(file, index=False)
    rows = checkpoint_scores.read(tmp_path)
    assert np.isnan([one.clipped_coverage for one in rows]).all() and rows[0].kid == 0.2
    known = dataclasses.replace(rows[0], clipped_coverage=0.9)
    assert checkpoint_scores.best([known, rows[1]], {10, 20}) == rows[1]


def test_the_test_split_never_chooses() -> None:
    rows = [row(10, kid=0.01, split="test"), row(20, kid=0.2)]
    assert checkpoint_scores.best(rows, {10, 20}) == rows[1]
    assert checkpoint_scores.best(rows[:1], {10}) is None


def test_a_score_is_nothing_for_equal_images_and_grows_with_the_difference(
    toy: Extractor, draw: Callable[..., np.ndarray]
) -> None:
    real = draw(60, seed=0)
    same, alike, darker = (
        checkpoint_scores.score(real, images, 4, 0, toy, "Features")
        for images in (real, draw(60, seed=1), draw(60, seed=2, brightness=20))
    )
    assert same.fid == pytest.approx(0, abs=1e-6)
    assert alike.fid < darker.fid / 10 and abs(alike.kid) < darker.kid / 10
    assert darker.kid_std > 0
    assert same.clipped_coverage == 1 > alike.clipped_coverage > darker.clipped_coverage == 0
