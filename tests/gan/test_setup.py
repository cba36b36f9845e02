"""What `auto` means for a dataset, and what resuming may change."""

from pathlib import Path

import pytest
import torch

from tests.gan.helpers import CPU, create, memory_for, tiny_config, tiny_dataset, trained
from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.errors import XrganError
from xrgan.gan import setup
from xrgan.gan.plan import training_plan
from xrgan.rundir import RunDir

pytestmark = pytest.mark.slow


def test_conditional_is_chosen_by_the_classes(tmp_path: Path) -> None:
    wish = Config(device="cpu")
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "a", classes=2), CPU).model.conditional is True
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "b", classes=1), CPU).model.conditional is False
    unlabelled = tiny_dataset(tmp_path / "c", classes=0)
    assert setup.resolve_auto(wish, unlabelled, CPU).model.conditional is False
    forced = wish.model_copy(update={"model": wish.model.model_copy(update={"conditional": True})})
    with pytest.raises(XrganError, match="--unconditional"):
        setup.resolve_auto(forced, unlabelled, CPU)


PLAIN, DCGAN = ["model.discriminator=plain"], ["model.name=dcgan"]


@pytest.mark.parametrize(
    ("settings", "size", "probability", "variance"),
    [([], 16, 0.25, 0), ([], 128, 0.25, 3), (PLAIN, 16, 1, 0), (PLAIN, 128, 1, 0), (DCGAN, 128, 0, 0)],
)
def test_images_are_augmented_as_the_discriminator_needs_and_large_ones_have_to_vary(
    tmp_path: Path, settings: list[str], size: int, probability: float, variance: float
) -> None:
    dataset = tiny_dataset(tmp_path, n=16, size=size)
    wish = resolve(settings=[*settings, "device=cpu", "train.batch_size=4"])
    decided = setup.resolve_auto(wish, dataset, CPU).train
    assert (decided.augment, decided.variance) == (probability, variance)


@pytest.mark.parametrize(
    ("settings", "size", "resolutions"),
    [
        *(([], 64, ()), ([], 96, ()), ([], 128, (64, 128)), ([], 224, (56, 112, 224)), ([], 256, (64, 128, 256))),
        *((PLAIN, 128, ()), (DCGAN, 128, ()), (["model.progressive=none"], 128, ())),
    ],
)
def test_large_images_are_grown_from_smaller_ones(
    tmp_path: Path, settings: list[str], size: int, resolutions: tuple[int, ...]
) -> None:
    dataset = tiny_dataset(tmp_path, n=16, size=size)
    decided = setup.resolve_auto(resolve(settings=[*settings, "device=cpu", "train.batch_size=4"]), dataset, CPU)
    assert (decided.model.progressive, decided.model.growth) == (resolutions, "residual")
    assert training_plan(decided).model.progressive == resolutions
    before = decided.model_copy(update={"model": decided.model.model_copy(update={"growth": "auto"})})
    assert training_plan(before).model.growth == "fade", "a run from before the option"


def test_what_is_left_open_is_decided_by_the_model_and_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_masks = tiny_dataset(tmp_path / "masks", masks=("lungs",))
    decided = setup.resolve_auto(resolve(settings=["model.name=dcgan", "device=cpu"]), with_masks, CPU)
    assert (decided.train.loss, decided.train.r1, decided.train.augment) == ("bce", 0, 0)
    assert (decided.model.masks, decided.model.warps) == (False, 0)
    default = setup.resolve_auto(resolve(settings=["device=cpu"]), with_masks, CPU).model
    assert (default.masks, default.warps, default.discriminator_pixels) == (True, 16, 24)
    capsys.readouterr()
    decided = setup.resolve_auto(resolve(settings=["model.name=dcgan", "device=cpu"]), with_masks, CPU)
    said = capsys.readouterr().err
    assert "bce loss" in said and "not augmented" in said
    wish = ["train.loss=hinge", "train.r1=0.5", "train.augment=0.3", "model.masks=true", "device=cpu"]
    asked = setup.resolve_auto(resolve(settings=wish), with_masks, CPU)
    assert (asked.train.loss, asked.train.r1, asked.train.augment, asked.model.masks) == ("hinge", 0.5, 0.3, True)
    assert "with masks of lungs" in capsys.readouterr().err
    with pytest.raises(XrganError, match="no masks to draw"):
        setup.resolve_auto(resolve(settings=["model.masks=true", "device=cpu"]), tiny_dataset(tmp_path / "plain"), CPU)


def test_too_few_images_and_a_changed_setting_are_refused(tmp_path: Path) -> None:
    dataset = tiny_dataset(tmp_path)
    with pytest.raises(XrganError, match="32 training images.*batch of 64.*--batch-size 8"):
        create(RunDir(tmp_path / "run"), dataset, tiny_config("train.batch_size=64"))
    assert not (tmp_path / "run").exists()
    run = trained(tmp_path / "run", dataset, tiny_config())
    with pytest.raises(XrganError, match=r"train.lr = 0.0002.*0.1"):
        setup.update_config(run, tiny_config(), tiny_config("train.lr=0.1"))
    with pytest.raises(XrganError, match="2 epochs already"):
        setup.update_config(run, tiny_config(), tiny_config("train.epochs=1"))
    setup.update_config(run, tiny_config(), tiny_config("train.epochs=5", "train.sample_every=1"))
    assert run.read_config().train.epochs == 5
    with pytest.raises(XrganError, match="content hash"):
        setup.check_dataset(run, tiny_dataset(tmp_path / "other", n=60))


def test_auto_takes_what_fits_and_what_few_images_allow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = resolve(settings=["device=cpu", "model.generator_width=4", "model.discriminator_width=4"])
    dataset = tiny_dataset(tmp_path / "many", n=240)
    assert setup.resolve_auto(wish, dataset, CPU).train.batch_size == 16
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "few", n=12), CPU).train.batch_size == 2
    memory_for(5, monkeypatch)
    assert setup.resolve_auto(wish, dataset, CPU).train.batch_size == 4
    memory_for(1, monkeypatch)
    with pytest.raises(XrganError, match="Not even 2 images.*--size"):
        setup.resolve_auto(wish, dataset, CPU)


def test_several_processes_share_a_batch_that_fits_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = resolve(settings=["device=cpu", "model.generator_width=4", "model.discriminator_width=4"])
    dataset = tiny_dataset(tmp_path / "many", n=240)
    tried = memory_for(5, monkeypatch)
    decided = setup.resolve_auto(wish, dataset, CPU, processes=4)
    assert decided.train.batch_size == 16 and tried == [4]
    setup.check_shares(training_plan(decided), 4)
    with pytest.raises(XrganError, match="3 processes can't share 16 images.*--batch-size 18"):
        setup.check_shares(training_plan(decided), 3)
    assert setup.resolve_auto(wish, tiny_dataset(tmp_path / "few", n=12), CPU, 4).train.batch_size == 8


def test_a_gpu_trains_with_the_batch_that_was_raced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Larger ones are no slower there, and learn less per image: four times as many were once taken unasked."""
    gpu = torch.device("cuda")
    monkeypatch.setattr(setup, "largest_batch", lambda _plan, _spec, _device, most: most)
    monkeypatch.setattr(setup, "describe", lambda _: "a GPU")
    monkeypatch.setattr(setup, "choose_precision", lambda *_: "bf16")
    dataset = tiny_dataset(tmp_path, n=200)
    sizes = [setup.resolve_auto(resolve(), dataset, device).train.batch_size for device in (gpu, CPU)]
    assert sizes[0] == sizes[1]


def test_resuming_says_where_bits_will_differ_and_what_is_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunDir(tmp_path / "run")
    create(run, tiny_dataset(tmp_path), tiny_config())

    def said(precision: str = "fp32", **environment: object) -> str:
        run.write_environment(run.read_environment() | environment)
        capsys.readouterr()
        setup.warn_of_other_machine(run, CPU, precision)
        return " ".join(capsys.readouterr().err.split())

    assert said() == ""
    assert "began with 64 threads and is resumed with 1" in said(threads=64)
    assert "began on NVIDIA H100 and goes on on cpu" in said(device="NVIDIA H100", threads=1)
    monkeypatch.setattr(setup, "is_fast", lambda precision, _: precision == "fp32")
    assert "is trained in bf16, which cpu multiplies slowly" in said("bf16")
