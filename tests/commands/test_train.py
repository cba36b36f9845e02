"""`xrgan train` and `xrgan resume`, typed."""

from pathlib import Path

import pytest
import yaml

from tests.terminal import TINY, Terminal, tree

pytestmark = pytest.mark.slow


def test_train_on_a_run_that_exists_goes_on_with_it(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16")
    type_("prepare --size 16")
    type_("train --run runs/exp1 --epochs 1", *TINY)
    assert "going on" in type_("train --run runs/exp1 --epochs 2").err
    assert "exp1 has trained 2 epochs" in type_("resume --run exp1").err
    before = tree(Path("runs"))
    refused = type_("train --run runs/exp1 --lr 0.01", code=1)
    assert "train.lr = 0.0008" in refused.err and "0.01" in refused.err
    assert "3 training images" not in refused.err
    assert tree(Path("runs")) == before


def test_a_size_that_the_networks_cannot_draw_leaves_no_run(type_: Terminal) -> None:
    type_("fetch phantom --n 30 --size 32")
    type_("prepare --size 36")
    assert "power of two" in type_("train --epochs 1", code=1).err
    assert not Path("runs").exists()


def test_without_a_gpu_device_cuda_is_one_sentence(type_: Terminal) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    type_("fetch phantom --n 30 --size 16")
    type_("prepare --size 16")
    refused = type_("train --run runs/exp1 --device cuda", code=1)
    assert "no cuda device" in refused.err and "--device auto" in refused.err
    assert not Path("runs").exists()


def test_dry_run_names_the_dataset_and_what_auto_means_there(type_: Terminal) -> None:
    type_("fetch phantom --n 20 --size 16")
    assert yaml.safe_load(type_("train --dry-run").out)["train"]["augment"] == "auto", "nothing is prepared yet"
    type_("prepare --size 16")
    told = yaml.safe_load(type_("train --dry-run").out)
    assert told["dataset"] == "phantom_16" and told["model"]["conditional"] is True
    assert "auto" not in told["train"].values() and "auto" not in told["model"].values()
    assert not Path("runs").exists()


def test_weights_that_no_loss_looks_through_are_refused(type_: Terminal) -> None:
    assert "beside --perceptual" in type_("train --perceptual-weights vgg16.pth", code=2).err
    assert "--runs-root" in type_(f"train --runs-root {__file__}", code=2).err


def test_a_folder_that_is_no_run_is_refused(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16")
    before = tree(Path())
    for name in (".", "..", "/", "data", "data/raw"):
        refused = type_(f"train --run {name} --epochs 1", *TINY, code=1)
        assert f"{name} is there, and is no run" in refused.err
    assert tree(Path()) == before


def test_a_dataset_that_was_changed_is_refused(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16")
    type_("prepare --size 16")
    type_("train --run exp1 --epochs 1", *TINY)
    index = Path("data/prepared/phantom_16/index.csv")
    index.write_text(index.read_text().replace(",train,", ",test,", 1))
    assert "was changed since it was prepared" in type_("resume --run exp1 --epochs 2", code=1).err
    assert "was changed since it was prepared" in type_("train --run exp2 --epochs 1", *TINY, code=1).err
    judged = type_("evaluate --ssim", code=1).err
    assert "was changed since it was prepared" in judged and "xrgan prepare --table FILE" in judged
    assert not Path("runs/exp2").exists()


def test_another_number_of_threads_is_said(type_: Terminal) -> None:
    import torch

    type_("fetch phantom --n 40 --size 16")
    type_("prepare --size 16")
    type_("train --run exp1 --epochs 1", *TINY)
    assert "threads" not in type_("resume --run exp1 --epochs 2").err
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    said = type_("resume --run exp1 --epochs 3").err.replace("\n", " ")
    torch.set_num_threads(threads)
    assert f"began with {threads} threads and is resumed with {threads + 1}" in said


def test_a_run_of_minutes_says_how_it_trains_on(type_: Terminal) -> None:
    type_("fetch phantom --n 20 --size 16")
    type_("prepare --size 16")
    said = type_("train --run runs/a --minutes 0.01", *TINY).err
    assert "in its 0.01 minutes; `xrgan resume --minutes N` trains on to N." in said
