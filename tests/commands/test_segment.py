"""`xrgan segment`, typed: from phantoms drawn with masks to a verdict, and what is refused before any training."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.terminal import Terminal
from xrgan import cli
from xrgan.data.packed import hash_content
from xrgan.files import write_yaml

pytestmark = pytest.mark.slow

QUICK = "--epochs 1 --width 4 --batch-size 8 --set segment.resamples=100"
TRAIN = "train --data phantom_32 --epochs 1 --batch-size 8 --precision fp32 --no-compile"
TINY = "--set model.generator_width=4 --set model.discriminator_width=4 --set train.tensorboard=false"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with phantoms of 32 pixels, with masks and without, and a run that draws masks."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in (
            "fetch phantom --n 40 --size 32",
            "prepare --size 32",
            "prepare --size 32 --masks none --name bare",
            f"{TRAIN} --run exp1 --masks {TINY}",
        ):
            patch.setattr(sys, "argv", ["xrgan", *line.split(), "--quiet"])
            with pytest.raises(SystemExit) as ended:
                cli.main()
                sys.exit(0)
            assert not ended.value.code, line
    return folder


@pytest.fixture
def type_(
    prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Terminal:
    shutil.copytree(prepared, tmp_path / "here")
    return Terminal(tmp_path / "here", monkeypatch, capfd)


def rewrite(file: str, old: str, new: str) -> None:
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new))


def test_from_a_run_to_a_verdict_and_on_where_it_stopped(type_: Terminal) -> None:
    answer = type_(f"segment {QUICK}")
    assert "exp1: U-Net on the untouched test split, lungs and heart" in answer.out
    assert "real+synthetic" in answer.out and "Against real: " in answer.out
    assert "runs/exp1/segment/report.md" in answer.out
    drawn = len(list(Path("runs/exp1/segment/synthetic").glob("*_mask.png")))
    assert not Path("runs/exp1/synthetic").exists()
    scores = pd.read_csv("runs/exp1/segment/scores.csv")
    summary = yaml.safe_load(Path("runs/exp1/segment/summary.yaml").read_text())
    assert drawn == summary["images"]["training"] + summary["images"]["validation"]
    assert scores.n_synthetic.tolist() == [0, summary["images"]["training"]] and summary["options"]["k_folds"] == 0
    assert summary["dataset"]["structures"] == ["lungs", "heart"]
    with Image.open("runs/exp1/segment/overlays.png") as picture:
        assert picture.width > 1000 and len(np.unique(np.asarray(picture.convert("L")))) > 100

    again = type_(f"segment {QUICK} --arms real,real+classic,real+synthetic --json")
    assert "2 of 3 trainings" not in again.out and again.err.startswith("Warning: The test split has 2 patients")
    assert len(again.err.splitlines()) == 1, "a doubt, and nothing else"
    told = json.loads(again.out)
    assert [one["arm"] for one in told["results"]] == ["real", "real+classic", "real+synthetic"]
    after = pd.read_csv("runs/exp1/segment/scores.csv").set_index("arm")
    assert after.seconds["real"] == scores.seconds[0]  # not trained again
    assert (
        "3 of 3 trainings were there already" in type_(f"segment {QUICK} --arms real,real+classic,real+synthetic").err
    )


def test_a_generator_a_fold_is_trained_on_that_folds_images_alone(type_: Terminal) -> None:
    type_(f"segment {QUICK} --k-folds 2 --gan-per-fold")
    generators = sorted(Path("runs/exp1/segment/generators").iterdir())
    assert [path.name for path in generators] == ["fold1of2-seed0", "fold2of2-seed0"]
    scores = pd.read_csv("runs/exp1/segment/scores.csv").query("arm == 'real+synthetic'")
    seen = [
        yaml.safe_load((path / "environment.yaml").read_text())["dataset"]["training_images"] for path in generators
    ]
    assert scores.fold.tolist() == [1, 2] and scores.n_real.tolist() == seen == scores.n_synthetic.tolist()
    assert all(list((path / "synthetic").glob("*_mask.png")) for path in generators)
    assert not Path("runs/exp1/synthetic").exists()
    refused = type_("segment --gan-per-fold --synthetic runs/exp1", code=2)
    assert "--synthetic has no place beside it" in refused.err
    refused = type_("segment --arms real --synthetic runs/exp1", code=2)
    assert "--synthetic has no place beside --arms real" in refused.err


def test_a_folder_of_drawn_pairs_will_do(type_: Terminal) -> None:
    type_("sample --n 20 --out drawn")
    shutil.rmtree("runs/exp1/checkpoints")  # nothing can be drawn any more
    type_(f"segment {QUICK} --arms synthetic --synthetic drawn")
    assert pd.read_csv("runs/exp1/segment/scores.csv").n_synthetic.tolist() == [20]
    Path("drawn/synthetic_00007_mask.png").unlink()
    refused = type_(f"segment {QUICK} --synthetic drawn", code=1).err.replace("\n", " ")
    assert "synthetic_00007.png has no mask" in refused and "--masks" in refused


def test_a_planted_leak_is_refused_or_dropped(type_: Terminal) -> None:
    index = pd.read_csv("data/prepared/phantom_32/index.csv", dtype=str, keep_default_na=False)
    known = index["patient"][index["split"] == "train"].iloc[0]
    planted = index.index[index["split"] == "test"][0]
    index.loc[index["patient"] == index["patient"][planted], "patient"] = known
    index.to_csv("data/prepared/phantom_32/index.csv", index=False)
    card = Path("data/prepared/phantom_32/dataset.yaml")
    content_hash = hash_content(index, card.with_name("images.npy"))
    write_yaml(card, yaml.safe_load(card.read_text(encoding="utf-8")) | {"content_hash": content_hash})
    environment = Path("runs/exp1/environment.yaml")
    said = yaml.safe_load(environment.read_text(encoding="utf-8"))
    said["dataset"]["content_hash"] = content_hash
    write_yaml(environment, said)
    refused = type_(f"segment {QUICK}", code=1).err.replace("\n", " ")
    assert "in the test split of phantom_32" in refused and "--leaks drop" in refused
    assert not Path("runs/exp1/segment").exists() and not Path("runs/exp1/synthetic").exists()
    dropped = type_(f"segment {QUICK} --leaks drop").err.replace("\n", " ")
    assert "test images are left out: their patients were learned from" in dropped


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--k-folds 2", 1, ["exp1 learned from images", "left-out part", "--gan-per-fold"]),
        ("--data bare", 1, ["bare has no masks", "--masks lungs,heart"]),
        ("--synthetic nowhere", 1, ["no folder and no run nowhere"]),
        ("--arms real --k-folds 50", 1, ["segment.k_folds"]),
        ("--arms synthetic→real --epochs 1", 1, ["2 epochs or more"]),
        ("--arms unreal", 1, ["segment.arms"]),
        ("--synthetic NORMAL=drawn", 1, ["no folder and no run NORMAL=drawn"]),
    ],
)
def test_a_mistake_is_one_sentence_and_trains_nothing(type_: Terminal, line: str, code: int, words: list[str]) -> None:
    refused = type_(f"segment {line}", code=code).err.replace("\n", " ")
    for word in words:
        assert word in refused, refused
    assert not Path("runs/exp1/segment").exists() and not Path("runs/exp1/synthetic").exists()


def test_a_run_that_draws_no_masks_can_only_compare_real_arms(type_: Terminal) -> None:
    rewrite("runs/exp1/config.yaml", "  masks: true", "  masks: false")
    for line in ("segment", "segment --gan-per-fold --k-folds 2"):
        refused = type_(f"{line} {QUICK}", code=1).err.replace("\n", " ")
        assert "exp1 draws no masks" in refused and "xrgan train --masks" in refused
    type_(f"segment {QUICK} --arms real,real+classic --k-folds 2")
    scores = pd.read_csv("runs/exp1/segment/scores.csv")
    assert scores.fold.tolist() == [1, 1, 2, 2] and set(scores.n_synthetic) == {0}


def test_dry_run_prints_what_was_resolved_and_does_nothing(type_: Terminal) -> None:
    resolved = yaml.safe_load(type_(f"segment {QUICK} --seeds 3 --fractions 0.1,1 --dry-run").out)["segment"]
    assert (resolved["width"], resolved["epochs"], resolved["batch_size"]) == (4, 1, 8)
    assert resolved["seeds"] == 3 and resolved["fractions"] == [0.1, 1.0]
    assert not Path("runs/exp1/segment").exists()
