"""A run's folder is its own, is whole or not there, and has one trainer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gan.helpers import create, last, tiny_config, tiny_dataset, trained
from xrgan.errors import XrganError
from xrgan.gan import claim, setup, training
from xrgan.gan.claim import growing, locked, refuse_other_folder
from xrgan.rundir import RunDir
from xrgan.temporary_names import temporary_beside

pytestmark = pytest.mark.slow


def dead_process() -> int:
    """The number of a process that is over."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path / "empty")
    for path in (Path(), Path(".."), Path("/"), tmp_path / "letters", tmp_path / "letters/a.txt", tmp_path / "gone"):
        with pytest.raises(XrganError, match="is there, and is no run"):
            refuse_other_folder(RunDir(path))
    monkeypatch.chdir(tmp_path)
    refuse_other_folder(RunDir(tmp_path / "empty"))
    refuse_other_folder(RunDir(tmp_path / "new"))


def test_a_run_appears_when_it_is_whole(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with growing(run) as folder:
        (folder.path / "config.yaml").touch()
        assert not run.path.exists()
    assert [file.name for file in run.path.iterdir()] == ["config.yaml"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("failure", [XrganError("no"), KeyboardInterrupt(), OSError("full")])
def test_a_run_that_can_not_be_made_leaves_nothing(failure: BaseException, tmp_path: Path) -> None:
    with pytest.raises(type(failure)), growing(RunDir(tmp_path / "run")) as folder:
        (folder.path / "config.yaml").touch()
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_of_two_starts_at_once_one_is_refused(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "run")
    with pytest.raises(XrganError, match="is there"), growing(run):
        with growing(run_of_another := RunDir(tmp_path / "other")) as folder:
            (folder.path / "config.yaml").touch()
        run_of_another.path.rename(run.path)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_a_killed_start_left_is_swept_and_what_another_does_is_not(tmp_path: Path) -> None:
    own, dead = os.getpid(), dead_process()
    begun = [temporary_beside(tmp_path / name, "new") for name in ("run", "run", "running")]
    left, alive, other = (
        path.with_name(path.name.replace(f"-{own}.", f"-{k}.")) for path, k in zip(begun, (dead, 1, dead), strict=True)
    )
    for folder in (left, alive, other):
        (folder / "checkpoints").mkdir(parents=True)
    with growing(RunDir(tmp_path / "run")):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([alive.name, other.name, "run"])


def test_a_crash_between_the_first_checkpoint_and_the_configuration_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next training would go on from foreign networks, and not know it."""
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=1")
    source = trained(tmp_path / "source", dataset, config)
    run = RunDir(tmp_path / "run")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunDir, "write_config", crash)
        create(run, dataset, config, init_from=source)
    assert not run.path.exists()
    create(run, dataset, config)
    assert not run.checkpoints.exists()
    assert "initialised_from" not in run.read_environment()


def test_the_second_trainer_is_told_who_the_first_is(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=1")
    run = RunDir(tmp_path / "run")
    job = create(run, dataset, config)
    code = (
        "import sys; from pathlib import Path; from xrgan.gan.claim import locked; from xrgan.rundir import RunDir\n"
        f"with locked(RunDir(Path({str(run.path)!r}))): print('.', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == ".\n"
        for _ in range(2):
            with pytest.raises(XrganError, match=f"run is being trained by process {first.pid} on .* since"):
                training.train(job)
        with pytest.raises(XrganError, match="is being trained"):
            setup.update_config(run, config, tiny_config("train.epochs=2"))
        assert run.read_config() == config.model_copy(update={"device": "auto"})
        first.kill()
    assert training.train(job).epochs == 1
    assert not (run.path / claim.LOCK).exists()


def test_the_lock_is_let_go_when_a_training_fails(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    with pytest.raises(ZeroDivisionError), locked(run):
        raise ZeroDivisionError
    with locked(run):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_same_training_has_the_same_id_and_another_another(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    ids = []
    for number, setting in enumerate(("train.epochs=1", "train.epochs=2", "train.seed=1", "model.latent_size=4")):
        run = RunDir(tmp_path / f"run{number}")
        create(run, dataset, tiny_config(setting))
        ids.append(run.run_id())
    assert all(ids)
    assert ids[0] == ids[1], "what may change on resuming makes no other run"
    assert len(set(ids)) == 3
    training.train(create(RunDir(tmp_path / "last"), dataset, tiny_config("train.epochs=1")))
    assert last(RunDir(tmp_path / "last"))["run"] == ids[0]
