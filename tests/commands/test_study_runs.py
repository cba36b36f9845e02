"""Studies of real images alone, without a run: `xrgan classify --data D`, typed."""

import json
from pathlib import Path

import pytest

from tests.commands.toy_studies import QUICK, TOYS, put_dataset, put_run, said, scores_of, summary_of
from tests.downstream.blobs import changed, toy_dataset
from tests.terminal import Terminal, tree
from xrgan.config_resolve import read_config

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]

REAL = f"classify --data toys --arms real,real+classic --k-folds 2 {QUICK}"


def test_no_run_is_needed_and_the_same_command_resumes(type_: Terminal) -> None:
    put_dataset(TOYS)
    answer = said(type_(REAL))
    assert "runs/toys-study, of real images alone" in answer
    config = read_config(Path("runs/toys-study/config.yaml"))
    assert not config.generator and config.dataset == "toys"
    assert summary_of("toys-study")["options"]["arms"] == ["real", "real+classic"]
    assert not Path("runs/toys-study/MODEL_CARD.md").exists()
    again = said(type_(f"{REAL} --seeds 2"))
    assert again.count("2 of 4 trainings were there already") == 2 and len(scores_of("toys-study")) == 8
    (row,) = json.loads(type_("runs --json").out)
    assert (row["model"], row["epochs_planned"], row["studies"]) == (
        "none",
        0,
        {"classify": "real+classic: can't tell"},
    )


def test_it_takes_a_name_and_nothing_is_made_where_it_can_t_be(type_: Terminal) -> None:
    put_dataset(TOYS)
    type_(f"{REAL} --run mine --dry-run")
    assert "of 17" not in said(type_(f"{REAL} --run mine --k-folds 17", code=1)) and not Path("runs").exists()
    type_(f"{REAL} --run mine")
    assert Path("runs/mine/classify/report.md").is_file()
    answer = said(type_(f"classify --run mine {QUICK} --arms real,synthetic", code=1))
    assert "mine has no generator" in answer and "--synthetic" in answer


def test_other_commands_pass_it_over_or_say_that_it_has_no_generator(type_: Terminal) -> None:
    put_dataset(TOYS)
    type_(REAL)
    before = tree(Path("runs"))
    for command in ("sample", "evaluate", "resume", "sample --run toys-study", "train --run toys-study"):
        assert "has no generator" in said(type_(command, code=1)), command
    assert tree(Path("runs")) == before
    put_run("a")
    type_(REAL)
    assert "runs/a, the latest" in said(type_("resume --epochs 0", code=1))


def test_another_dataset_is_asked_for_by_name(type_: Terminal) -> None:
    put_dataset(TOYS)
    classes = ("healthy", "ill")
    put_dataset(changed(toy_dataset(name="other", seed=5), classes=classes))
    assert "of the class NORMAL" in said(type_(f"{REAL} --external other", code=1))
    assert "--map goes with --external" in said(type_(f"{REAL} --map a=b", code=2))
    assert "no LABEL=class" in said(type_(f"{REAL} --external other --map a", code=2))
    assert not Path("runs").exists()
    type_(f"{REAL} --external other --map healthy=NORMAL,*=PNEUMONIA")
    assert summary_of("toys-study")["external"]["images"] == len(TOYS.labels)


def test_with_a_run_s_name_or_a_synthetic_arm_it_is_that_run_s_study(here: Terminal) -> None:
    here(f"{REAL} --run a")
    assert "runs/a, the latest" in said(here(f"classify --data toys {QUICK}"))
    assert Path("runs/a/classify/summary.yaml").is_file() and not Path("runs/toys-study").exists()
