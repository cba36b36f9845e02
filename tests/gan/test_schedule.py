"""The learning rate, growth, the clock, and the end of a training."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.gan.helpers import tiny_config, tiny_dataset, tiny_job, trained
from xrgan.gan import schedule, training
from xrgan.gan.job import Job
from xrgan.gan.sampler import load_sampler, sample_block
from xrgan.gan.schedule import Schedule, TrainingClock, cosine_decay, growth_at
from xrgan.gan.state import TrainState, start

pytestmark = pytest.mark.slow


def test_the_learning_rate_falls_along_a_cosine(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, "train.lr_end=0.2", "train.lr=0.01", "train.epochs=4")
    state, rates = start(job), []
    plan = Schedule(job, TrainingClock(state))
    for state.step in (0, 16, 32):
        plan.apply(state)
        rates.append(state.generator_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01, 0.006, 0.002])
    assert [cosine_decay(progress, 0) for progress in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


FADING = ["model.progressive=8,16", "model.growth=fade"]
GROWING = ["model.progressive=8,16", "model.growth=residual"]


def test_each_resolution_has_its_share_of_the_training(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, *FADING, "train.epochs=4")
    state, grown = start(job), []
    plan = Schedule(job, TrainingClock(state))
    for state.step in (0, 15, 16, 20, 24, 32, 8):
        plan.apply(state)
        grown.append(state.grown)
    assert grown == [0, 0, 0, 0.5, 1, 1, 1]
    run = trained(job.run.path, job.dataset, tiny_config(*FADING, "train.epochs=4"))
    assert load_sampler(run, "cpu").generator.grown == 1


@pytest.mark.parametrize("discriminator", ["plain", "projected"])
def test_smaller_images_are_learned_first(
    tmp_path: Path, discriminator: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, int]] = []
    real_step = training.train_step

    def noting(state: TrainState, job: Job, *rest: object) -> None:
        real_step(state, job, *rest)  # type: ignore[arg-type]
        seen.append((job.size_at(state.grown), state.generator(torch.zeros(2, 8), torch.tensor([0, 1])).shape[-1]))

    monkeypatch.setattr(training, "train_step", noting)
    settings = [*GROWING, f"model.discriminator={discriminator}", "train.augment=1"]
    run = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config(*settings))
    assert seen == [(8, 8)] * 8 + [(16, 16)] * 8
    assert capsys.readouterr().err.count("After 32 images the networks grow to 16 pixels") == 1
    early = sorted(run.checkpoints.glob("step_*"))[0]
    for name in ("", early.stem.removeprefix("step_")):
        assert sample_block(load_sampler(run, "cpu", checkpoint_name=name), 0, 0)[0].shape[1:] == (1, 16, 16)


@pytest.mark.parametrize(
    ("progress", "expected"), [(0, 0), (0.3, 0), (1 / 3, 0), (0.5, 1), (7 / 12, 1), (0.75, 1.5), (0.9, 2), (1, 2)]
)
def test_growth_of_three_resolutions(progress: float, expected: float) -> None:
    """A third of the training each; the second and the third fade in over the first half of theirs."""
    assert growth_at(progress, 3, fades=True) == pytest.approx(expected)
    assert growth_at(progress, 3) == min(int(3 * progress), 2)


def test_a_run_is_done_after_its_epochs_or_its_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: now[0]))
    job = tiny_job(tmp_path / "epochs", "train.epochs=4")  # of 8 steps
    state = start(job)
    by_epochs = Schedule(job, TrainingClock(state))
    state.step = 31
    assert (by_epochs.done(state), by_epochs.images_left(state)) == (False, 4)
    state.step = 32
    assert by_epochs.done(state) and by_epochs.progress(state) == 1

    state.seconds = 30  # in an earlier session
    clock = TrainingClock(state)
    by_minutes = Schedule(tiny_job(tmp_path / "minutes", "train.minutes=1"), clock)
    assert by_minutes.images_left(state) is None
    now[0] += 15
    with clock.paused():
        now[0] += 1000
    assert (clock.seconds(), clock.session_seconds(), by_minutes.progress(state)) == (45, 15, 0.75)
    assert not by_minutes.done(state)
    now[0] += 15
    assert by_minutes.done(state)
