"""A run whose checkpoints are scored while it trains: the same run, and a table that a stop doesn't break."""

import dataclasses
import io
import json
import os
import random
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from rich.console import Console

from tests.gan.helpers import tiny_config, tiny_dataset
from tests.gan.test_training import assert_same, last
from xrgan import cli, console
from xrgan.commands import score_checkpoints as per_checkpoint
from xrgan.commands.score_checkpoints import evaluate_checkpoints
from xrgan.commands.train import resume_run, train_new
from xrgan.config import Config
from xrgan.config_resolve import to_yaml
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_report, checkpoint_scores
from xrgan.evaluation.extractors import Extractor, custom
from xrgan.gan import checkpoint, schedule, setup, step, training
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

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


# All of it, with a network of features that is a toy


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A tiny prepared dataset, an extractor that sees the mean of each quarter of an image, and quick pictures."""
    monkeypatch.setenv("XRGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(checkpoint_report, "draw", lambda path, rows, _: path.write_text(f"{len(rows)} rows"))
    monkeypatch.setattr("xrgan.gan.monitor.plot_losses", lambda *_: None)

    def network(images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images.float(), 2).flatten(1) / 255

    toy = custom("toy", "1", 4, network, "cpu", channels=1)
    monkeypatch.setattr("xrgan.commands.train.extractor_of", lambda *_: lambda: toy)
    monkeypatch.setattr("xrgan.commands.score_checkpoints.extractor_of", lambda *_: lambda: toy)
    tiny_dataset(tmp_path / "data/prepared")
    return Workspace(tmp_path / "data", tmp_path / "runs")


def scored_run(workspace: Workspace, name: str, *settings: str) -> RunDir:
    run = workspace.run_at(name)
    config = tiny_config("train.evaluate_every=1", "train.keep_checkpoints=2", *settings)
    train_new(workspace, run, config, "tiny")
    return run


def table(run: RunDir) -> list[tuple[object, ...]]:
    return [
        (row.checkpoint, row.epoch, row.images_seen, row.fid, row.kid) for row in checkpoint_scores.read(run.evaluation)
    ]


def test_training_writes_the_table_and_marks_the_best_on_val(workspace: Workspace) -> None:
    run = scored_run(workspace, "run", "train.epochs=5", "train.lr=0.01")
    rows = checkpoint_scores.read(run.evaluation)
    assert [(row.step, row.epoch, row.images_seen) for row in rows] == [(8 * k, k, 32 * k) for k in range(1, 6)]
    assert {row.setting for row in rows} == {checkpoint_scores.Setting("val", 8, 0, "toy", 4)}
    assert [row.seconds for row in rows] == [row["seconds"] for row in run.read_losses()]
    assert len({(row.fid_floor, row.kid_floor) for row in rows}) == 1 and len({row.kid for row in rows}) == 5
    assert (run.evaluation / checkpoint_report.PICTURE).read_text() == "5 rows"
    least = min(rows, key=lambda row: row.kid)
    assert load_sampler(run, "cpu", checkpoint_name="best").step == least.step


def test_a_resumed_run_has_the_table_of_one_that_never_stopped(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a row behind the checkpoint stay, which a run left that lost its last checkpoint."""
    whole = scored_run(workspace, "whole", "train.epochs=4")
    parts = scored_run(workspace, "parts", "train.epochs=2")
    saved = parts.read_config()
    wanted = saved.model_copy(update={"train": saved.train.model_copy(update={"epochs": 4})})
    lost = dataclasses.replace(checkpoint_scores.read(whole.evaluation)[-1], kid=-1.0)
    checkpoint_scores.write(parts.evaluation, [*checkpoint_scores.read(parts.evaluation), lost])
    drawn: list[str] = []
    real = per_checkpoint.drawn_in_memory
    monkeypatch.setattr(
        per_checkpoint, "drawn_in_memory", lambda *given: (drawn.append(given[2].stem), real(*given))[1]
    )
    resume_run(workspace, parts, saved, wanted, None)
    assert table(parts) == table(whole)
    assert [name for name in drawn if name != "best"] == ["step_00000024", "step_00000032"], "no score is taken twice"
    assert_same(whole, parts)


def test_every_checkpoint_is_scored_once_a_setting(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run = scored_run(workspace, "run", "train.epochs=4", "train.evaluate_every=0", "train.keep_checkpoints=3")
    assert not run.evaluation.exists()
    config = run.read_config()
    rows, best = evaluate_checkpoints(workspace, run, config)
    assert [row.epoch for row in rows] == [2, 3, 4]
    assert best is not None and checkpoint.on_disk(run.checkpoints)[best.step].name == checkpoint.BEST
    monkeypatch.setattr(per_checkpoint, "drawn_in_memory", lambda *_: pytest.fail("scored twice"))
    assert evaluate_checkpoints(workspace, run, config) == (rows, best)
    monkeypatch.undo()


def test_another_setting_begins_rows_of_its_own_and_test_marks_nothing(workspace: Workspace) -> None:
    run = scored_run(workspace, "run", "train.epochs=3")
    marked = checkpoint.load(run.checkpoints / "best.pt")["step"]
    chosen = run.read_config().evaluate.model_copy(update={"split": "test", "n": 5})
    config = run.read_config().model_copy(update={"evaluate": chosen})
    rows, best = evaluate_checkpoints(workspace, run, config)
    assert best is None and {(row.split, row.n) for row in rows} == {("test", 5)}
    assert {row.step for row in rows} == {marked, 16, 24}
    assert len(checkpoint_scores.read(run.evaluation)) == 3 + len(rows)
    assert checkpoint.load(run.checkpoints / "best.pt")["step"] == marked


def test_the_best_of_other_settings_only_gives_way_to_a_better_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A best checkpoint that is nowhere else on disk is scored under the new settings before another replaces it."""
    run = scored_run(workspace, "run", "train.epochs=3")
    checkpoint.mark_best(run.checkpoints / "step_00000016.pt")
    saved = run.read_config()
    monkeypatch.setattr(checkpoint_report, "best", lambda rows, _: next(row for row in rows if row.step == 16))
    wanted = saved.model_copy(
        update={
            "train": saved.train.model_copy(update={"epochs": 5}),
            "evaluate": saved.evaluate.model_copy(update={"n": 6}),
        }
    )
    resume_run(workspace, run, saved, wanted, None)
    assert [row.step for row in checkpoint_scores.read(run.evaluation) if row.n == 6] == [16, 24, 32, 40]
    assert checkpoint.load(run.checkpoints / "best.pt")["step"] == 16


def test_without_the_weights_training_is_refused_before_anything_is_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> object:
        def make() -> Extractor:
            raise XrganError("FID and KID need the Inception weights.", "Fetch them.")

        return make

    monkeypatch.setattr("xrgan.commands.train.extractor_of", offline)
    monkeypatch.setattr(training, "train_step", lambda *_: pytest.fail("trained"))
    with pytest.raises(XrganError, match=r"Inception weights.*Fetch them.*`--evaluate-every 0`"):
        scored_run(workspace, "run")
    assert not (workspace.runs_root / "run").exists()
    monkeypatch.undo()
    run = scored_run(workspace, "run", "train.evaluate_every=0")
    saved = run.read_config()
    monkeypatch.setattr("xrgan.commands.train.extractor_of", offline)
    wanted = saved.model_copy(update={"train": saved.train.model_copy(update={"evaluate_every": 1, "epochs": 3})})
    with pytest.raises(XrganError, match="--evaluate-every 0"):
        resume_run(workspace, run, saved, wanted, None)
    assert run.read_config() == saved


def test_without_held_out_images_training_with_scores_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    index = tmp_path / "data/prepared/tiny/index.csv"
    index.write_text(index.read_text().replace(",val", ",train").replace(",test", ",train"))
    with pytest.raises(XrganError, match=r"no test images.*prepare --split"):
        scored_run(workspace, "run")
    assert not (workspace.runs_root / "run").exists()


def test_typed(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text(to_yaml(tiny_config("train.epochs=2"), leave_out=["phantom", "prepare"]))

    def typed(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["xrgan", *line.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, " ".join(said.err.split())

    code, out, _ = typed("train --run runs/a --data tiny --config tiny.yaml --evaluate-every 2")
    assert code == 0 and "runs/a/evaluation/over_time.png" in out
    code, out, said = typed("resume --run a --epochs 3 --evaluate-every 1")
    assert code == 0 and "step_00000024: FID" in said
    code, out, said = typed("evaluate --run a --every-checkpoint")
    assert code == 0 and "real vs real" in out and "best" in out and "sample --checkpoint best" in said
    assert len(json.loads(typed("evaluate --run a --every-checkpoint --json")[1])["checkpoints"]) == 3
    code, out, _ = typed("sample --run a --checkpoint best -n 3")
    assert code == 0 and len(list(Path("runs/a/synthetic").glob("synthetic_*[0-9].png"))) == 3
    for beside in ("--ssim", "--synthetic runs/a/synthetic", "--reference train"):
        code, _, said = typed(f"evaluate --run a --every-checkpoint {beside}")
        assert code == 2 and beside.split()[0] in said
