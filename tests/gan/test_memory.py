"""Memory that runs out: the batch that fits is found, and named."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import tiny_config, tiny_dataset
from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.gan import memory, setup, training
from xrgan.gan.memory import largest_batch
from xrgan.gan.networks.base import ImageSpec
from xrgan.rundir import RunDir

CPU = torch.device("cpu")
SPEC = ImageSpec(16, 1, 2)


def memory_for(images: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A machine whose memory takes so many images a step; the sizes that were tried are noted."""
    tried: list[int] = []
    real = memory.train_discriminator

    def full(state: object, images_real: torch.Tensor, *rest: object) -> object:
        tried.append(len(images_real))
        if len(images_real) > images:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(state, images_real, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(memory, "train_discriminator", full)
    return tried


@pytest.mark.parametrize(("memory", "most", "found"), [(100, 64, 64), (20, 64, 16), (16, 64, 16), (1, 8, 0)])
def test_the_largest_batch_that_fits_is_found(
    memory: int, most: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = memory_for(memory, monkeypatch)
    assert largest_batch(tiny_config(), SPEC, CPU, most) == found
    assert tried == [most >> k for k in range(len(tried))]


def test_another_error_is_not_taken_for_full_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(memory, "train_generator", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        largest_batch(tiny_config(), SPEC, CPU, 8)


def test_auto_takes_what_fits_and_what_few_images_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = resolve(settings=["device=cpu", "model.generator_width=4", "model.discriminator_width=4"])
    dataset = tiny_dataset(tmp_path / "many", n=240)
    assert setup.resolve_auto(wish, dataset).train.batch_size == 16
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "few", n=12)).train.batch_size == 2
    memory_for(5, monkeypatch)
    assert setup.resolve_auto(wish, dataset).train.batch_size == 4
    memory_for(1, monkeypatch)
    with pytest.raises(XrganError, match="Not even 2 images.*--size"):
        setup.resolve_auto(wish, dataset)


def test_out_of_memory_names_the_batch_that_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training, "train_step", full)
    dataset, config = tiny_dataset(tmp_path, n=120), tiny_config("train.batch_size=32")
    run = RunDir(tmp_path / "run")
    setup.create_run(run, config, dataset)
    memory_for(9, monkeypatch)
    with pytest.raises(XrganError, match="32 images a step.*--batch-size 8`, which fits"):
        training.train(run, dataset, config)
    memory_for(1, monkeypatch)
    with pytest.raises(XrganError, match="32 images a step.*narrower") as caught:
        training.train(run, dataset, config)
    assert "--batch-size" not in caught.value.hint
