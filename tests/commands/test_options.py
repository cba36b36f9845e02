"""The flags that several commands share."""

import re
from pathlib import Path

import pytest
import yaml

from tests.terminal import TINY, Terminal
from xrgan.config import Config
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def test_roots_can_be_moved_by_flag_and_by_environment(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    type_("fetch phantom --n 40 --size 16 --data-root elsewhere")
    monkeypatch.setenv("HOME", str(Path.cwd()))
    monkeypatch.setenv("XRGAN_DATA", "~/elsewhere")  # no shell has read it
    monkeypatch.setenv("XRGAN_RUNS", "my-runs")
    type_("prepare --size 16")
    type_("train --run first --epochs 1", *TINY)
    assert Path("my-runs/first/config.yaml").is_file()
    assert not Path("data").exists() and not Path("runs").exists()
    assert "first" in type_("runs").out
    assert "first" not in type_("runs --runs-root nowhere").out


def test_the_flags_of_a_study_reach_the_options(type_: Terminal) -> None:
    """What a study does with them stands in tests/commands."""
    RunDir(Path("runs/a")).write_config(Config())
    flags = (
        "--arms synthetic-to-real,real --fractions 0.05,1 --seeds 3 --k-folds 0 --gan-per-fold --leaks drop --ratio 0.5"
        " --arch densenet121 --weights none --unfreeze --epochs 7 --patience 0 --batch-size 4 --lr 0.01 --seed 9"
    )
    chosen = yaml.safe_load(type_(f"classify --dry-run {flags}").out)["classify"]
    assert chosen == {
        **Config().classify.model_dump(mode="json"),
        "arms": ["real", "synthetic→real"],
        "fractions": [0.05, 1.0],
        "seeds": 3,
        "k_folds": 0,
        "gan_per_fold": True,
        "leaks": "drop",
        "ratio": 0.5,
        "arch": "densenet121",
        "weights": "none",
        "unfreeze": True,
        "epochs": 7,
        "patience": 0,
        "batch_size": 4,
        "lr": 0.01,
        "seed": 9,
    }
    plain = yaml.safe_load(type_("classify --dry-run --one-gan").out)["classify"]
    assert plain == Config().classify.model_dump(mode="json")
    assert [file.name for file in Path("runs/a").iterdir()] == ["config.yaml"]


def test_quiet_prints_the_result_only(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16 --quiet")
    assert type_("prepare --size 16 --quiet").err == ""
    assert type_("train --run a --epochs 1 --quiet", *TINY).err == ""


COMMANDS = ["fetch", "prepare", "train", "resume", "sample", "evaluate", "classify", "segment", "runs", "data"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example_of_flags_that_exist(
    type_: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    options, _, examples = type_(f"{command} --help").out.partition("Example: ")
    assert examples.startswith(f"xrgan {command}")
    for flag in re.findall(r" (--?[a-z-]+)", examples):
        assert f" {flag} " in options, flag
    assert not re.search(r"--[a-z-]+…", options), "an option's name was cut off"


@pytest.mark.parametrize("title", ["Data", "Model", "Training", "Records", "Machine"])
def test_the_help_of_train_is_in_groups(type_: Terminal, title: str) -> None:
    assert f"─ {title} ─" in type_("train --help").out
