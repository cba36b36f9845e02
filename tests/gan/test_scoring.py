"""Checkpoints scored while a run trains: the same run, whatever the score does."""

import os
import random
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.gan.helpers import assert_same, create, job_of, last, tiny_config, tiny_dataset, trained
from xrgan.errors import XrganError
from xrgan.gan import checkpoint, diagnostics, schedule, step, training
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow

STEPS = 8  # per epoch of the tiny dataset: 32 images, 4 a step
Calls = list[tuple[int, bool]]


def noting(calls: Calls) -> training.Score:
    def score(path: Path, wanted: bool) -> float:
        calls.append((int(path.stem[5:]) // STEPS, wanted))
        return 0.0

    return score


def test_a_scored_run_equals_one_that_is_not_bit_for_bit(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    options = ("train.epochs=3", "train.augment=0.5", "train.r1=0.1", "train.penalty_every=3")
    run, drawn = RunDir(tmp_path / "scored"), []

    def score(path: Path, wanted: bool) -> float:
        assert path.is_file() and wanted
        sampler = load_sampler(run, "cpu", checkpoint_name=str(path))  # builds networks: weights at random
        drawn.append((sampler.step, torch.rand(3).tolist()))
        return 0.0

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

    def slow_score(path: Path, wanted: bool) -> float:
        now[0] += 1000
        return 0.0

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

    def stopped(path: Path, wanted: bool) -> float:
        begun.append(path.name)
        os.kill(os.getpid(), number)
        while True:
            torch.rand(1)

    run = RunDir(tmp_path / "run")
    create(run, dataset, config)
    assert training.train(job_of(run, dataset, config), stopped).stopped_by == number
    assert last(run)["step"] == STEPS and begun == [f"step_{STEPS:08d}.pt"]
    made_up: Calls = []
    trained(run.path, dataset, config, noting(made_up))
    assert made_up == [(1, True), (2, True), (3, True)]
    assert_same(plain, run)


def test_a_resumed_run_says_from_where(tmp_path: Path) -> None:
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
    def failing(path: Path, wanted: bool) -> float:
        raise error

    config = tiny_config("train.evaluate_every=1")
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), config, failing)
    assert last(run)["step"] == 2 * STEPS
    said = " ".join(capsys.readouterr().err.split())
    assert f"step_{STEPS:08d}.pt was not scored: {str(error).rstrip('.')}." in said and "--every-checkpoint" in said


def best_in_epoch_2(path: Path, wanted: bool) -> float:
    """A score by which an epoch takes a minute, and the second was the best."""
    return 60.0 * max(0, int(path.stem[5:]) // STEPS - 2)


def test_patience_ends_a_run_that_gets_no_better_and_a_longer_one_lets_it_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    score, dataset = best_in_epoch_2, tiny_dataset(tmp_path)
    options = ("train.epochs=9", "train.evaluate_every=1")
    run = trained(tmp_path / "run", dataset, tiny_config(*options, "train.patience=3"), score)
    assert last(run)["step"] == 5 * STEPS
    assert "No better for 3 minutes of training" in " ".join(capsys.readouterr().err.split())
    trained(run.path, dataset, tiny_config(*options, "train.patience=3"), score)
    assert last(run)["step"] == 5 * STEPS, "it stays where it stopped"
    trained(run.path, dataset, tiny_config(*options, "train.patience=0"), score)
    assert last(run)["step"] == 9 * STEPS
    assert_same(trained(tmp_path / "plain", dataset, tiny_config(*options), score), run)


def test_a_run_that_stops_early_shows_its_end_as_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knew that the epoch would be the last one as it was recorded; what lacks is drawn and said then."""
    monkeypatch.setattr(diagnostics, "LEAST_DIVERSITY", 100)
    dataset = tiny_dataset(tmp_path)
    options = ("train.epochs=9", "train.evaluate_every=1", "train.patience=3", "train.sample_every=4")
    run = trained(tmp_path / "run", dataset, tiny_config(*options), best_in_epoch_2)
    assert sorted(grid.name for grid in run.samples.iterdir()) == ["epoch_0004.png", "epoch_0005.png"]
    assert capsys.readouterr().err.count("the generator has hardly begun to learn") == 1
    whole = trained(tmp_path / "whole" / "run", dataset, tiny_config("train.epochs=5", *options[3:]))
    pictures = [(of.samples / "epoch_0005.png", of.path / "losses.png") for of in (run, whole)]
    for ours, theirs in zip(*pictures, strict=True):
        assert np.array_equal(np.asarray(Image.open(ours)), np.asarray(Image.open(theirs)))


def test_a_run_whose_patience_ends_where_it_would_anyway_says_nothing_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset, config = (
        tiny_dataset(tmp_path),
        tiny_config("train.epochs=5", "train.evaluate_every=1", "train.patience=3"),
    )
    for _ in ("trained", "resumed"):
        trained(tmp_path / "run", dataset, config, best_in_epoch_2)
    assert "No better for" not in " ".join(capsys.readouterr().err.split())


def test_a_run_whose_checkpoints_are_scored_draws_from_the_best_unless_another_is_named(tmp_path: Path) -> None:
    dataset, options = tiny_dataset(tmp_path), ("train.epochs=3", "train.evaluate_every=1")

    def score(path: Path, wanted: bool) -> float:
        if int(path.stem[5:]) == 2 * STEPS:
            checkpoint.mark_best(path)
        return 0.0

    run = trained(tmp_path / "run", dataset, tiny_config(*options), score)
    assert load_sampler(run, "cpu").step == 2 * STEPS
    assert load_sampler(run, "cpu", checkpoint_name=str(3 * STEPS)).step == 3 * STEPS
    assert load_sampler(run, "cpu", checkpoint_name="last").step == 3 * STEPS
    plain = trained(tmp_path / "plain", dataset, tiny_config(*options, "sample.checkpoint=last"), score)
    assert load_sampler(plain, "cpu").step == 3 * STEPS
    file = run.path / "config.yaml"  # as it was before the option
    file.write_text("".join(line for line in file.read_text().splitlines(True) if "  checkpoint:" not in line))
    assert run.read_config().sample.checkpoint == "last" and load_sampler(run, "cpu").step == 3 * STEPS
    file.write_text(file.read_text().replace("  patience: 0.0", "  patience: 60.0"))
    assert load_sampler(run, "cpu").step == 2 * STEPS, "early stopping: the best one drew before the option, too"
