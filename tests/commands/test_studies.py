"""Folds, and a study that is resumed: `xrgan classify`, typed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.commands.toy_studies import QUICK, refused, scores_of, summary_of
from tests.terminal import Terminal
from xrgan.downstream.classification import task

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]


def test_without_synthetic_images_there_are_five_folds(here: Terminal) -> None:
    shutil.rmtree("runs/a/synthetic")
    here(f"classify {QUICK} --arms real,real+classic")
    assert summary_of("a")["options"]["k_folds"] == 5
    assert len(scores_of("a")) == 10 and summary_of("a")["comparisons"][0]["folds"]["n"] == 5
    assert not Path("runs/a/synthetic").exists()


def test_folds_are_refused_where_one_generator_saw_them_all(here: Terminal) -> None:
    refused(here, "--k-folds 3", "a learned from images of", "fold 1", "--k-folds 0", "--gan-per-fold")
    here(f"classify {QUICK} --k-folds 0")


def test_an_interrupted_study_is_resumed(here: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    train, calls = task.train, 0

    def stopping(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return train(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(task, "train", stopping)
        assert "the same command goes on" in here(f"classify {QUICK}", code=130).err
    assert not Path("runs/a/classify/summary.yaml").exists()
    assert "1 of 2 trainings were there already" in here(f"classify {QUICK}").err
    assert len(scores_of("a")) == 2
