"""`xrgan classify`, typed in a folder with datasets and runs: from a run to a report, and predictions."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.commands.toy_studies import (
    QUICK,
    TOYS,
    put_dataset,
    put_run,
    refused,
    said,
    scores_of,
    summary_of,
)
from tests.conftest import write_image
from tests.data import dicom_files
from tests.downstream.blobs import blobs, changed, set_at
from tests.terminal import Terminal, tree

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]


def test_a_run_s_own_images_and_a_whole_report(here: Terminal, pictures: None) -> None:
    answer = here(f"classify {QUICK} --fractions 0.3,1")
    assert "Folds: none" in answer.err and "--gan-per-fold" in answer.err
    for word in ("real", "real+synthetic", "AUROC", "30 %", "Against real", "runs/a/classify/report.md"):
        assert word in answer.out, answer.out
    summary = summary_of("a")
    assert (summary["options"]["k_folds"], summary["options"]["seeds"], summary["baseline"]) == (0, 1, "real")
    folder = Path("runs/a/classify")
    names = ["checkpoints", "confusion.png", "curves.png", "folds.png", "gain.png", "report.md", "roc.png"]
    assert sorted(file.name for file in folder.iterdir()) == [*names, "scores.csv", "summary.yaml", "trainings"]
    for linked in re.findall(r"!\[.+?\]\((.+?)\)", (folder / "report.md").read_text(encoding="utf-8")):
        with Image.open(folder / linked) as picture:
            assert len(np.unique(np.asarray(picture.convert("L")))) > 30
    again = here(f"classify {QUICK} --fractions 0.3,1 --json")
    assert json.loads(again.out)["results"] == summary["results"]
    assert len(again.err.splitlines()) == 1 and "6 of NORMAL, 6 of PNEUMONIA" in again.err, "a doubt, and nothing else"


def test_every_arm_has_two_names(here: Terminal) -> None:
    here(f"classify {QUICK} --arms synthetic-to-real")
    assert scores_of("a").arm.tolist() == ["synthetic→real"]
    assert Path("runs/a/classify/checkpoints/synthetic-to-real-fold0.pt").is_file()


def test_what_has_no_label_is_said_once(here: Terminal) -> None:
    put_run("b", put_dataset(changed(TOYS, name="some", labels=set_at(TOYS.labels, [0, 1], -1), content_hash="some")))
    answer = here(f"classify --run b {QUICK} --arms real --k-folds 2")
    assert answer.err.count("2 images of some have no label") == 1


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--synthetic TB=a", 2, ["toys has no class 'TB'", "NORMAL=PATH"]),
        ("--synthetic NORMAL=a --synthetic TB=a", 2, ["no class 'TB'"]),
        ("--synthetic NORMAL=healthy", 2, ["NORMAL, PNEUMONIA", "--synthetic NORMAL=PATH --synthetic PNEUMONIA=PATH"]),
        ("--synthetic NORMAL=a --synthetic NORMAL=a", 2, ["one for each class", "--synthetic PNEUMONIA=PATH"]),
        ("--synthetic a --synthetic a", 2, ["one for each class"]),
        ("--synthetic NORMAL=a --synthetic a", 2, ["one for each class"]),
        ("--synthetic nowhere", 1, ["There is no folder and no run nowhere"]),
        ("--synthetic NORMAL=nowhere --synthetic PNEUMONIA=a", 1, ["no folder and no run nowhere"]),
        ("--synthetic empty", 1, ["no image in empty"]),
        ("--synthetic healthy", 1, ["have no labels", "--synthetic NORMAL="]),
        ("--synthetic large", 1, ["are 32×32 gray, those of toys are 16×16"]),
        ("--synthetic other", 1, ["holds images of 'TB'", "NORMAL, PNEUMONIA"]),
        ("--gan-per-fold --synthetic a", 2, ["--synthetic has no place beside it"]),
        ("--arms real,real+classic --synthetic a", 2, ["--synthetic has no place beside", "real+synthetic"]),
        ("--run healthy --gan-per-fold", 1, ["healthy draws no classes", "--conditional"]),
        ("--run nobody", 1, ["no run", "nobody"]),
        ("--data nothing", 1, ["no prepared dataset nothing"]),
        ("--arms real --synthetic nowhere", 1, ["no folder and no run nowhere"]),
        ("--external nothing", 1, ["no prepared dataset nothing"]),
        ("--external nothing --map TB", 2, ["--map TB"]),
        ("--gan-per-fold --generator-data nothing", 1, ["no prepared dataset nothing"]),
        ("--arch resnet18 --weights nothing.pth", 1, ["no file nothing.pth"]),
        ("--arms real --out x.csv", 2, ["--out goes with --predict"]),
        ("--arms real,fake", 1, ["classify.arms", "fake"]),
        ("--fractions 0,1", 1, ["classify.fractions", "0"]),
        ("--k-folds 1", 1, ["classify.k_folds", "one fold leaves nothing"]),
        ("--arms real --k-folds 17", 1, ["too few for 17 folds", "--k-folds 16"]),
        ("--arms synthetic-to-real --epochs 1", 1, ["2 epochs or more"]),
    ],
)
def test_what_won_t_do_is_a_sentence(here: Terminal, line: str, code: int, words: list[str]) -> None:
    put_run("healthy", only=0)
    Path("empty").mkdir()
    write_image(Path("large/NORMAL/a.png"), 32, 32)
    write_image(Path("large/PNEUMONIA/a.png"), 32, 32, seed=1)
    write_image(Path("other/TB/a.png"), 16, 16)
    refused(here, line if "--run" in line else f"--run a {line}", *words, code=code)


def test_weights_that_can_t_be_fetched_are_a_sentence(here: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(here.folder / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(models.ResNet50_Weights.DEFAULT.value, "url", "http://127.0.0.1:9/resnet50-11ad3fa6.pth")
    before = tree(Path("runs"))
    answer = said(here("classify --device cpu --arch resnet50", code=1))
    assert "The ImageNet weights of resnet50 could not be downloaded" in answer
    assert "--arch efficientnet-lite0" in answer
    assert "--weights none" in answer and "--weights FILE" in answer
    assert tree(Path("runs")) == before


@pytest.fixture
def asked(here: Terminal) -> Terminal:
    """A study of two arms is there, and a folder of images of all kinds."""
    here(f"classify {QUICK}")
    new = Path("new")
    for k, image in enumerate(blobs(np.arange(6) % 2, seed=3)):
        write = Image.fromarray(image[0])
        new.mkdir(exist_ok=True)
        write.save(new / f"chest{k}.png")
    write_image(new / "colour.jpg", 200, 90, mode="RGB")
    dicom_files.write(new / "study/1.2.840", np.add.outer(np.arange(40), np.arange(30)) * 40)
    (new / "torn.png").write_bytes((new / "chest0.png").read_bytes()[:50])
    return here


def test_a_classifier_is_asked_of_other_images(asked: Terminal) -> None:
    before = tree(Path("runs"))
    answer = asked("classify --predict new --device cpu")
    assert "no medical device" in answer.out and "predictions.csv" in answer.out
    assert "torn.png can't be read" in said(answer) and "validation AUROC" in answer.err
    table = pd.read_csv("predictions.csv")
    chests = [f"chest{k}.png" for k in range(6)]
    assert table.file.tolist() == [*chests, "colour.jpg", "dicom_0001.dcm", "torn.png"]
    assert Path(".predictions-names.csv").read_text().splitlines()[1] == '"dicom_0001.dcm","study/1.2.840"'
    assert list(table) == ["file", "predicted", "probability NORMAL", "probability PNEUMONIA", "problem"]
    read = table[table.problem.isna()]
    assert len(read) == 8
    np.testing.assert_allclose(read.filter(like="probability").sum(axis=1), 1, atol=2e-6)
    assert read.predicted.tolist() == [
        TOYS.classes[k] for k in read.filter(like="probability").to_numpy().argmax(axis=1)
    ]
    assert np.mean(read.predicted[:6] == [TOYS.classes[k % 2] for k in range(6)]) >= 0.5
    assert tree(Path("runs")) == before
    asked("classify --predict new/chest1.png --out one/row.csv --quiet --device cpu")
    one = pd.read_csv("one/row.csv")
    pd.testing.assert_series_equal(one.loc[0], table.drop(columns="problem").loc[1], check_names=False)


def test_json_holds_the_same(asked: Terminal) -> None:
    records = json.loads(asked("classify --predict new --json --device cpu").out)
    table = pd.read_csv("predictions.csv")
    assert len(records) == 9 and "problem" not in records[0]
    assert records[-1].keys() == {"file", "problem"}
    assert records[0] == pytest.approx(table.loc[0].dropna().to_dict()) or records[0]["file"] == "chest0.png"


def test_the_classifier_of_an_arm_is_asked(asked: Terminal) -> None:
    for arm in ("real", "real+synthetic"):
        assert f"of the arm {arm}," in asked(f"classify --predict new --arms {arm} --out {arm}.csv --device cpu").err
    tables = [pd.read_csv(f"{arm}.csv")["probability NORMAL"][:6].tolist() for arm in ("real", "real+synthetic")]
    assert tables[0] != tables[1]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("--predict new --arms real,real+synthetic", 2, ["one arm", "--arms real"]),
        ("--predict new --arms real+classic", 1, ["no classifier of the arm real+classic", "xrgan classify"]),
        ("--predict nowhere", 1, ["no file or folder nowhere"]),
        ("--predict empty", 1, ["no image in empty"]),
        ("--predict new/torn.png", 1, ["None of the 1 images"]),
        ("--predict new --run b", 1, ["There is no classifier in runs/b/classify", "xrgan classify --run runs/b"]),
        ("--out x.csv", 2, ["--out goes with --predict"]),
    ],
)
def test_what_can_t_be_asked_is_a_sentence(asked: Terminal, line: str, code: int, words: list[str]) -> None:
    put_run("b")
    Path("empty").mkdir()
    before = tree(Path())
    answer = said(asked(f"classify {line if '--run' in line else f'--run a {line}'} --device cpu", code=code))
    for word in words:
        assert word in answer, answer
    assert tree(Path()) == before


def test_names_that_are_no_text_and_names_with_commas(asked: Terminal) -> None:
    Path("new/chest0.png").rename("new/" + b"M\xfcller.png".decode("utf-8", "surrogateescape"))
    Path("new/chest1.png").rename('new/a, "b".png')
    asked("classify --predict new --device cpu")
    assert {"Müller.png", 'a, "b".png'} <= set(pd.read_csv(io.StringIO(Path("predictions.csv").read_text())).file)
