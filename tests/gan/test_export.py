import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest

from xrgan.errors import XrganError
from xrgan.gan.export import manifest_of, weights_of
from xrgan.gan.sampler import Sampler
from xrgan.rundir import RunDir
from xrgan.tensor_files import load_safetensors


def test_the_manifest_says_what_draws(tiny_run: RunDir, sampler: Sampler) -> None:
    manifest = manifest_of(tiny_run, sampler, "", ["before"])
    assert (manifest.run, manifest.step, manifest.size, manifest.classes) == ("run", 16, 16, ("class0", "class1"))
    assert manifest.dataset_hash == tiny_run.trained_on() and manifest.learned_from == ("before",)
    assert manifest.generator_sha256 == hashlib.sha256(weights_of(sampler)).hexdigest()


def test_the_weights_are_the_average_and_nothing_else(sampler: Sampler) -> None:
    weights = load_safetensors(weights_of(sampler), "a")
    state = sampler.generator.state_dict()
    assert weights.keys() == state.keys()
    assert all(weights[name].equal(state[name]) for name in state)


def test_a_run_without_a_checkpoint_is_said(tiny_run: RunDir, sampler: Sampler, tmp_path: Path) -> None:
    empty = dataclasses.replace(tiny_run, path=tmp_path)
    shutil.copy(tiny_run.path / "config.yaml", empty.path)
    with pytest.raises(XrganError, match="no checkpoint yet"):
        manifest_of(empty, sampler, "", [])
    with pytest.raises(XrganError, match="no checkpoint 77"):
        manifest_of(tiny_run, sampler, "77", [])
