"""What is wrong with a run is told while it trains, and looking changes nothing."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import CPU, tiny_job
from xrgan.gan import diagnostics
from xrgan.gan.diagnostics import diagnose, explain
from xrgan.gan.sampler import generate
from xrgan.gan.state import build_state, grow, start


def test_looking_changes_nothing(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, n=240)
    state = build_state(job.plan, job.spec, CPU)
    before = copy.deepcopy((state.generator.state_dict(), state.discriminator.state_dict(), state.ema.state_dict()))
    random = torch.get_rng_state()
    figures = [diagnose(state, job) for _ in "ab"]
    assert figures[0] == figures[1]
    after = (state.generator.state_dict(), state.discriminator.state_dict(), state.ema.state_dict())
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[key], new[key]) for key in old)
    assert state.discriminator.training
    assert torch.equal(torch.get_rng_state(), random)


def test_a_generator_that_draws_one_image_has_no_diversity(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, n=240, conditional=False)
    state = build_state(job.plan, job.spec, CPU)
    with torch.no_grad():
        for tensor in state.ema.parameters():
            tensor.zero_()
    figures = diagnose(state, job)
    assert figures["diversity"] == 0
    assert "alike" in explain(figures)["diversity"]


def test_real_images_in_place_of_drawn_ones_are_as_diverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = tiny_job(tmp_path, n=240)
    others = job.dataset.xrays(job.dataset.of_split("train")[:64])
    monkeypatch.setattr(diagnostics, "generate", lambda *_: others)
    figures = diagnose(build_state(job.plan, job.spec, CPU), job)
    assert figures["diversity"] == pytest.approx(1, abs=0.1)


def test_one_that_grows_is_compared_at_the_size_that_it_has_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tiny_job(tmp_path, "model.progressive=8,16", "model.growth=residual", n=240)
    state, others = start(job), job.dataset.xrays(job.dataset.of_split("train")[64:128])
    for position, size in enumerate((8, 16)):
        grow(state, position)
        assert generate(state.ema, torch.zeros(2, 8), torch.tensor([0, 1]), size).shape[-1] == size
        drawn = others.reshape(64, 1, size, 16 // size, size, 16 // size).mean(axis=(3, 5)).round().astype(np.uint8)
        with monkeypatch.context() as patch:
            patch.setattr(diagnostics, "generate", lambda *_, drawn=drawn: drawn)
            assert diagnose(state, job)["diversity"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("knows", "expected"), [("train", 1.0), ("real", 0.0)])
def test_overfitting_compares_unseen_images_with_training_images(tmp_path: Path, knows: str, expected: float) -> None:
    """A discriminator that calls its training images real, or all real ones; drawn ones (gray) never."""
    job = tiny_job(tmp_path, n=240, conditional=False)
    indices = job.dataset.of_split(*(("train",) if knows == "train" else ("train", "val")))
    known = {job.dataset.images[index].tobytes() for index in indices}

    class Memory(torch.nn.Module):
        def forward(self, images: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            pixels = ((images + 1) * 127.5).round().to(torch.uint8).numpy()
            return torch.tensor([4.0 if image.tobytes() in known else -4.0 for image in pixels])

    state = build_state(job.plan, job.spec, CPU)
    state.discriminator = Memory()
    figures = diagnose(state, job)
    assert figures["overfitting"] == expected
    assert ("overfitting" in explain(figures)) == (expected == 1)


def test_without_a_validation_split_nothing_is_said_of_overfitting(tmp_path: Path) -> None:
    job = tiny_job(tmp_path, n=240)
    object.__setattr__(job.dataset, "splits", np.full(240, "train"))
    assert "overfitting" not in diagnose(build_state(job.plan, job.spec, CPU), job)


def test_a_short_training_that_draws_alike_may_only_have_begun() -> None:
    assert "hardly begun to learn" in explain({"diversity": 0.01, "images_seen": 192})["diversity"]
    assert "may have collapsed" in explain({"diversity": 0.01})["diversity"]
