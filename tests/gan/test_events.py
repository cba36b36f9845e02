"""TensorBoard reads what a training tells it; a disk that refuses it does not end the training."""

import errno
import os
import platform
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.gan.helpers import create, tiny_config, tiny_dataset
from tests.test_failures import largest_file
from xrgan.gan import training
from xrgan.gan.events import Events
from xrgan.rundir import RunDir


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag: [(one.step, one.value) for one in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_shows_the_curves_and_pictures_and_hides_what_is_trained_once_more(tmp_path: Path) -> None:
    first = Events(tmp_path)
    first.add_scalars({"loss": 0.5, "kid": 2.0}, 10)
    first.add_scalars({"loss": 0.25, "kid": 1.0}, 20)
    first.add_image("samples", np.zeros((1, 8, 8), np.uint8), 20)
    again = Events(tmp_path, purge_step=11)
    again.add_scalars({"loss": 0.125}, 20)
    assert curves(tmp_path)["loss"] == [(10, 0.5), (20, 0.125)]
    assert curves(tmp_path)["kid"] == [(10, 2.0)]
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["images"] == ["samples"]
    names = [file.name for file in tmp_path.iterdir()]
    assert all("tfevents" in name and platform.node() not in name for name in names)


def test_a_disk_that_refuses_events_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with largest_file(100):
        events = Events(tmp_path / "tensorboard")
        for step in range(20):
            events.add_scalars({"loss": 0.5}, step)
    said = capsys.readouterr().err
    assert said.count("Warning") == 1
    assert os.strerror(errno.EFBIG) in said


@pytest.mark.slow
def test_a_training_goes_on_without_a_folder_for_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tiny_config("train.tensorboard=true", "train.epochs=1")
    job = create(RunDir(tmp_path / "run"), tiny_dataset(tmp_path), config)
    job.run.tensorboard.write_text("not a folder")
    assert training.train(job).epochs == 1
    assert "the training goes on without it" in capsys.readouterr().err
