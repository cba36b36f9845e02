"""`xrgan runs` and `xrgan data`, typed."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.evaluation.checkpoint_rows import row
from tests.terminal import Terminal
from xrgan.config import Config
from xrgan.evaluation import checkpoint_scores
from xrgan.files import write_yaml
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def test_nothing_here_is_said_with_the_next_step(type_: Terminal) -> None:
    assert "nothing in data" in type_("data").err
    assert "no run in runs; `xrgan train` makes one" in type_("runs").err.replace("\n", " ")
    assert json.loads(type_("runs --json").out) == []


def test_sources_and_datasets_are_listed_and_a_damaged_one_is_named(type_: Terminal) -> None:
    type_("fetch phantom --n 20 --size 32")
    type_("prepare --size 16")
    here = json.loads(type_("data --json").out)
    assert [source["source"] for source in here["fetched"]] == ["phantom"]
    dataset = here["prepared"][0]
    assert (dataset["dataset"], dataset["channels"], dataset["masks"]) == ("phantom_16", 1, ["lungs", "heart"])
    assert (dataset["size"], dataset["train"] + dataset["val"] + dataset["test"]) == (16, 20)
    Path("data/raw/broken").mkdir()
    Path("data/raw/broken/source.yaml").write_text("a: [")
    said = type_("data").out
    assert "phantom_16" in said and "broken (damaged)" in said


def test_a_run_is_listed_with_its_last_losses(type_: Terminal) -> None:
    run = RunDir(Path("runs/a"))
    run.write_config(Config())
    run.write_losses([{"epoch": 1, "discriminator_loss": 1.23456, "generator_loss": 2}])
    listed = json.loads(type_("runs --json").out)[0]
    assert (listed["run"], listed["discriminator_loss"], listed["fid"]) == ("a", 1.23456, None)
    assert (listed["epochs"], listed["epochs_planned"], listed["path"]) == (1, 50, "runs/a")
    said = type_("runs").out
    assert "1.235" in said and "1/50" in said


def test_a_run_whose_images_were_scored_before_keeps_its_fid(type_: Terminal) -> None:
    run = RunDir(Path("runs/a"))
    run.write_config(Config())
    earlier = {"metrics": {"fid": {"value": 12.5}}}
    write_yaml(run.evaluation / "scores.yaml", {"metrics": {"kid": {"value": 0.0125}}, "earlier": [earlier]})
    listed = json.loads(type_("runs --json").out)[0]
    assert (listed["fid"], listed["kid"]) == (12.5, 0.0125)
    said = type_("runs").out
    assert "12.5" in said and "12.50" in said


def test_the_best_checkpoint_of_a_run_is_told(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """By KID among those with the variety; of the checkpoint, and not of the images that were scored last."""
    run = RunDir(Path("runs/a"))
    run.write_config(Config())
    assert json.loads(type_("runs --json").out)[0]["best"] is None
    scored = [row(step, kid=kid, coverage=coverage) for step, kid, coverage in ((1, 0.03, 0.8), (2, 0.01, 0.2))]
    checkpoint_scores.write(run.evaluation, scored)
    best = json.loads(type_("runs --json").out)[0]["best"]
    assert (best["epoch"], best["kid"], best["clipped_coverage"]) == (scored[0].epoch, 0.03, 0.8)
    code = "import sys, xrgan.commands.listings as l; l.runs(as_json=True); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    monkeypatch.setenv("COLUMNS", "250")
    assert "epoch 0.1: FID 30.0, KID 30.00" in type_("runs").out


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.yaml", "train: ["),
        ("config.yaml", "train:\n  epochs: many\n"),
        ("config.yaml", "- 1"),
        ("losses.csv", "epoch,loss\n1\n"),
        ("losses.csv", "loss\n1\n"),
        ("losses.csv", "epoch\nnan\n"),
        ("evaluation/scores.yaml", "metrics: 3"),
        ("evaluation/scores.yaml", "\0"),
    ],
)
def test_one_damaged_run_is_a_row_that_says_so(file: str, content: str, type_: Terminal) -> None:
    whole = RunDir(Path("runs/a"))
    whole.write_config(Config())
    whole.write_losses([{"epoch": 1, "discriminator_loss": 1.23456, "generator_loss": 2}])
    write_yaml(whole.evaluation / "scores.yaml", {"metrics": {"fid": {"value": 12.5}}})
    damaged = Path(shutil.copytree(whole.path, "runs/b"))
    shutil.copytree(whole.path, "runs/c")
    (damaged / file).write_text(content)
    listed = type_("runs --json")
    rows = json.loads(listed.out)
    assert sorted(row["run"] for row in rows) == ["a", "b", "c"]
    assert [bool(row["damaged"]) for row in sorted(rows, key=lambda row: row["run"])] == [False, True, False]
    assert len({tuple(row) for row in rows}) == 1, "all rows have the same keys"
    assert Path(file).name in listed.err or "train.epochs" in listed.err
    assert "b (damaged)" in type_("runs").out
