"""A run whose checkpoints are scored while it trains: the same run, and a table that a stop doesn't break."""

import io
import os
import random
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rich.console import Console

from tests.gan.helpers import tiny_config, tiny_dataset
from tests.gan.test_training import assert_same, last
from xrgan import console
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.gan import checkpoint, schedule, setup, step, training
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir

STEPS = 8  # an epoch of the tiny dataset: 32 images, 4 a step
Calls = list[tuple[int, bool]]


def trained(root: Path, dataset: PackedDataset, config: Config, score: training.Score | None = None) -> RunDir:
    run = RunDir(root)
    if not run.exists():
        setup.create_run(run, config, dataset)
    training.train(run, dataset, config, score)
    return run


def noting(calls: Calls) -> training.Score:
    return lambda path, wanted: calls.append((int(path.stem[5:]) // STEPS, wanted))


def test_a_scored_run_equals_one_that_is_not_bit_for_bit(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    options = ("train.epochs=3", "train.augment=0.5", "train.r1=0.1", "train.penalty_every=3")
    run, drawn = RunDir(tmp_path / "scored"), []

    def score(path: Path, wanted: bool) -> None:
        assert path.is_file() and wanted
        sampler = load_sampler(run, "cpu", checkpoint_name=str(path))  # builds networks: weights at random
        drawn.append((sampler.step, torch.rand(3).tolist()))

    plain = trained(tmp_path / "plain", dataset, tiny_config(*options))
    torch.manual_seed(7)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    trained(run.path, dataset, tiny_config(*options, "train.evaluate_every=1"), score)
    assert [of for of, _ in drawn] == [STEPS, 2 * STEPS, 3 * STEPS]
    assert_same(plain, run)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1:] == (random.getstate(), np.random.get_state()[1].tolist())


@pytest.mark.parametrize(("every", "scored"), [(0, [5]), (1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (9, [5])])
def test_every_so_many_epochs_and_the_last_one_are_scored(tmp_path: Path, every: int, scored: list[int]) -> None:
    calls: Calls = []
    config = tiny_config("train.epochs=5", f"train.evaluate_every={every}")
    trained(tmp_path / "run", tiny_dataset(tmp_path), config, noting(calls))
    assert calls == [(epoch, True) for epoch in scored]


def test_scoring_is_no_training_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that says a step took a second and a score a thousand, a minute is 60 steps."""
    now = [0.0]
    monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: now[0]))
    real_step = step.train_step

    def slow_step(*arguments: object) -> None:
        real_step(*arguments)  # type: ignore[arg-type]
        now[0] += 1

    def slow_score(path: Path, wanted: bool) -> None:
        now[0] += 1000

    monkeypatch.setattr(training, "train_step", slow_step)
    config = tiny_config("train.minutes=1", "train.evaluate_every=2")
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), config, slow_score)
    assert (last(run)["step"], last(run)["seconds"]) == (60, 60)
    assert [row["seconds"] for row in run.read_losses()] == [8, 16, 24, 32, 40, 48, 56, 60]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_need_not_wait_for_a_score_which_is_made_up_for(tmp_path: Path, number: signal.Signals) -> None:
    dataset, begun = tiny_dataset(tmp_path), []
    config = tiny_config("train.epochs=3", "train.evaluate_every=1")
    plain = trained(tmp_path / "plain", dataset, config)

    def stopped(path: Path, wanted: bool) -> None:
        begun.append(path.name)
        os.kill(os.getpid(), number)
        while True:
            torch.rand(1)

    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    assert training.train(run, dataset, config, stopped).stopped_by == number
    assert last(run)["step"] == STEPS and begun == [f"step_{STEPS:08d}.pt"]
    made_up: Calls = []
    trained(run.path, dataset, config, noting(made_up))
    assert made_up == [(1, True), (2, True), (3, True)]
    assert_same(plain, run)


def test_a_run_that_goes_on_says_from_where(tmp_path: Path) -> None:
    """So that rows behind the checkpoint can be dropped; the checkpoint itself is scored where its epoch is."""
    dataset, calls = tiny_dataset(tmp_path), Calls()
    trained(tmp_path / "run", dataset, tiny_config("train.epochs=3"))
    config = tiny_config("train.epochs=5", "train.evaluate_every=2")
    run = trained(tmp_path / "run", dataset, config, noting(calls))
    assert calls == [(3, False), (4, True), (5, True)]
    trained(run.path, dataset, config, noting(calls))
    assert calls[3:] == [(5, True)]


@pytest.mark.parametrize("error", [XrganError("No weights."), OSError("full"), RuntimeError("can't allocate memory")])
def test_a_score_that_fails_costs_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def failing(path: Path, wanted: bool) -> None:
        raise error

    config = tiny_config("train.evaluate_every=1")
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), config, failing)
    assert last(run)["step"] == 2 * STEPS
    said = " ".join(capsys.readouterr().err.split())
    assert f"step_{STEPS:08d}.pt was not scored: {str(error).rstrip('.')}." in said and "--every-checkpoint" in said


def test_a_terminal_shows_the_bar_of_a_score_within_that_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(console, "_notices", shown)
    with console.progress("Training", 2) as outer, console.progress("Features", 1) as inner:
        inner.advance()
        outer.advance()
    assert "Features" in shown.file.getvalue() and "Training" in shown.file.getvalue()  # type: ignore[attr-defined]


# The best checkpoint


def saved(folder: Path, *steps: int, keep: int = 9) -> list[Path]:
    return [checkpoint.save(folder, step, {"step": step, "weights": torch.zeros(9) + step}, keep) for step in steps]


@pytest.mark.parametrize("links", [True, False])
def test_the_best_checkpoint_outlives_the_last_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", refused)
    first, *_ = saved(tmp_path, 1, 2)
    checkpoint.mark_best(first)
    assert checkpoint.on_disk(tmp_path)[1].name == checkpoint.BEST
    saved(tmp_path, 3, 4, keep=2)
    assert not first.exists()
    assert {step: path.name for step, path in checkpoint.on_disk(tmp_path).items()} == {
        1: "best.pt",
        3: "step_00000003.pt",
        4: "step_00000004.pt",
    }
    assert checkpoint.load(checkpoint.find(tmp_path, "best"))["step"] == 1
    found = checkpoint.load_last(tmp_path)
    assert found is not None and found[1]["step"] == 4
    checkpoint.mark_best(checkpoint.on_disk(tmp_path)[1])
    checkpoint.mark_best(tmp_path / "step_00000004.pt")
    checkpoint.mark_best(tmp_path / "step_00000004.pt")
    assert checkpoint.load(tmp_path / "best.pt")["step"] == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.pt", "step_00000003.pt", "step_00000004.pt"]


def test_without_a_best_one_the_way_to_it_is_said(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    with pytest.raises(XrganError, match=r"marked best.*evaluate --every-checkpoint"):
        checkpoint.find(tmp_path, "best")
    checkpoint.mark_best(tmp_path / "step_00000001.pt")
    with pytest.raises(XrganError, match=r"There are: step_00000001, best\."):
        checkpoint.find(tmp_path, "7")


def test_a_damaged_best_one_is_warned_of_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved(tmp_path, 1)
    (tmp_path / "best.pt").write_bytes(b"torn")
    assert list(checkpoint.on_disk(tmp_path)) == [1]
    assert "best.pt is torn" in " ".join(capsys.readouterr().err.split())
