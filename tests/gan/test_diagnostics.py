"""What is wrong with a run is told while it trains, and looking changes nothing."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan.helpers import tiny_config, tiny_dataset
from xrgan.gan import diagnostics, setup, training
from xrgan.gan.batches import make_batches
from xrgan.gan.diagnostics import diagnose, explain
from xrgan.gan.state import TrainState, image_spec, start
from xrgan.rundir import RunDir

CPU = torch.device("cpu")


def fresh(tmp_path: Path, **more: object) -> tuple[TrainState, dict[str, float]]:
    dataset, config = tiny_dataset(tmp_path, n=240, **more), tiny_config()  # type: ignore[arg-type]
    state = start(config, image_spec(dataset, config), CPU)
    return state, diagnose(state, make_batches(dataset, config), image_spec(dataset, config), config, CPU)


def test_looking_changes_nothing(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, n=240), tiny_config()
    state = start(config, image_spec(dataset, config), CPU)
    before = copy.deepcopy((state.generator.state_dict(), state.discriminator.state_dict(), state.ema.state_dict()))
    random = torch.get_rng_state()
    figures = [diagnose(state, make_batches(dataset, config), image_spec(dataset, config), config, CPU) for _ in "ab"]
    assert figures[0] == figures[1]
    after = (state.generator.state_dict(), state.discriminator.state_dict(), state.ema.state_dict())
    for old, new in zip(before, after, strict=True):
        assert all(torch.equal(old[key], new[key]) for key in old)
    assert state.discriminator.training
    assert torch.equal(torch.get_rng_state(), random)


def test_a_generator_that_draws_one_image_has_no_diversity(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, n=240, classes=0), tiny_config(conditional=False)
    spec = image_spec(dataset, config)
    state = start(config, spec, CPU)
    with torch.no_grad():
        for tensor in state.ema.parameters():
            tensor.zero_()
    figures = diagnose(state, make_batches(dataset, config), spec, config, CPU)
    assert figures["diversity"] == 0
    assert "alike" in explain(figures)["diversity"]


def test_real_images_in_place_of_drawn_ones_are_as_diverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, config = tiny_dataset(tmp_path, n=240), tiny_config()
    others = dataset.xrays(dataset.of_split("train")[:64])
    monkeypatch.setattr(diagnostics, "generate", lambda *_: others)
    spec = image_spec(dataset, config)
    figures = diagnose(start(config, spec, CPU), make_batches(dataset, config), spec, config, CPU)
    assert figures["diversity"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("knows", "expected"), [("train", 1.0), ("real", 0.0)])
def test_overfitting_is_what_the_discriminator_does_not_say_of_unseen_images(
    tmp_path: Path, knows: str, expected: float
) -> None:
    """A discriminator that calls its training images real, or all real ones; drawn ones (gray) never."""
    dataset, config = tiny_dataset(tmp_path, n=240, classes=0), tiny_config(conditional=False)
    indices = dataset.of_split(*(("train",) if knows == "train" else ("train", "val")))
    known = {dataset.images[index].tobytes() for index in indices}

    class Memory(torch.nn.Module):
        def forward(self, images: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
            pixels = ((images + 1) * 127.5).round().to(torch.uint8).numpy()
            return torch.tensor([4.0 if image.tobytes() in known else -4.0 for image in pixels])

    state = start(config, image_spec(dataset, config), CPU)
    state.discriminator = Memory()
    figures = diagnose(state, make_batches(dataset, config), image_spec(dataset, config), config, CPU)
    assert figures["overfitting"] == expected
    assert ("overfitting" in explain(figures)) == (expected == 1)


def test_without_a_validation_split_nothing_is_said_of_overfitting(tmp_path: Path) -> None:
    dataset, config = tiny_dataset(tmp_path, n=240), tiny_config()
    object.__setattr__(dataset, "splits", np.full(240, "train"))
    spec = image_spec(dataset, config)
    assert "overfitting" not in diagnose(start(config, spec, CPU), make_batches(dataset, config), spec, config, CPU)


def test_a_run_is_examined_now_and_then_and_warns_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "IMAGES_BETWEEN", 128)
    monkeypatch.setattr(diagnostics, "LEAST_DIVERSITY", 100)
    dataset, config = tiny_dataset(tmp_path, n=96, masks=("lungs",)), tiny_config("train.epochs=6", masks=True)
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    training.train(run, dataset, config)
    rows = run.read_losses()
    assert ["diversity" in row for row in rows] == [False, True] * 3  # 64 images an epoch
    assert capsys.readouterr().err.count("The drawn images are alike") == 1
