"""A run that begins with another's networks."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import create, last, tiny_config, tiny_dataset, trained
from xrgan.config import Config
from xrgan.data.packed import PackedDataset
from xrgan.errors import XrganError
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def made(root: Path, dataset: PackedDataset, config: Config, source: RunDir | None = None) -> RunDir:
    run = RunDir(root)
    create(run, dataset, config, source)
    return run


@pytest.fixture
def source(tmp_path: Path) -> RunDir:
    dataset = tiny_dataset(tmp_path / "source_data")
    return trained(tmp_path / "source", dataset, tiny_config())


def test_every_weight_is_taken_over_but_the_eigen_x_rays(tmp_path: Path, source: RunDir) -> None:
    dataset = tiny_dataset(tmp_path / "new", n=120)
    run = made(tmp_path / "run", dataset, tiny_config("train.seed=5"), source)
    ours, theirs = last(run), last(source)
    assert ours["step"] == ours["images_seen"] == 0
    for network in ("generator", "discriminator", "ema"):
        for key, weight in theirs[network].items():
            same = torch.equal(weight, ours[network][key])
            assert same != key.startswith("eigen.") or key.endswith("num_batches_tracked"), key
    assert run.read_environment()["initialised_from"] == {"run": "source", "step": 16, "dataset": source.trained_on()}
    trained(run.path, dataset, tiny_config("train.seed=5"))
    assert last(run)["step"] == 40


def test_twice_the_resolution_shares_what_is_coarser(
    tmp_path: Path, source: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tiny_dataset(tmp_path / "large", size=32)
    run = made(tmp_path / "run", dataset, tiny_config(), source)
    ours, theirs = last(run), last(source)
    assert torch.equal(ours["generator"]["stages.8.0.weight"], theirs["generator"]["stages.8.0.weight"])
    assert torch.equal(ours["discriminator"]["stages.4.0.weight"], theirs["discriminator"]["stages.4.0.weight"])
    assert "are new" in capsys.readouterr().err
    trained(run.path, dataset, tiny_config())


def test_other_classes_take_over_the_common_part(tmp_path: Path, source: RunDir) -> None:
    dataset = tiny_dataset(tmp_path / "three", n=72, classes=3)
    run = made(tmp_path / "run", dataset, tiny_config(), source)
    ours, theirs = last(run)["generator"]["stem.0.weight"], last(source)["generator"]["stem.0.weight"]
    assert ours.shape[0] == theirs.shape[0] + 1
    assert torch.equal(ours[:-1], theirs)


def test_what_does_not_fit_is_refused_and_no_run_is_made(tmp_path: Path, source: RunDir) -> None:
    dataset = tiny_dataset(tmp_path / "new")
    wider = tiny_config("model.generator_width=16", "model.discriminator_width=16", "model.latent_size=9")
    with pytest.raises(XrganError, match="Hardly anything"):
        made(tmp_path / "wider", dataset, wider, source)
    with pytest.raises(XrganError, match="is a eigen, this run a dcgan.*--model eigen"):
        made(tmp_path / "other", dataset, tiny_config("model.name=dcgan"), source)
    empty = made(tmp_path / "empty", dataset, tiny_config())
    with pytest.raises(XrganError, match="no checkpoint to start from"):
        made(tmp_path / "from_empty", dataset, tiny_config(), empty)
    assert not any((tmp_path / name).exists() for name in ("wider", "other", "from_empty"))


GROWS = ["model.discriminator=projected", "model.discriminator_pixels=24", "model.growth=residual"]


def test_a_run_of_half_the_size_goes_on_as_the_first_size_of_one_that_grows(tmp_path: Path) -> None:
    small = trained(tmp_path / "small", tiny_dataset(tmp_path / "small_data"), tiny_config(*GROWS))
    growing = tiny_config(*GROWS, "model.progressive=16,32")
    large = tiny_dataset(tmp_path / "large_data", size=32)
    ours, theirs = last(made(tmp_path / "large", large, growing, small)), last(small)
    assert ours["grown"] == 0
    for name, weight in theirs["discriminator"].items():
        assert torch.equal(ours["discriminator"][f"views.16.{name}"], weight)
    assert torch.equal(ours["ema"]["heads.16.weight"], theirs["ema"]["heads.16.weight"])
    trained(tmp_path / "large", large, growing)
    again = last(made(tmp_path / "again", large, growing, RunDir(tmp_path / "large")))
    assert again["grown"] == 1, "of the same size, it has learned what the smaller one teaches"
