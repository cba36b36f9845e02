"""A run directory says all about its run, wherever it is moved to."""

import math
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.files import write_yaml
from xrgan.rundir import RunDir

rows_of_losses = st.lists(
    st.fixed_dictionaries({"epoch": st.integers(0, 10**12), "loss": st.floats(), "seconds": st.floats(0, 1e6)})
)


def test_everything_stands_below_the_run(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    places = [
        *(run.config_file, run.environment_file, run.losses_file, run.checkpoints, run.samples),
        *(run.synthetic, run.evaluation, run.classify, run.segment, run.tensorboard),
    ]
    assert run.name == "exp1"
    assert all(place.parent == run.path for place in places)
    assert len(set(places)) == len(places)


def test_a_run_is_there_once_it_has_a_configuration(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    assert not run.exists()
    run.path.mkdir()
    assert not run.exists()
    run.write_config(resolve())
    assert run.exists()


def test_the_configuration_is_read_back_without_how_the_images_were_prepared(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    config = resolve(settings=["train.epochs=3", "prepare.size=128", "dataset=chests"])
    run.write_config(config)
    assert run.read_config() == config.model_copy(update={"prepare": resolve().prepare})
    assert "prepare:" not in run.config_file.read_text(encoding="utf-8")


def test_what_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="exp1 is no run: it has no config.yaml"):
        RunDir(tmp_path / "exp1").read_config()


def test_a_damaged_configuration_is_named(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    run.write_config(resolve())
    run.config_file.write_text("train:\n  epochz: 3\n")
    with pytest.raises(XrganError, match="train.epochz.*config.yaml.*train.epochs"):
        run.read_config()


def test_the_dataset_is_known_by_its_hash(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    assert run.read_environment() == {}
    assert run.trained_on() == ""
    run.write_environment({"dataset": {"name": "chests", "content_hash": "abc"}, "seed": 1})
    assert run.trained_on() == "abc"
    assert run.read_environment()["seed"] == 1


def test_without_a_finished_epoch_there_are_no_losses(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "exp1")
    assert run.read_losses() == []
    run.write_losses([])
    assert run.read_losses() == []


@given(rows_of_losses)
def test_losses_are_read_back_to_the_last_bit(rows: list[dict[str, float]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = RunDir(Path(folder))
        run.write_losses(rows)
        read = run.read_losses()
    assert len(read) == len(rows)
    for there, row in zip(read, rows, strict=True):
        assert there == pytest.approx(row, rel=0, abs=0, nan_ok=True)


def test_losses_are_plain_csv_with_whole_numbers_whole(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write_losses([{"epoch": 1.0, "step": 250, "loss": 0.5}, {"epoch": 2.0, "step": 500, "loss": math.nan}])
    assert run.losses_file.read_text() == "epoch,step,loss\n1,250,0.5\n2,500,nan\n"


def test_losses_are_replaced(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write_losses([{"epoch": 1.0}, {"epoch": 2.0}])
    run.write_losses([{"epoch": 1.0}])
    assert run.read_losses() == [{"epoch": 1.0}]


@pytest.mark.parametrize("text", ["epoch,loss\n1,low\n", "epoch,loss\n1\n", "epoch,loss\n1,2,3\n", "epoch\n\x00\x00\n"])
def test_damaged_losses_are_named(tmp_path: Path, text: str) -> None:
    run = RunDir(tmp_path)
    run.losses_file.write_text(text)
    with pytest.raises(XrganError, match="losses.csv is damaged") as told:
        run.read_losses()
    assert "could not convert" not in told.value.message and "argument" not in told.value.message


def test_scores_are_those_of_evaluate(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    assert run.read_scores() == {}
    write_yaml(run.evaluation / "scores.yaml", {"metrics": {"fid": {"value": 12.5}}})
    assert run.read_scores()["metrics"]["fid"]["value"] == 12.5


def test_a_moved_run_is_the_same_run(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "here")
    run.write_config(resolve(settings=["train.epochs=3"]))
    run.write_losses([{"epoch": 1.0}])
    moved = RunDir(Path(shutil.move(run.path, tmp_path / "there")))
    assert moved.read_config().train.epochs == 3
    assert moved.read_losses() == [{"epoch": 1.0}]
    assert str(tmp_path) not in "".join(file.read_text() for file in moved.path.iterdir())


@pytest.mark.parametrize("text", ["epoch,loss\nnan,1\n", "loss\n1\n", "epoch,step\n1,inf\n", "epoch,step\n1,2\n,3\n"])
def test_losses_without_the_number_of_an_epoch_are_damaged(tmp_path: Path, text: str) -> None:
    run = RunDir(tmp_path)
    run.losses_file.write_text(text)
    with pytest.raises(XrganError, match="losses.csv is damaged"):
        run.read_losses()


def test_losses_without_a_column_that_is_needed_name_it(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    run.write_losses([{"epoch": 1.0, "loss": 0.5}])
    with pytest.raises(XrganError, match="losses.csv is damaged: line 2 has no d_real"):
        run.read_losses(["epoch", "d_real"])


@pytest.mark.parametrize(
    "environment", ["dataset: [1]", "dataset: {content_hash: 3}", "initialised_from: {run: a}", "initialised_from: a"]
)
def test_an_environment_of_other_types_is_damaged(tmp_path: Path, environment: str) -> None:
    run = RunDir(tmp_path)
    run.environment_file.write_text(environment)
    with pytest.raises(XrganError, match="environment.yaml is damaged"):
        run.trained_on()


@pytest.mark.parametrize("scores", ["metrics: 3", "metrics: {fid: 3}", "metrics: {fid: {value: low}}"])
def test_scores_of_other_types_are_damaged(tmp_path: Path, scores: str) -> None:
    run = RunDir(tmp_path)
    run.evaluation.mkdir()
    (run.evaluation / "scores.yaml").write_text(scores)
    with pytest.raises(XrganError, match="scores.yaml is damaged"):
        run.read_scores()
