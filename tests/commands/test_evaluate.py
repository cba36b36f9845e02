"""`xrgan evaluate --real DIR --synthetic DIR`: anybody's images, and whatever may be wrong with them."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.conftest import write_image
from tests.terminal import Terminal, tree

pytestmark = pytest.mark.slow


def fill(folder: Path, n: int, size: int = 32, mode: str = "L", seed: int = 0, ending: str = "png") -> None:
    for k in range(n):
        file = write_image(folder / f"image_{k:03d}.{ending}", size, size, seed + k, mode)
        if mode == "RGB":  # in colours, and not gray that is saved as RGB
            with Image.open(file) as gray:
                red = gray.convert("L")
            Image.merge("RGB", (red, red.rotate(90), red.rotate(180))).save(file)


@pytest.mark.parametrize(
    ("n", "size", "mode", "ending"), [(2, 32, "L", "png"), (5, 32, "RGB", "jpg"), (3, 1024, "L", "png")]
)
def test_any_size_number_and_colour(type_: Terminal, n: int, size: int, mode: str, ending: str) -> None:
    fill(Path("real"), n, size, mode, ending=ending)
    fill(Path("drawn"), n + 1, size, mode, seed=100, ending=ending)
    scores = json.loads(
        type_("evaluate --real real --synthetic drawn --ssim --ms-ssim --json").out
        if size > 176
        else type_("evaluate --real real --synthetic drawn --ssim --json").out
    )
    figures = scores["metrics"]
    assert scores["images"] | {"sha256": 0} == {"n": n, "size": f"{size}×{size}", "channels": len(mode), "sha256": 0}
    assert {"ssim_diversity", "ssim_random"} <= figures.keys() and "ssim_nearest" not in figures
    assert ("ms_ssim" in figures) == (size > 176)
    assert all(np.isfinite(figure["value"]) and figure["n"] == n for figure in figures.values())
    assert yaml.safe_load(Path("evaluation/drawn/scores.yaml").read_text()) == scores
    with Image.open("evaluation/drawn/overview.png") as picture:
        assert picture.width > 1000


def test_copies_are_looked_for_where_the_training_images_are_known(type_: Terminal) -> None:
    for name, seed in (("real", 0), ("training", 50)):
        fill(Path(name), 12, seed=seed)
    fill(Path("drawn"), 11, seed=200)
    write_image(Path("drawn/copy.png"), 32, 32, seed=53)
    answer = type_("evaluate --real real --synthetic drawn --training training --ssim --out scores")
    assert "SSIM to the nearest training image" in answer.out
    figure = yaml.safe_load(Path("scores/scores.yaml").read_text())["metrics"]["ssim_nearest"]
    assert figure["among"] == 12 and figure["value"] > figure["floor"]


def test_class_folders_are_compared_class_by_class(type_: Terminal) -> None:
    for folder, seed in (("real", 0), ("drawn", 50)):
        for name in ("NORMAL", "PNEUMONIA", f"only {folder}"):
            fill(Path(folder) / name, 4, seed=seed)
    scores = json.loads(type_("evaluate --real real --synthetic drawn --ssim --json").out)
    assert set(scores["metrics"]["ssim_diversity"]["per_class"]) == {"NORMAL", "PNEUMONIA"}


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--real nowhere --synthetic drawn", 1, ["no folder nowhere"]),
        ("--real empty --synthetic drawn", 1, ["no image in empty"]),
        ("--real real --synthetic empty", 1, ["no image in empty"]),
        ("--real mixed --synthetic drawn --ssim", 1, ["mixed"]),
        ("--real real --synthetic large --ssim", 1, ["48×48 gray", "32×32 gray"]),
        ("--real real --synthetic colour --ssim", 1, ["RGB", "gray"]),
        ("--real one --synthetic drawn --ssim", 1, ["only one real image"]),
        ("--real real", 2, ["--synthetic DIR"]),
        ("--real real --synthetic drawn --run x", 2, ["--run"]),
        ("--real real --synthetic drawn --fid --weights weights.pth", 1, ["weights.pth", "SHA-256"]),
        ("--real real --synthetic drawn --fid --weights none.pth", 1, ["no file none.pth"]),
        ("--real real --synthetic drawn --fid --extractor vgg", 1, ["'vgg'", "no network and no file"]),
        ("--real real --synthetic drawn --fid --extractor gone.pth", 1, ["no file gone.pth", "RAD-DINO"]),
        ("--real real --synthetic drawn --fid --extractor weights.pth", 1, ["weights.pth is damaged, or no file"]),
        ("--real real --synthetic drawn --fid --extractor classifier:gone", 1, ["no run"]),
        ("--real real --synthetic drawn --ssim --extractor gone.pth", 1, ["no file gone.pth", "RAD-DINO"]),
        ("--real real --synthetic drawn --ssim --extractor classifier:gone", 1, ["no run"]),
        ("--real real --synthetic drawn --ssim --weights none.pth", 1, ["no file none.pth"]),
        ("--real real --synthetic drawn --ssim --out weights.pth", 2, ["weights.pth", "is a file"]),
        ("--real real --synthetic drawn --ssim --config empty", 2, ["empty", "is a directory"]),
        ("--real real --synthetic drawn --ms-ssim", 1, ["176 pixels or more, not 32×32"]),
        ("--real real --synthetic drawn --memorisation --weights weights.pth", 1, ["weights.pth"]),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_lost(
    type_: Terminal, line: str, code: int, words: list[str]
) -> None:
    fill(Path("real"), 4)
    fill(Path("drawn"), 4, seed=50)
    fill(Path("large"), 4, size=48)
    fill(Path("colour"), 4, mode="RGB")
    fill(Path("one"), 1)
    fill(Path("mixed"), 2)
    write_image(Path("mixed/other.png"), 40, 40, seed=9)
    Path("empty").mkdir()
    Path("weights.pth").write_bytes(b"not these")
    type_("evaluate --real real --synthetic drawn --ssim")
    before = tree(Path())
    answer = type_(f"evaluate {line}", code=code)
    assert all(word in answer.err for word in words), answer.err
    assert tree(Path()) == before


def test_what_the_run_itself_names_may_be_gone_where_no_metric_needs_it(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16 --quiet")
    type_("prepare phantom --size 16 --quiet")
    Path("mine.pth").touch()
    line = "train --epochs 1 --set evaluate.extractor=mine.pth --batch-size 4 --model dcgan --quiet"
    type_(f"{line} --set model.generator_width=4 --set model.discriminator_width=4")
    Path("mine.pth").unlink()
    assert "SSIM" in type_("evaluate --ssim").out
    assert "no file other.pth" in type_("evaluate --ssim --extractor other.pth", code=1).err


def test_training_and_out_go_with_real(type_: Terminal) -> None:
    type_("fetch phantom --n 40 --size 16 --quiet")
    type_("prepare phantom --size 16 --quiet")
    type_("train --epochs 1 --set model.generator_width=4 --set model.discriminator_width=4 --batch-size 4 --quiet")
    assert "a run knows its own" in type_("evaluate --training data --ssim", code=2).err
