"""When checkpoints are written: on a CPU after every epoch; on a GPU when it is time, by a thread, and the last one."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.gan.helpers import assert_same, create, last, tiny_config, tiny_dataset, trained
from xrgan.gan import checkpoint, saver
from xrgan.gan.saver import Saver, off_device, saving
from xrgan.gan.state import content_of, start
from xrgan.gan.step import train_step
from xrgan.rundir import RunDir


@pytest.fixture
def gpu_like(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let every job's saver think that it is on a GPU; the list's one entry is the time."""
    made, now = Saver.__init__, [0.0]

    def on_gpu(self: Saver, job: Any) -> None:
        made(self, job)
        self._thread = saver.ThreadPoolExecutor(1)

    monkeypatch.setattr(Saver, "__init__", on_gpu)
    monkeypatch.setattr(saver.time, "monotonic", lambda: now[0])
    return now


def steps_on_disk(run: RunDir) -> list[int]:
    return list(checkpoint.on_disk(run.checkpoints))


def test_on_a_gpu_the_end_alone_of_a_short_training_is_saved_and_it_is_the_same(
    tmp_path: Path, gpu_like: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=3")
    fast = trained(tmp_path / "fast", dataset, config)
    assert steps_on_disk(fast) == [24]
    assert [row["epoch"] for row in fast.read_losses()] == [1, 2, 3]
    monkeypatch.undo()
    assert_same(trained(tmp_path / "plain", dataset, config), fast)


def test_checkpoints_come_by_time_and_where_they_are_needed(tmp_path: Path, gpu_like: list[float]) -> None:
    job = create(RunDir(tmp_path / "run"), tiny_dataset(tmp_path), tiny_config("train.keep_checkpoints=9"))
    state = start(job)
    with saving(job) as writer:
        for now, needed in ((5, False), (31, False), (40, False), (41, True), (50, False), (72, False), (80, False)):
            gpu_like[0] = now
            state.step += 1
            writer.after_epoch(state, needed)
            if needed:
                assert checkpoint.path_of(job.run.checkpoints, state.step).exists(), "it waits"
        writer.at_end(state)
    assert steps_on_disk(job.run) == [2, 4, 6, 7]


def test_what_is_written_later_is_what_was_there(tmp_path: Path, gpu_like: list[float]) -> None:
    """The thread writes a copy: steps that are taken meanwhile are not in it; and what was shared stays so."""
    job = create(RunDir(tmp_path / "run"), tiny_dataset(tmp_path), tiny_config())
    state = start(job)
    train_step(state, job)
    content = content_of(state, job)
    copy, before = off_device(content), [weight.clone() for weight in state.generator.parameters()]
    train_step(state, job)
    for weight, (name, _) in zip(before, state.generator.named_parameters(), strict=True):
        assert torch.equal(copy["generator"][name], weight)
    shared = "eigen.components"
    assert copy["generator"][shared].data_ptr() == copy["ema"][shared].data_ptr()
    assert copy["step"] == content["step"] == 1 and copy.keys() == content.keys()


def test_a_full_disk_ends_the_training_as_it_does_on_a_cpu(
    tmp_path: Path, gpu_like: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28), "runs/a/checkpoints/step_00000008.pt")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(OSError, match="No space left"):
        trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config())


def test_a_run_goes_on_from_what_a_thread_wrote(tmp_path: Path, gpu_like: list[float]) -> None:
    dataset = tiny_dataset(tmp_path)
    run = trained(tmp_path / "run", dataset, tiny_config("train.epochs=1"))
    assert last(run)["step"] == 8
    assert last(trained(tmp_path / "run", dataset, tiny_config("train.epochs=2")))["step"] == 16
