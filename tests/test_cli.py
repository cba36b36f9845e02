"""The command line, by running it: in this process where it can be, so that torch is imported once."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import xrgan
from xrgan import cli
from xrgan.config import Config
from xrgan.rundir import RunDir

TINY = ["--set", "model.generator_width=4", "--set", "model.discriminator_width=4", "--precision", "fp32"]


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str


class Terminal:
    """Types commands in a folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capfd = folder, monkeypatch, capfd
        monkeypatch.chdir(folder)
        monkeypatch.delenv("XRGAN_DATA", raising=False)
        monkeypatch.delenv("XRGAN_RUNS", raising=False)

    def __call__(self, line: str, *more: str, code: int = 0) -> Answer:
        self._capfd.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["xrgan", *line.split(), *more])
        with pytest.raises(SystemExit) as ended:
            cli.main()
            sys.exit(0)
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        assert (ended.value.code or 0) == code, (line, out, err)
        return Answer(code, out, err)


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, monkeypatch, capfd)


def tree(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_the_way_from_nothing_to_images(type_: Terminal) -> None:
    """fetch → prepare (by train itself) → train → resume → sample, with no option that isn't needed."""
    assert "data/raw/phantom" in type_("fetch phantom --n 60 --size 32").out
    trained = type_("train --epochs 2 --set prepare.size=16", *TINY)
    assert "the only source here, and not prepared yet" in trained.err
    run = next(Path("runs").iterdir())
    assert run.name.startswith("phantom_16-") and run.name.endswith("-1")
    assert str(run / "samples/epoch_0002.png") in trained.out
    assert "latest" in type_("resume --epochs 3").err
    assert len((run / "losses.csv").read_text().splitlines()) == 4
    sampled = type_("sample --n 12 --seed 1 --interpolate")
    assert str(run / "synthetic/sheet.png") in sampled.out and str(run / "synthetic/walk.gif") in sampled.out
    assert len(list((run / "synthetic").glob("synthetic_*[0-9].png"))) == 12
    table = type_("runs").out
    assert run.name in table and "3/3" in table
    listed = json.loads(type_("runs --json").out)
    assert listed[0]["run"] == run.name and listed[0]["epochs"] == "3/3"
    type_("train --epochs 1", *TINY)
    assert sorted(path.name[-2:] for path in Path("runs").iterdir()) == ["-1", "-2"]


def test_roots_can_be_moved_by_flag_and_by_environment(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    type_("fetch phantom --n 40 --size 16 --data-root elsewhere")
    monkeypatch.setenv("XRGAN_DATA", "elsewhere")
    monkeypatch.setenv("XRGAN_RUNS", "my-runs")
    type_("prepare --size 16")
    type_("train --run first --epochs 1", *TINY)
    assert Path("my-runs/first/config.yaml").is_file()
    assert not Path("data").exists() and not Path("runs").exists()
    assert "first" in type_("runs").out
    assert "first" not in type_("runs --runs-root nowhere").out


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


def test_dry_run_prints_the_resolved_yaml_and_does_nothing(type_: Terminal) -> None:
    Path("mine.yaml").write_text("train:\n  epochs: 7\n  lr: 0.001\n  batch_size: 8\n")
    answer = type_("train --dry-run --config mine.yaml --set train.lr=0.002 --set train.batch_size=4 --batch-size 32")
    resolved = yaml.safe_load(answer.out)
    assert resolved["train"]["epochs"] == 7, "the file overrides the default"
    assert resolved["train"]["lr"] == 0.002, "--set overrides the file"
    assert resolved["train"]["batch_size"] == 32, "a flag overrides --set"
    assert sorted(path.name for path in Path().iterdir()) == ["mine.yaml"]
    assert yaml.safe_load(type_("prepare --dry-run --size 128 --split 0.7,0.2,0.1").out)["prepare"]["size"] == 128


def test_the_flags_of_a_study_reach_the_options(type_: Terminal) -> None:
    """What a study does with them stands in tests/commands."""
    RunDir(Path("runs/a")).write_config(Config())
    flags = (
        "--arms synthetic-to-real,real --fractions 0.05,1 --seeds 3 --k-folds 0 --gan-per-fold --leaks drop --ratio 0.5"
        " --arch densenet121 --weights none --unfreeze --epochs 7 --patience 0 --batch-size 4 --lr 0.01 --seed 9"
    )
    chosen = yaml.safe_load(type_(f"classify --dry-run {flags}").out)["classify"]
    assert chosen == {
        **Config().classify.model_dump(mode="json"),
        "arms": ["real", "synthetic→real"],
        "fractions": [0.05, 1.0],
        "seeds": 3,
        "k_folds": 0,
        "gan_per_fold": True,
        "leaks": "drop",
        "ratio": 0.5,
        "arch": "densenet121",
        "weights": "none",
        "unfreeze": True,
        "epochs": 7,
        "patience": 0,
        "batch_size": 4,
        "lr": 0.01,
        "seed": 9,
    }
    plain = yaml.safe_load(type_("classify --dry-run --one-gan").out)["classify"]
    assert plain == Config().classify.model_dump(mode="json")
    assert [file.name for file in Path("runs/a").iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("train --set train.batchsize=3", 1, ["train.batchsize", "train.batch_size"]),
        ("train --batch-size 1", 1, ["train.batch_size", "greater than or equal to 2"]),
        ("train --config nowhere.yaml", 1, ["nowhere.yaml"]),
        ("train", 1, ["Nothing was fetched", "xrgan fetch phantom", "--folder"]),
        ("train --data brain", 1, ["brain", "xrgan prepare"]),
        ("resume", 1, ["no run", "xrgan train"]),
        ("resume --run exp9", 1, ["exp9"]),
        ("sample", 1, ["no run", "xrgan train"]),
        ("evaluate --fid", 1, ["no run"]),
        ("classify", 1, ["no run"]),
        ("classify --predict images", 1, ["no run"]),
        ("classify --leaks ignore", 2, ["--leaks", "refuse", "drop"]),
        ("classify --k-folds", 2, ["--k-folds"]),
        ("classify --seeds many", 2, ["--seeds"]),
        ("prepare nowhere", 1, ["nowhere"]),
        ("fetch phantoom", 1, ["phantoom", "phantom"]),
        ("fetch", 2, ["--folder"]),
        ("fetch mine --folder nowhere", 1, ["nowhere"]),
        ("trian", 2, ["trian"]),
        ("train --epoch 3", 2, ["--epoch"]),
        ("prepare --size many", 2, ["--size"]),
        ("sample -n 0", 1, ["no run"]),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(type_: Terminal, line: str, code: int, words: list[str]) -> None:
    answer = type_(line, code=code)
    said = answer.err.replace("\n", " ")
    for word in words:
        assert word in said, said
    assert not any(path.is_file() for path in type_.folder.rglob("*") if ".lock" not in path.name), tree(type_.folder)


def test_what_can_be_fetched_and_what_is_here_is_listed(type_: Terminal) -> None:
    listed = type_("fetch --list")
    for name in ("phantom", "jrs, jsrt", "kermany", "rsna", "rsna-dicom", "nih", "covid", "lungs"):
        assert name in listed.out
    assert "covid: It contains images of rsna" in listed.err.replace("\n", " ")
    assert "nothing in data" in type_("data").err
    type_("fetch phantom --n 20 --size 32")
    type_("prepare --size 16")
    assert "yes: 20 images" in type_("fetch --list").out
    here = json.loads(type_("data --json").out)
    assert [source["source"] for source in here["fetched"]] == ["phantom"]
    dataset = here["prepared"][0]
    assert (dataset["dataset"], dataset["channels"], dataset["masks"]) == ("phantom_16", 1, "lungs, heart")
    Path("data/raw/broken").mkdir()
    Path("data/raw/broken/source.yaml").write_text("a: [")
    said = type_("data").out
    assert "phantom_16" in said and "broken (damaged)" in said


def test_prepare_knows_a_source_by_its_other_name(type_: Terminal) -> None:
    type_("fetch phantom --n 10 --size 16")
    assert "jrs has 247 images" in type_("fetch jsrt --folder data/raw/phantom/images").err
    assert "data/prepared/jrs_16" in type_("prepare jsrt --size 16").out


def test_prepare_takes_what_it_is_told(type_: Terminal) -> None:
    type_("fetch phantom --n 20 --size 32")
    said = type_("prepare --name a --size 16 --masks lungs --map PNEUMONIA=ill,*=well --window p1-p99 --clahe")
    assert "ill" in said.out and "1 channel + masks of lungs" in said.out
    assert "data/prepared/a/preview.png" in said.out
    facts = yaml.safe_load(Path("data/prepared/a/dataset.yaml").read_text())
    assert (facts["classes"], facts["masks"], facts["options"]["clahe"]) == (["ill", "well"], ["lungs"], True)
    one_class = type_("prepare --name b --size 16 --labels NORMAL --masks none --drop-duplicates --fix-leaks").out
    assert "NORMAL" in one_class and "PNEUMONIA" not in one_class


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--masks spine", ["no mask of 'spine'", "heart", "--masks none"]),
        ("--labels TB", ["no image has a label 'TB'", "NORMAL, PNEUMONIA"]),
        ("--map TB=1,*=0", ["no image is labelled 'TB'"]),
        ("--map TB", ["'TB'", "LABEL=class"]),
        ("--view PA", ["no image has a view 'PA'"]),
        ("--window p9", ["prepare.window", "p1-p99"]),
    ],
)
def test_a_wish_that_the_source_cannot_fulfil_leaves_nothing(type_: Terminal, flags: str, words: list[str]) -> None:
    type_("fetch phantom --n 10 --size 16")
    said = type_(f"prepare --size 16 {flags}", code=1).err.replace("\n", " ").lower()
    for word in words:
        assert word.lower() in said, said
    assert not Path("data/prepared/phantom_16").exists()


def test_a_real_choice_is_asked_for_with_what_is_there(type_: Terminal) -> None:
    type_("fetch phantom --n 30 --size 16")
    type_("prepare --size 16")
    type_("fetch mine --folder data/raw/phantom/images")
    refused = type_("train --epochs 1", code=2)
    assert "phantom_16" in refused.err and "mine" in refused.err and "--data" in refused.err
    assert "mine_16" in type_("train --data mine --epochs 1 --set prepare.size=16", *TINY).err


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


def test_version_help_and_completion(type_: Terminal) -> None:
    assert type_("--version").out.strip() == xrgan.__version__
    commands = ["fetch", "prepare", "train", "resume", "sample", "evaluate", "classify", "segment", "runs", "data"]
    overview = type_("--help").out
    for command in commands:
        assert command in overview
        assert "Usage: xrgan" in type_(f"{command} --help").out
    assert "_XRGAN_COMPLETE" in type_("--show-completion bash").out


def test_quiet_prints_the_result_only(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16 --quiet")
    assert type_("prepare --size 16 --quiet").err == ""
    assert type_("train --run a --epochs 1 --quiet", *TINY).err == ""


def test_the_module_runs_and_help_needs_no_torch() -> None:
    code = "import sys, xrgan.cli; print([m for m in ('torch', 'pandas', 'kaggle', 'matplotlib') if m in sys.modules])"
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert answer.stdout.strip() == "[]"
    answer = subprocess.run([sys.executable, "-m", "xrgan", "--help"], capture_output=True, text=True, check=True)
    assert "classify" in answer.stdout


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
