import shutil
from pathlib import Path

import pytest

from tests.gan.helpers import create, job_of, pixels, tiny_config, tiny_dataset, trained
from xrgan.errors import XrganError
from xrgan.gan import checkpoint, sample_folder, training
from xrgan.gan.prune import is_pruned, prune
from xrgan.gan.sampler import load_sampler
from xrgan.rundir import RunDir


@pytest.fixture
def run(tiny_run: RunDir, tmp_path: Path) -> RunDir:
    shutil.copytree(tiny_run.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


def test_a_pruned_run_draws_as_before(run: RunDir, tmp_path: Path) -> None:
    first, last = sorted(run.checkpoints.glob("step_*.pt"))[:1], sorted(run.checkpoints.glob("step_*.pt"))[-1]
    checkpoint.mark_best(first[0])
    for name in ("", "best"):
        sample_folder.fill(load_sampler(run, "cpu", checkpoint_name=name), tmp_path / f"before{name}", n=3, seed=1)
    done = prune(run)
    assert done.after < done.before / 2 and is_pruned(run)
    assert {file.name for file in run.checkpoints.iterdir()} == {last.name, "best.pt", "pruned.yaml"}
    for name in ("", "best"):
        sample_folder.fill(load_sampler(run, "cpu", checkpoint_name=name), tmp_path / f"after{name}", n=3, seed=1)
        assert pixels(tmp_path / f"after{name}") == pixels(tmp_path / f"before{name}")
    with pytest.raises(XrganError, match="averaged generator alone"):
        load_sampler(run, "cpu", ema=False)
    assert prune(run).dropped == 0, "a second time there is nothing to do"


def test_a_pruned_run_cannot_go_on_and_others_start_from_it(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=1")
    run = trained(tmp_path / "run", dataset, config)
    prune(run)
    with pytest.raises(XrganError, match=r"was pruned.*--init-from"):
        training.train(job_of(run, dataset, tiny_config("train.epochs=2")))
    job = create(RunDir(tmp_path / "next"), dataset, config, run)
    assert training.train(job).epochs == 1


def test_a_run_without_a_checkpoint_is_left_alone(tmp_path: Path) -> None:
    job = create(RunDir(tmp_path / "new"), tiny_dataset(tmp_path), tiny_config())
    with pytest.raises(XrganError, match="no checkpoint yet"):
        prune(job.run)
    assert not is_pruned(job.run)
