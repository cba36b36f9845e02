"""Folds, and a study that is resumed: `xrgan classify`, typed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.commands.toy_studies import QUICK, TOYS, put_dataset, put_run, refused, scores_of, summary_of
from tests.downstream.blobs import changed, toy_dataset
from tests.gan.helpers import flat
from tests.gan.in_ranks import finished, started
from tests.terminal import Terminal
from xrgan.commands.studies import Others, StudyRequest, external_of
from xrgan.config import ClassifyConfig, Config
from xrgan.downstream.classification import task as of_classifiers
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.generator_data import GeneratorData
from xrgan.rundir import RunDir
from xrgan.tensor_files import read_tensors
from xrgan.workspace import DATA_ROOT, RUNS_ROOT, Workspace

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
    train, calls = of_classifiers.train, 0

    def stopping(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return train(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(of_classifiers, "train", stopping)
        assert "the same command goes on" in here(f"classify {QUICK}", code=130).err
    assert not Path("runs/a/classify/summary.yaml").exists()
    assert "1 of 2 trainings were there already" in here(f"classify {QUICK}").err
    assert len(scores_of("a")) == 2


def left_by(run: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that a study found, but for the seconds: its summary and figures; what its networks' files hold."""
    scores = scores_of(run).drop(columns="seconds").to_dict("list")
    summary = {key: value for key, value in summary_of(run).items() if key != "seconds"}
    saved = {
        file.name: dict(flat(read_tensors(file))) for file in Path(f"runs/{run}/classify/checkpoints").glob("*.pt")
    }
    return {"scores": repr(scores), "summary": repr(summary)}, saved


def assert_same_study(run: str, other: str) -> None:
    ours, theirs = left_by(run), left_by(other)
    assert ours[0] == theirs[0]
    assert ours[1].keys() == theirs[1].keys() and ours[1]
    for name, content in ours[1].items():
        for path, value in content.items():
            of_other = theirs[1][name][path]
            assert torch.equal(value, of_other) if isinstance(value, torch.Tensor) else value == of_other, (name, path)


@pytest.fixture
def in_two(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of a command line that tests start in two processes."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return ["-m", "tests.commands.study_in_ranks"]


def test_two_processes_share_a_study_and_find_what_one_does(
    here: Terminal, in_two: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"classify {QUICK} --arms real,real+synthetic --fractions 0.5,1 --seeds 2"
    with monkeypatch.context() as patch:
        patch.setenv("DIES", "1")
        dying = started([*in_two, *line.split(), "--run", "a"], 2)
        said = [process.communicate(timeout=900)[1] for process in dying]
    assert [process.returncode for process in dying] == [1, -9], said
    assert "2 processes share 8 trainings." in said[0] and "Traceback" not in said[0]
    assert "Process 1 of 2 stops, because another one ended; see its message." in said[0]
    of_first, of_second = finished(started([*in_two, *line.split(), "--run", "a"], 2))
    assert "4 of 8 trainings were there already." in of_first[1] and "2 processes share 4 trainings" in of_first[1]
    assert "Against real with 50 %" in of_first[0] and of_second == ("", "")
    assert not Path("runs/a/classify/checkpoints/.lock").exists()
    put_run("b")
    here(f"{line} --run b")
    assert_same_study("a", "b")


def test_each_of_two_processes_trains_a_folds_generator(here: Terminal, in_two: list[str]) -> None:
    line = f"classify {QUICK} --gan-per-fold --k-folds 2 --arms real,synthetic"
    of_first, _ = finished(started([*in_two, *line.split(), "--run", "a"], 2))
    assert "A generator for fold 2 of 2" in of_first[1]
    put_run("b")
    here(f"{line} --run b")
    assert_same_study("a", "b")


def test_whom_the_generators_left_out_may_judge_as_another_dataset(type_: Terminal) -> None:
    """Of `--generator-data`, what is left out was never learned from; the rest was."""
    other = put_dataset(toy_dataset(train=20, test=20, name="other", seed=5))
    put_dataset(changed(other, name="clinic", content_hash="c" * 64))
    task = Classification(ClassifyConfig(leaks="drop"))
    request = StudyRequest(
        Workspace(DATA_ROOT, RUNS_ROOT),
        RunDir(Path("runs/a")),
        Config(classify=task.config),
        "classify",
        TOYS,
        None,
        Others(external="clinic"),
    )
    found = external_of(request, task, task.gather(TOYS, 0, ()), [], GeneratorData(other, np.arange(4, 40)))
    assert found and found.pool.rows.tolist() == [0, 1, 2, 3] and found.left_out == 36
