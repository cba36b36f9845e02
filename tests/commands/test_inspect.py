"""`xrgan inspect`, and that what it calls synthetic is nobody's real image: ten planted among a hundred."""

import json
from pathlib import Path

import pytest

from tests.conftest import write_image, write_marked
from tests.terminal import Terminal, words
from xrgan.data.packed import open_packed
from xrgan.files import read_yaml


@pytest.fixture
def hundred_and_ten(type_: Terminal) -> Path:
    folder = type_.folder / "hospital"
    for k in range(100):
        write_image(folder / ("ill" if k % 2 else "well") / f"{k}.png", seed=k)
    write_marked(folder / "ill", range(10))
    return folder


def test_a_file_says_what_it_is(type_: Terminal) -> None:
    drawn, taken = write_marked(type_.folder, [6])[0], write_image(type_.folder / "taken.png")
    answer = type_("inspect", str(drawn))
    assert "trainedAlgorithmicMedia" in answer.out and "somebody's" in answer.out and "yes" in answer.out
    silent = type_("inspect", str(taken))
    assert "doesn't say" in silent.out and "may be either" in words(silent.err)
    both = json.loads(type_("inspect --json", str(drawn), str(taken)).out)
    assert [one["synthetic"] for one in both] == [True, None]
    assert both[0]["said"]["Number"] == "7"


def test_what_holds_no_image_is_a_sentence(type_: Terminal) -> None:
    Path("letter.txt").write_text("Dear reader")
    Path("empty").mkdir()
    assert "letter.txt is no image" in type_("inspect letter.txt", code=1).err
    assert "no image in empty" in type_("inspect empty", code=1).err


@pytest.mark.slow
def test_a_folder_is_counted(type_: Terminal, hundred_and_ten: Path) -> None:
    answer = type_("inspect hospital")
    assert "10 of 110 files say that they are synthetic" in words(answer.err)
    assert answer.out.count("yes") == 10
    assert "no file or folder hospitol" in words(type_("inspect hospitol", code=1).err)


@pytest.mark.slow
def test_ten_among_a_hundred_are_not_prepared(type_: Terminal, hundred_and_ten: Path) -> None:
    answer = type_("prepare hospital --size 16 --workers 1")
    assert "10 of them say that they are synthetic" in words(answer.err) and "drawn_0.png" in answer.err
    card = read_yaml(Path("data/prepared/hospital_16/dataset.yaml"))
    assert (card["images"], card["synthetic"], len(card["skipped"])) == (100, 0, 10)
    assert {Path(skip["file"]).name for skip in card["skipped"]} == {f"drawn_{k}.png" for k in range(10)}
    taken = type_("prepare hospital --size 16 --workers 1 --allow-synthetic --name all")
    assert "10 of the 110 images say that they are synthetic" in words(taken.err)
    card = read_yaml(Path("data/prepared/all/dataset.yaml"))
    assert (card["images"], card["synthetic"], card["options"]["allow_synthetic"]) == (110, 10, True)
    assert len(open_packed(Path("data/prepared/all")).images) == 110


def test_ten_among_a_hundred_are_not_fetched(type_: Terminal, hundred_and_ten: Path) -> None:
    answer = type_("fetch mine --folder hospital")
    assert "10 of 110 images say that they are synthetic, and were left out: ill/drawn_0.png" in words(answer.err)
    assert len(list(Path("data/raw/mine").rglob("*.png"))) == 100
    assert read_yaml(Path("data/raw/mine/source.yaml"))["synthetic_left_out"] == 10
    type_("fetch mine --folder hospital --allow-synthetic --force")
    assert len(list(Path("data/raw/mine").rglob("*.png"))) == 110
    assert "synthetic_left_out" not in read_yaml(Path("data/raw/mine/source.yaml"))


@pytest.mark.slow
def test_ten_among_a_hundred_are_no_real_ones_to_compare_with(type_: Terminal, hundred_and_ten: Path) -> None:
    write_marked(type_.folder / "drawn", range(100, 120))
    line = "evaluate --real hospital --synthetic drawn --ssim --n 200 --json"
    told = words(type_(line.replace("--json", "")).err)
    assert "10 images of hospital say that they are synthetic, and were left out: " in told
    assert "drawn_2.png and 7 more. --allow-synthetic" in told
    scores = json.loads(type_(line).out)["metrics"]
    assert {score["n"] for score in scores.values()} == {20}, "the synthetic side is as it was"
    assert "left out" not in type_(line, "--allow-synthetic").err
    type_("prepare hospital --size 16 --workers 1 --allow-synthetic --name all")
    packed = "evaluate --real data/prepared/all --synthetic drawn --size 16 --ssim --split test"
    assert "10 images of data/prepared/all say" in words(type_(packed).err)


def test_what_sample_drew_is_refused_as_a_whole(type_: Terminal) -> None:
    write_marked(type_.folder / "drawn", range(5))
    assert "--allow-synthetic takes it" in words(type_("prepare drawn --size 16", code=1).err)
    assert "All 5 images of mine" in words(type_("fetch mine --folder drawn", code=1).err)
    assert not Path("data/raw/mine").exists()
    assert "No image of drawn is left" in words(type_("evaluate --real drawn --synthetic drawn --ssim", code=1).err)
