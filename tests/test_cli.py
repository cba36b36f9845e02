"""The command line, by running it: the whole way, and how mistakes end."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import xrgan
from tests.terminal import TINY, Terminal, tree

pytestmark = pytest.mark.slow


def test_the_way_from_nothing_to_images(type_: Terminal) -> None:
    """fetch → prepare (by train itself) → train → resume → sample, with no option that isn't needed."""
    assert "data/raw/phantom" in type_("fetch phantom --n 60 --size 32").out
    trained = type_("train --epochs 2 --set prepare.size=16", *TINY)
    assert "the only source here, and not prepared yet" in trained.err
    run = next(Path("runs").iterdir())
    assert run.name.startswith("phantom_16-") and run.name.endswith("-1")
    assert str(run / "samples/epoch_0002.png") in trained.out
    assert "latest" in type_("resume --epochs 3").err
    assert len((run / "losses.csv").read_text().splitlines()) == 4
    sampled = type_("sample --n 12 --seed 1 --interpolate")
    assert str(run / "synthetic/sheet.png") in sampled.out and str(run / "synthetic/walk.gif") in sampled.out
    assert len(list((run / "synthetic").glob("synthetic_*[0-9].png"))) == 12
    table = type_("runs").out
    assert run.name in table and "3/3" in table
    listed = json.loads(type_("runs --json").out)
    assert listed[0]["run"] == run.name and listed[0]["epochs"] == 3
    type_("train --epochs 1", *TINY)
    assert sorted(path.name[-2:] for path in Path("runs").iterdir()) == ["-1", "-2"]


def test_a_flag_of_several_names_can_be_repeated(type_: Terminal) -> None:
    typed = type_(
        "prepare --dry-run --table a.csv --table b.csv,c.csv --label-column Mass --label-column", "No Finding"
    )
    prepare = yaml.safe_load(typed.out)["prepare"]
    assert prepare["table"] == ["a.csv", "b.csv", "c.csv"]
    assert prepare["label_column"] == ["Mass", "No Finding"]


def test_dry_run_prints_the_resolved_yaml_and_does_nothing(type_: Terminal) -> None:
    Path("mine.yaml").write_text("train:\n  epochs: 7\n  lr: 0.001\n  batch_size: 8\n")
    answer = type_("train --dry-run --config mine.yaml --set train.lr=0.002 --set train.batch_size=4 --batch-size 32")
    resolved = yaml.safe_load(answer.out)
    assert resolved["train"]["epochs"] == 7, "the file overrides the default"
    assert resolved["train"]["lr"] == 0.002, "--set overrides the file"
    assert resolved["train"]["batch_size"] == 32, "a flag overrides --set"
    assert sorted(path.name for path in Path().iterdir()) == ["mine.yaml"]
    assert yaml.safe_load(type_("train --dry-run --progressive none").out)["model"]["progressive"] == []
    type_("prepare --dry-run --view none --labels none")
    assert yaml.safe_load(type_("prepare --dry-run --size 128 --split 0.7,0.2,0.1").out)["prepare"]["size"] == 128


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("train --set train.batchsize=3", 1, ["train.batchsize", "train.batch_size"]),
        ("train --batch-size 1", 1, ["train.batch_size", "greater than or equal to 2"]),
        ("train --config nowhere.yaml", 1, ["nowhere.yaml"]),
        ("train", 1, ["Nothing was fetched", "xrgan fetch phantom", "--folder"]),
        ("train --data brain", 1, ["brain", "xrgan prepare"]),
        ("resume", 1, ["no run", "xrgan train"]),
        ("resume --run exp9", 1, ["exp9"]),
        ("sample", 1, ["no run", "xrgan train"]),
        ("evaluate --fid", 1, ["no run"]),
        ("classify", 1, ["no run"]),
        ("classify --predict images", 1, ["no run"]),
        ("classify --leaks ignore", 2, ["--leaks", "refuse", "drop"]),
        ("classify --k-folds", 2, ["--k-folds"]),
        ("classify --seeds many", 2, ["--seeds"]),
        ("prepare nowhere", 1, ["nowhere"]),
        ("fetch phantoom", 1, ["phantoom", "phantom"]),
        ("fetch", 2, ["--folder"]),
        ("fetch mine --folder nowhere", 1, ["nowhere"]),
        ("trian", 2, ["trian"]),
        ("train --epoch 3", 2, ["--epoch"]),
        ("prepare --size many", 2, ["--size"]),
        ("sample -n 0", 1, ["no run"]),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(type_: Terminal, line: str, code: int, words: list[str]) -> None:
    answer = type_(line, code=code)
    said = answer.err.replace("\n", " ")
    for word in words:
        assert word in said, said
    assert not any(path.is_file() for path in type_.folder.rglob("*") if ".lock" not in path.name), tree(type_.folder)


def test_version_help_and_completion(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.completion._get_shell_name", lambda: "bash")  # Typer looks among its parent processes
    assert type_("--version").out.strip() == xrgan.__version__
    commands = ["fetch", "prepare", "train", "resume", "sample", "evaluate", "classify", "segment", "runs", "data"]
    overview = type_("--help").out
    for command in commands:
        assert command in overview
        assert "Usage: xrgan" in type_(f"{command} --help").out
    assert "_XRGAN_COMPLETE" in type_("--show-completion").out


def test_the_module_runs_and_help_needs_no_torch() -> None:
    code = "import sys, xrgan.cli; print([m for m in ('torch', 'pandas', 'kaggle', 'matplotlib') if m in sys.modules])"
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert answer.stdout.strip() == "[]"
    answer = subprocess.run([sys.executable, "-m", "xrgan", "--help"], capture_output=True, text=True, check=True)
    assert "classify" in answer.stdout


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("help", "xrgan --help"), ("generate", "xrgan sample"), ("list", "xrgan runs"), ("evalute", "evaluate")],
)
def test_another_word_for_a_command_is_understood(typed: str, meant: str, type_: Terminal) -> None:
    said = type_(typed, code=2).err
    assert "Did you mean" in said and meant in said
