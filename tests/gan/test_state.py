"""What changes while a run trains."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import create, job_of, last, tiny_config, tiny_dataset, tiny_job
from xrgan.errors import XrganError
from xrgan.gan import training
from xrgan.gan.state import STATE_DICTS, TrainState, gradient_norms, grow, restore, save, start, update_ema
from xrgan.gan.step import train_step
from xrgan.rundir import RunDir


def test_the_average_follows_the_generator(tmp_path: Path) -> None:
    state = start(tiny_job(tmp_path))
    weight = next(state.generator.parameters())
    average = next(state.ema.parameters())
    with torch.no_grad():
        average.zero_()
        weight.fill_(1.0)
    state.images_seen = 10_000_000
    update_ema(state, 100, halflife_images=100)
    assert torch.allclose(average, torch.tensor(0.5)), "one half-life of images halves the distance"
    state.images_seen = 1900
    with torch.no_grad():
        average.zero_()
    update_ema(state, 100, halflife_images=10_000)
    assert torch.allclose(average, torch.tensor(0.5)), "early on, the half-life is 5 % of the images seen"
    update_ema(state, 100, halflife_images=0)
    assert torch.equal(average, weight)


def test_nan_stops_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.epochs=4")
    plain_step = training.train_step

    def poisoned(state: TrainState, *rest: object) -> None:
        plain_step(state, *rest)  # type: ignore[arg-type]
        if state.step == 20:
            with torch.no_grad():
                next(state.generator.parameters()).fill_(float("nan"))

    monkeypatch.setattr(training, "train_step", poisoned)
    run = RunDir(tmp_path / "run")
    create(run, dataset, config)
    with pytest.raises(XrganError, match=r"NaN.*gradient_clip=1"):
        training.train(job_of(run, dataset, config))
    content = last(run)
    assert content["step"] == 16
    assert all(torch.isfinite(weight).all() for weight in content["generator"].values())
    assert [row["epoch"] for row in run.read_losses()] == [1, 2]


def test_a_fresh_generator_already_draws_like_the_training_images(tmp_path: Path) -> None:
    """Before the first step: bright where its class is bright, and image and mask together."""
    state = start(tiny_job(tmp_path, n=96, masks=("lungs",)))
    labels = torch.arange(64) % 2
    coarse = state.ema.eigen(torch.randn(64, 8), labels)  # type: ignore[union-attr,operator]
    above, below = coarse[:, :, :8].mean(dim=(2, 3)), coarse[:, :, 8:].mean(dim=(2, 3))
    assert ((above > below) == (labels == 0)[:, None]).all()


def test_the_weights_come_from_the_seed_alone(tmp_path: Path) -> None:
    """Whatever torch's own random state is, which stays as it was."""
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = start(tiny_job(tmp_path / "one"))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    other, another = (start(tiny_job(tmp_path / name, f"train.seed={k}")) for k, name in enumerate(("two", "three")))
    for key, weight in one.generator.state_dict().items():
        assert torch.equal(weight, other.generator.state_dict()[key])
    assert not torch.equal(next(one.generator.parameters()), next(another.generator.parameters()))


def test_the_average_shares_what_was_computed_from_the_images(tmp_path: Path) -> None:
    state = start(tiny_job(tmp_path))
    assert state.ema.eigen is state.generator.eigen
    assert next(state.ema.stem.parameters()) is not next(state.generator.stem.parameters())  # type: ignore[union-attr]


def test_a_saved_state_is_restored(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, "model.progressive=8,16", "train.augment=adaptive")
    assert restore(job) is None
    state = start(job)
    train_step(state, job)
    grow(state, 0.5)
    state.seconds, state.augment = 3.5, 0.25
    save(state, job)
    again = restore(job)
    assert again is not None
    for name in ("step", "images_seen", "seconds", "augment", "grown"):
        assert getattr(again, name) == getattr(state, name), name
    assert torch.equal(again.sums, state.sums) and torch.equal(again.signs, state.signs)
    assert again.generator.grown == again.ema.grown == again.discriminator.grown == 0.5
    for name in STATE_DICTS[:3]:
        ours, theirs = getattr(state, name).state_dict(), getattr(again, name).state_dict()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours), name


def test_a_state_from_before_the_last_loss_was_added_is_restored(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    state = start(job)
    train_step(state, job)
    state.sums = state.sums[:7]
    save(state, job)
    again = restore(job)
    assert again is not None and torch.equal(again.sums, torch.cat([state.sums, torch.zeros(1)]))


def test_a_model_never_shrinks(tmp_path: Path) -> None:
    state = start(tiny_job(tmp_path, "model.progressive=8,16"))
    for position, grown in ((0.25, 0.25), (1, 1), (0.5, 1)):
        grow(state, position)
        assert state.grown == state.generator.grown == grown


def test_gradient_norms_are_of_the_last_step(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    state = start(job)
    train_step(state, job)
    weights = state.generator.parameters()
    squares = sum(float(weight.grad.square().sum()) for weight in weights if weight.grad is not None)
    assert gradient_norms(state)["generator_gradient"] == pytest.approx(squares**0.5, rel=1e-4)
