"""Checkpoint and seed → images."""

from pathlib import Path

import pytest
import torch

from xrgan.errors import XrganError
from xrgan.gan import sample_folder
from xrgan.gan.sampler import Sampler, latents, load_sampler
from xrgan.rundir import RunDir


def test_latents_are_standard_normal_and_their_own(sampler: Sampler) -> None:
    z = latents(3, 0, 500, 100)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    assert torch.equal(z[40:60], latents(3, 40, 20, 100))


def test_checkpoints_can_be_chosen(tiny_run: RunDir) -> None:
    steps = [int(path.stem.removeprefix("step_")) for path in sorted(tiny_run.checkpoints.iterdir())]
    assert load_sampler(tiny_run, "cpu", checkpoint_name=str(steps[0])).step == steps[0]
    assert load_sampler(tiny_run, "cpu").step == steps[-1]
    with pytest.raises(XrganError, match="no checkpoint yet"):
        empty = RunDir(tiny_run.path.parent / "empty")
        empty.path.mkdir()
        empty.write_config(tiny_run.read_config())
        load_sampler(empty, "cpu")


def test_nan_in_the_weights_is_one_sentence(tiny_run: RunDir, tmp_path: Path) -> None:
    sampler = load_sampler(tiny_run, "cpu")
    with torch.no_grad():
        next(sampler.generator.parameters())[0] = float("nan")
    with pytest.raises(XrganError, match="NaN.*--checkpoint"):
        sample_folder.fill(sampler, tmp_path, n=2, seed=0)
