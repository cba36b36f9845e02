"""`xrgan sample`, typed, and images drawn for other commands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.terminal import TINY, Terminal

pytestmark = pytest.mark.slow


def test_copies_of_training_images_are_left_out_if_asked(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that draws three training images among its own; without the weights, by pixels alone."""
    from xrgan.data.packed import open_packed
    from xrgan.errors import XrganError
    from xrgan.evaluation import inception_weights
    from xrgan.gan import sample_folder
    from xrgan.gan.sampler import Sampler

    def no_weights() -> Path:
        raise XrganError("The Inception weights can't be had.")

    monkeypatch.setattr(inception_weights, "fetch_weights", no_weights)
    type_("fetch phantom --n 80 --size 32")
    type_("prepare --size 32")
    type_("train --run a --epochs 1 --model dcgan", *TINY)
    dataset = open_packed(Path("data/prepared/phantom_32"))
    copied = dataset.xrays(dataset.of_split("train")[:3])
    sample_block = sample_folder.sample_block

    def copying(sampler: Sampler, seed: int, block: int, label: str = "") -> Any:
        images, labels = sample_block(sampler, seed, block, label)
        if block == 0:
            images[[1, 4, 7], :1] = copied
        return images, labels

    monkeypatch.setattr(sample_folder, "sample_block", copying)
    answer = type_("sample -n 8 --reject-copies")
    assert "The Inception weights can't be had. Copies are looked for by their pixels alone." in answer.err
    assert "images looked like copies of training images, and were left out" in answer.err
    synthetic = Path("runs/a/synthetic")
    copies = {f"synthetic_0000{k}.png" for k in (2, 5, 8)}
    said = yaml.safe_load((synthetic / "sample.yaml").read_text())
    assert said["reject_copies"] == "pixels, against phantom_32" and {2, 5, 8} <= set(said["dropped"])
    assert len(sample_folder.list_images(synthetic)) == 8
    type_("evaluate --ssim --set evaluate.pairs=5")
    drawn = {path.name for path in sample_folder.list_images(synthetic)}
    assert len(drawn) == len(dataset.of_split("val", "test")) > 8, "more were drawn, in the same way"
    assert not copies & drawn
    for line, word in (("--interpolate --reject-copies", "nobody judges"), ("--data phantom_32", "--reject-copies")):
        assert word in type_(f"sample {line}", code=2).err


def test_evaluate_draws_more_from_the_checkpoint_that_drew_the_first(type_: Terminal) -> None:
    type_("fetch phantom --n 60 --size 16 --quiet")
    type_("train --epochs 3 --batch-size 8 --quiet --run runs/a --set prepare.size=16", *TINY)
    earlier = sorted(path.stem for path in Path("runs/a/checkpoints").glob("step_*.pt"))[0]
    type_(f"sample --run runs/a --n 2 --checkpoint {earlier}")
    assert "fewer than" in type_("evaluate --run runs/a --ssim").err
    origin = yaml.safe_load(Path("runs/a/synthetic/sample.yaml").read_text())
    assert f"step_{origin['step']:08d}" == earlier
    assert len(list(Path("runs/a/synthetic").glob("synthetic_*[0-9].png"))) > 2


def test_evaluate_draws_from_the_checkpoint_that_it_is_told_to(type_: Terminal) -> None:
    from xrgan.gan import checkpoint

    type_("fetch phantom --n 60 --size 16 --quiet")
    type_("train --epochs 2 --batch-size 8 --quiet --run runs/a --set prepare.size=16", *TINY)
    first = sorted(Path("runs/a/checkpoints").glob("step_*.pt"))[0]
    checkpoint.mark_best(first)
    type_("evaluate --run runs/a --ssim --set sample.checkpoint=best")
    origin = yaml.safe_load(Path("runs/a/synthetic/sample.yaml").read_text())
    assert f"step_{origin['step']:08d}" == first.stem
