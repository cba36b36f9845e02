"""The report of scored checkpoints: the rows that compare, and their picture."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.evaluation.checkpoint_rows import row
from xrgan.evaluation import checkpoint_report, checkpoint_scores

pytestmark = pytest.mark.slow


def test_only_rows_of_one_setting_are_compared_and_all_are_kept(tmp_path: Path) -> None:
    rows = [row(10, kid=0.2), row(20, kid=0.1), row(30, kid=0.01, n=7)]
    comparable, chosen = checkpoint_report.publish(tmp_path, rows, rows[0].setting, {10, 20, 30})
    assert comparable == rows[:2] and chosen == rows[1]
    assert checkpoint_scores.read(tmp_path) == rows
    shown = checkpoint_report.table(comparable, chosen)
    assert [line[0] for line in shown] == ["step_00000010", "step_00000020", "real vs real"]
    assert [line[-1] for line in shown] == ["", "best", ""]
    assert all(len(line) == len(checkpoint_report.COLUMNS) for line in shown)
    assert checkpoint_report.summary(comparable, chosen)["best"] == "step_00000020"
    assert checkpoint_report.summary(rows[2:], None) == {"best": None, "checkpoints": [dataclasses.asdict(rows[2])]}


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
        checkpoint_report.draw(tmp_path / "o.png", shown, chosen)
        pixels[name] = np.asarray(Image.open(tmp_path / "o.png").convert("RGB"), np.int64)
    blue = np.abs(pixels["plain"] - [0x44, 0x77, 0xAA]).max(axis=2) < 8
    assert all(part.sum() > 150 for part in np.array_split(blue, 3, axis=1)), "three floors"
    assert len({array.tobytes() for array in pixels.values()}) == len(pixels)
