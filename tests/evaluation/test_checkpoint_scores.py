"""Rows in, a table and a picture out; which of them is the best."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_scores
from xrgan.evaluation.checkpoint_scores import Row
from xrgan.evaluation.extractors import Extractor, custom


def row(step: int, kid: float = 0.1, split: str = "val", n: int = 50) -> Row:
    return Row(
        checkpoint=f"step_{step:08d}",
        epoch=step / 10,
        step=step,
        images_seen=16 * step,
        split=split,
        n=n,
        seed=0,
        extractor="toy",
        layer=64,
        fid=1000 * kid,
        fid_floor=12.5,
        kid=kid,
        kid_std=0.01,
        kid_floor=-0.001,
        seconds=1.5 * step,
    )


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


def test_the_test_split_never_chooses() -> None:
    rows = [row(10, kid=0.01, split="test"), row(20, kid=0.2)]
    assert checkpoint_scores.best(rows, {10, 20}) == rows[1]
    assert checkpoint_scores.best(rows[:1], {10}) is None


def test_only_rows_of_one_setting_are_compared_and_all_are_kept(tmp_path: Path) -> None:
    rows = [row(10, kid=0.2), row(20, kid=0.1), row(30, kid=0.01, n=7)]
    comparable, chosen = checkpoint_scores.publish(tmp_path, rows, rows[0].setting, {10, 20, 30})
    assert comparable == rows[:2] and chosen == rows[1]
    assert checkpoint_scores.read(tmp_path) == rows
    shown = checkpoint_scores.table(comparable, chosen)
    assert [line[0] for line in shown] == ["step_00000010", "step_00000020", "real vs real"]
    assert [line[-1] for line in shown] == ["", "best", ""]
    assert all(len(line) == len(checkpoint_scores.COLUMNS) for line in shown)
    assert checkpoint_scores.summary(comparable, chosen)["best"] == "step_00000020"
    assert checkpoint_scores.summary(rows[2:], None) == {"best": None, "checkpoints": [dataclasses.asdict(rows[2])]}


def test_the_picture_shows_the_floor_and_the_best(tmp_path: Path) -> None:
    rows = [row(step, kid=1 / step) for step in (10, 20, 40)]
    pixels = {}
    for name, shown, chosen in (
        ("plain", rows, None),
        ("best", rows, rows[2]),
        ("floor", [dataclasses.replace(one, fid_floor=90) for one in rows], None),
        ("alone", rows[:1], rows[0]),
        ("at the start", [row(0)], None),
    ):
        checkpoint_scores.draw(tmp_path / "o.png", shown, chosen)
        pixels[name] = np.asarray(Image.open(tmp_path / "o.png").convert("RGB"), np.int64)
    blue = np.abs(pixels["plain"] - [0x44, 0x77, 0xAA]).max(axis=2) < 8
    assert blue[:, : blue.shape[1] // 2].sum() > 200 and blue[:, blue.shape[1] // 2 :].sum() > 200, "two floors"
    assert len({array.tobytes() for array in pixels.values()}) == len(pixels)


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
