"""What a step minimises, and that every option changes it."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import batch, last, tiny_config, tiny_dataset, tiny_job, trained, weights_file
from xrgan.gan.losses import gradient_penalty
from xrgan.gan.state import gradient_norms, start
from xrgan.gan.step import train_step

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "option",
    [
        *("train.r1=1", "train.r2=1", "train.augment=1", "train.loss=hinge", "train.feature_matching=5"),
        *("train.lr_end=0.5", "model.progressive=8,16", "train.rotation=20", "train.scaling=0.3"),
    ],
)
def test_every_option_changes_what_is_learned(tmp_path: Path, option: str) -> None:
    dataset = tiny_dataset(tmp_path)
    base = ["train.epochs=1"] + ["train.augment=1"] * ("rotation" in option or "scaling" in option)
    plain = trained(tmp_path / "plain", dataset, tiny_config(*base))
    other = trained(tmp_path / "other", dataset, tiny_config(*base, option))
    ours, theirs = (last(run)["generator"] for run in (plain, other))
    assert any(not torch.equal(ours[key], theirs[key]) for key in ours.keys() & theirs.keys())


@pytest.mark.parametrize(("discriminator", "times"), [("projected", 2), ("plain", 3)])
def test_what_the_discriminator_sees_through_frozen_weights_is_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, discriminator: str, times: int
) -> None:
    """Of a real and a drawn batch; one that learns its features looks at the drawn batch again after its update."""
    job = tiny_job(tmp_path, f"model.discriminator={discriminator}")
    state, looked = start(job), []
    real = state.discriminator.features
    monkeypatch.setattr(state.discriminator, "features", lambda images: looked.append(len(images)) or real(images))
    train_step(state, job)
    assert len(looked) == times


def test_a_penalty_keeps_the_discriminator_flat(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    gradients = []
    for name, r1 in (("plain", 0), ("flat", 5)):
        run = trained(
            tmp_path / name,
            job.dataset,
            tiny_config("train.epochs=8", f"train.r1={r1}", "train.penalty_every=1", "train.lr=0.005"),
        )
        state = start(job)
        state.discriminator.load_state_dict(last(run)["discriminator"])
        real, labels = batch(job.batches, 0)
        gradients.append(gradient_penalty(state.discriminator.eval(), real, labels).item())
    assert gradients[1] < 0.5 * gradients[0]


def test_gradients_are_clipped_and_recorded_as_they_were_before(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, "train.gradient_clip=0.001")
    state = start(job)
    train_step(state, job)
    for network in (state.discriminator, state.generator):
        gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
        assert float(torch.nn.utils.get_total_norm(gradients)) <= 0.00101
    assert all(norm > 0.01 for norm in gradient_norms(state).values())


@pytest.mark.parametrize("with_file", [True, False])
def test_every_part_of_the_loss_is_logged_by_itself(
    tmp_path: Path, with_file: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = [f"train.perceptual_weights={weights_file(tmp_path)}"] if with_file else []
    options = ["train.feature_matching=0.5", "train.perceptual=0.1", "train.variance=2", *weights, "train.epochs=1"]
    rows = trained(tmp_path / "run", tiny_dataset(tmp_path), tiny_config(*options)).read_losses()
    assert ("looks through EfficientNet-Lite0" in " ".join(capsys.readouterr().err.split())) != with_file
    parts = [rows[0][name] for name in ("feature_matching", "perceptual", "variance")]
    assert min(parts) > 0 and rows[0]["generator_loss"] > sum(parts)
    plain = trained(tmp_path / "plain", tiny_dataset(tmp_path / "again"), tiny_config()).read_losses()
    assert plain[0]["feature_matching"] == plain[0]["perceptual"] == plain[0]["variance"] == 0
    assert all(row["discriminator_gradient"] > 0 and row["generator_gradient"] > 0 for row in (*rows, *plain))


def test_lazy_regularization_is_taken_every_few_steps(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, "train.r1=2", "train.penalty_every=4", "train.lr=1e-8")
    state, penalties = start(job), []
    for _ in range(8):
        before = state.sums.clone()
        train_step(state, job)
        penalties.append(float((state.sums - before)[1]))
    assert [penalty > 0 for penalty in penalties] == [True, False, False, False] * 2
    real, labels = batch(job.batches, 4)
    r1 = gradient_penalty(state.discriminator, real, labels).item()
    assert penalties[4] == pytest.approx(2 / 2 * 4 * r1, rel=0.01)


def test_a_step_counts_itself_and_its_images(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    state = start(job)
    weights = [next(network.parameters()).clone() for network in (state.generator, state.discriminator, state.ema)]
    train_step(state, job)
    assert (state.step, state.images_seen) == (1, 4)
    for before, network in zip(weights, (state.generator, state.discriminator, state.ema), strict=True):
        assert not torch.equal(before, next(network.parameters()))
    assert all(weight.requires_grad for weight in state.discriminator.parameters())
