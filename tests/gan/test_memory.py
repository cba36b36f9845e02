"""Memory that runs out: the batch that fits is found, and named."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import CPU, create, job_of, memory_for, tiny_config, tiny_dataset, trained
from xrgan.errors import XrganError
from xrgan.gan import memory, training
from xrgan.gan.memory import largest_batch
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.plan import training_plan
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow

SPEC = ImageSpec(16, 1, 2)


@pytest.mark.parametrize(("memory", "most", "found"), [(100, 64, 64), (20, 64, 16), (16, 64, 16), (1, 8, 0)])
def test_the_largest_batch_that_fits_is_found(
    memory: int, most: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = memory_for(memory, monkeypatch)
    assert largest_batch(training_plan(tiny_config()), SPEC, CPU, most) == found
    assert tried == [most >> k for k in range(len(tried))]


def test_another_error_is_not_taken_for_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(memory, "train_generator", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        largest_batch(training_plan(tiny_config()), SPEC, CPU, 8)


def test_out_of_memory_names_the_batch_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training, "train_step", full)
    dataset, config = tiny_dataset(tmp_path, n=120), tiny_config("train.batch_size=32")
    run = RunDir(tmp_path / "run")
    create(run, dataset, config)
    memory_for(9, monkeypatch)
    with pytest.raises(XrganError, match="32 images a step.*--batch-size 8`, which fits"):
        training.train(job_of(run, dataset, config))
    memory_for(1, monkeypatch)
    with pytest.raises(XrganError, match="32 images a step.*narrower") as caught:
        training.train(job_of(run, dataset, config))
    assert "--batch-size" not in caught.value.hint


def test_a_compiler_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._inductor.exc import InvalidCxxCompiler

    def failing(*_: object) -> None:
        raise InvalidCxxCompiler

    monkeypatch.setattr(training, "train_step", failing)
    config = tiny_config("train.compile=true")
    with pytest.raises(XrganError, match=r"torch.compile failed.*without `--compile`"):
        trained(tmp_path / "run", tiny_dataset(tmp_path), config)


def test_out_of_memory_names_a_smaller_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training, "train_step", full)
    dataset, config = tiny_dataset(tmp_path), tiny_config("train.batch_size=8")
    run = RunDir(tmp_path / "run")
    create(run, dataset, config)
    with pytest.raises(XrganError, match="8 images a step.*--batch-size 4"):
        training.train(job_of(run, dataset, config))
