"""What a run shows and records while it trains."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import job_of, tiny_config, tiny_dataset, tiny_job, trained
from xrgan.gan import diagnostics
from xrgan.gan.monitor import epoch_means, epoch_row, monitoring, preview
from xrgan.gan.schedule import Schedule, TrainingClock
from xrgan.gan.state import restore, start

pytestmark = pytest.mark.slow


def test_a_run_is_diagnosed_now_and_then_and_warns_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "IMAGES_BETWEEN", 128)
    monkeypatch.setattr(diagnostics, "LEAST_DIVERSITY", 100)
    dataset, config = tiny_dataset(tmp_path, n=96, masks=("lungs",)), tiny_config("train.epochs=6", masks=True)
    run = trained(tmp_path / "run", dataset, config)
    rows = run.read_losses()
    assert ["diversity" in row for row in rows] == [False, True] * 3  # 64 images an epoch
    assert capsys.readouterr().err.count("The drawn images are alike") == 1


def test_the_end_of_a_short_training_is_judged_and_not_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "LEAST_DIVERSITY", 100)
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config("train.epochs=2"))
    assert capsys.readouterr().err.count("the generator has hardly begun to learn") == 1
    assert not any("diversity" in row for row in run.read_losses())


def test_rows_behind_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    """A run that lost its last checkpoint trains that epoch once more."""
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=3")
    run = trained(tmp_path / "run", dataset, config)
    rows = run.read_losses()
    max(run.checkpoints.glob("step_*.pt")).unlink()
    job = job_of(run, dataset, config)
    state = restore(job)
    assert state is not None
    clock = TrainingClock(state)
    with monitoring(job, Schedule(job, clock), clock, state):
        assert run.read_losses() == rows[:2]


def test_grids_are_drawn_from_the_same_latents_every_time(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config("train.epochs=5", "train.sample_every=2"))
    assert [file.name for file in sorted(run.samples.iterdir())] == [f"epoch_000{k}.png" for k in (2, 4, 5)]
    job = tiny_job(tmp_path / "again")
    one, other = (preview(start(job).ema, job) for _ in range(2))
    assert one.shape == (1, 8 * 18 + 2, 8 * 18 + 2) and (one == other).all()


def test_an_epoch_that_time_cut_short_has_a_broken_number(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    state = start(job)
    state.step, state.images_seen, state.sums = 11, 44, torch.full((8,), 6.0)
    row = epoch_row(state, job)
    assert (row["epoch"], row["step"], row["images_seen"]) == (1.38, 11, 44)
    assert row["discriminator_loss"] == row["d_fake"] == 2, "a third of the sum over three steps"
    state.step = 16
    assert epoch_row(state, job)["epoch"] == 2 and epoch_means(state, job)["penalty"] == 0.75


def test_images_without_a_label_are_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = tiny_dataset(tmp_path)
    dataset.labels[:5] = -1
    trained(tmp_path / "run", dataset, tiny_config())
    assert capsys.readouterr().err.count("5 training images have no label and are left out.") == 1
