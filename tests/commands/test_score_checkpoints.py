"""Scores of a run's checkpoints, while it trains and afterwards; the network of the features is a toy."""

import dataclasses
import json
import math
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.gan.helpers import assert_same, tiny_config, tiny_dataset
from xrgan import cli
from xrgan.commands import score_checkpoints as per_checkpoint
from xrgan.commands.score_checkpoints import evaluate_checkpoints
from xrgan.commands.train import create_run, reopen_run
from xrgan.config_resolve import to_yaml
from xrgan.data.packed import hash_content, open_packed
from xrgan.errors import XrganError
from xrgan.evaluation import checkpoint_report, checkpoint_scores
from xrgan.evaluation.extractors import Extractor, custom
from xrgan.files import read_yaml, write_yaml
from xrgan.gan import checkpoint, training
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir
from xrgan.workspace import Workspace

pytestmark = pytest.mark.slow


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
    training.train(*create_run(workspace, run, config, "tiny"))
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
    assert len({row.clipped_coverage_floor for row in rows}) == 1
    assert all(0 <= row.clipped_coverage <= 1 for row in rows)
    most = max(row.clipped_coverage for row in rows)
    least = min((row for row in rows if row.clipped_coverage >= most - 0.05), key=lambda row: row.kid)
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
    training.train(*reopen_run(workspace, parts, saved, wanted, None))
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


def test_rows_without_coverage_are_scored_anew(workspace: Workspace) -> None:
    run = scored_run(workspace, "run", "train.epochs=2")
    rows = checkpoint_scores.read(run.evaluation)
    unknown = [dataclasses.replace(row, clipped_coverage=math.nan, clipped_coverage_floor=math.nan) for row in rows]
    checkpoint_scores.write(run.evaluation, unknown)
    assert evaluate_checkpoints(workspace, run, run.read_config())[0] == rows


def test_eyes_that_it_was_trained_against_choose_no_checkpoint(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = scored_run(workspace, "run", "train.epochs=2", "train.evaluate_every=0")
    toy = dataclasses.replace(per_checkpoint.extractor_of(workspace, run.read_config())(), trained_against=True)
    monkeypatch.setattr(per_checkpoint, "extractor_of", lambda *_: lambda: toy)
    with pytest.raises(XrganError, match="not scored by toy: the discriminator looks through it"):
        evaluate_checkpoints(workspace, run, run.read_config())


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
    training.train(*reopen_run(workspace, run, saved, wanted, None))
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
        training.train(*reopen_run(workspace, run, saved, wanted, None))
    assert run.read_config() == saved


def test_without_held_out_images_training_with_scores_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    prepared = tmp_path / "data/prepared/tiny"
    index = pd.read_csv(prepared / "index.csv", keep_default_na=False)
    index["split"] = "train"
    index.to_csv(prepared / "index.csv", index=False)
    content_hash = hash_content(index, prepared / "images.npy")
    write_yaml(prepared / "dataset.yaml", read_yaml(prepared / "dataset.yaml") | {"content_hash": content_hash})
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


def test_a_checkpoint_of_another_run_is_passed_over(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    settings = ("train.epochs=2", "train.evaluate_every=0")
    run = scored_run(workspace, "run", *settings)
    other = scored_run(workspace, "other", *settings, "train.seed=3")
    foreign = run.checkpoints / "step_00000064.pt"
    shutil.copy(max(other.checkpoints.iterdir()), foreign)
    rows, best = evaluate_checkpoints(workspace, run, run.read_config())
    assert [row.step for row in rows] == [8, 16]
    assert best is not None
    assert f"{foreign.name} is another run's. It is not scored." in capsys.readouterr().err


def test_the_scorer_says_how_long_no_checkpoint_was_better(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = scored_run(workspace, "run", "train.epochs=4", "train.keep_checkpoints=9")
    rows = [
        dataclasses.replace(row, kid=row.step / 100, seconds=row.step) for row in checkpoint_scores.read(run.evaluation)
    ]
    checkpoint_scores.write(run.evaluation, [dataclasses.replace(row, clipped_coverage=0.5) for row in rows])
    config = run.read_config()
    scorer = per_checkpoint.CheckpointScorer(
        run, open_packed(workspace.find_prepared("tiny")), config, per_checkpoint.extractor_of(workspace, config)()
    )
    path = checkpoint.path_of(run.checkpoints, 32)
    assert scorer.score_reached(path, True) == 32 - 8, "the first was the best"
    assert scorer.score_reached(path, False) == 0


def test_patience_without_scores_is_refused(workspace: Workspace) -> None:
    with pytest.raises(XrganError, match=r"--patience waits for a better score.*--evaluate-every"):
        create_run(workspace, workspace.run_at("run"), tiny_config("train.patience=5"), "tiny")
    assert not workspace.runs()
