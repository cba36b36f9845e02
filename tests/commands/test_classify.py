"""`xrgan classify`, typed in a folder with datasets and runs: whose images, what their generators saw, which folds."""

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from tests.conftest import write_image
from tests.data import dicom_files
from tests.downstream.blobs import blobs, changed, set_at, small_build, toy_dataset, write
from tests.gan.helpers import create, tiny_config, trained
from tests.terminal import Answer, Terminal, tree
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset, open_packed
from xrgan.downstream import report, study
from xrgan.downstream.classification import inference, task
from xrgan.downstream.classification.task import Classification
from xrgan.gan import training
from xrgan.gan.job import Job
from xrgan.rundir import RunDir

QUICK = (
    "--arch resnet18 --weights none --epochs 2 --patience 0 --batch-size 8 --lr 0.01 --device cpu"
    " --set classify.resamples=100"
)
TOYS = toy_dataset()
TEST = TOYS.of_split("test")


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (task, inference):
        monkeypatch.setattr(module, "build", small_build)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """None, as they take long: but for the test that asks for this fixture by name."""
    if "pictures" not in request.function.__code__.co_varnames:
        monkeypatch.setattr(report, "save_pictures", lambda *_: {})


# --- what stands in the folder


def put_images(folder: Path, labels: np.ndarray, names: list[str] | None = None, seed: int = 1) -> None:
    """Synthetic images as `sample` leaves them: blobs of the classes, told by index.csv."""
    folder.mkdir(parents=True)
    lines = ["file,seed,label"]
    for k, image in enumerate(blobs(labels, seed)):
        file = f"synthetic_{k + 1:05d}.png"
        Image.fromarray(image[0]).save(folder / file)
        lines.append(f"{file},0,{names[k] if names else ''}")
    (folder / "index.csv").write_text("\n".join(lines) + "\n")


def put_run(name: str, dataset: PackedDataset = TOYS, only: int | None = None) -> RunDir:
    """A run on that dataset that has drawn 80 images; nobody trained it.

    Args:
        only: the class of all its images, which have no labels: an unconditional run.
    """
    run = RunDir(Path("runs") / name)
    config = tiny_config(f"dataset={dataset.name}", conditional=only is None)
    create(run, dataset, config)
    labels = np.arange(80) % 2 if only is None else np.full(80, only)
    put_images(run.synthetic, labels, None if only is not None else [dataset.classes[label] for label in labels])
    (run.synthetic / "sample.yaml").write_text(f"run: {name}\nseed: 0\n")
    return run


def put_dataset(dataset: PackedDataset) -> PackedDataset:
    return open_packed(write(dataset, Path("data/prepared")))


@pytest.fixture
def here(type_: Terminal) -> Terminal:
    """In a folder with the dataset `toys` and the run `a` on it."""
    put_dataset(TOYS)
    put_run("a")
    return type_


def summary_of(run: str) -> dict[str, Any]:
    content = yaml.safe_load(Path(f"runs/{run}/classify/summary.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def scores_of(run: str) -> pd.DataFrame:
    return pd.read_csv(f"runs/{run}/classify/scores.csv")


def said(answer: Answer) -> str:
    return " ".join(answer.err.split())


def refused(terminal: Terminal, line: str, *words: str, code: int = 1) -> str:
    """That the command ends in a sentence with those words, and trains nothing."""
    before = tree(Path("runs"))
    answer = said(terminal(f"classify {QUICK} {line}", code=code))
    for word in words:
        assert word in answer, answer
    assert tree(Path("runs")) == before
    return answer


# --- from a run to a report


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
    assert json.loads(again.out)["results"] == summary["results"] and again.err == ""


def test_without_synthetic_images_there_are_five_folds_and_no_run_s_images_are_touched(here: Terminal) -> None:
    shutil.rmtree("runs/a/synthetic")
    here(f"classify {QUICK} --arms real,real+classic")
    assert summary_of("a")["options"]["k_folds"] == 5
    assert len(scores_of("a")) == 10 and summary_of("a")["comparisons"][0]["folds"]["n"] == 5
    assert not Path("runs/a/synthetic").exists()


def test_every_arm_has_two_names(here: Terminal) -> None:
    here(f"classify {QUICK} --arms synthetic-to-real")
    assert scores_of("a").arm.tolist() == ["synthetic→real"]
    assert Path("runs/a/classify/checkpoints/synthetic-to-real-fold0.pt").is_file()


def test_what_has_no_label_is_said_once(here: Terminal) -> None:
    put_run("b", put_dataset(changed(TOYS, name="some", labels=set_at(TOYS.labels, [0, 1], -1), content_hash="some")))
    answer = here(f"classify --run b {QUICK} --arms real --k-folds 2")
    assert answer.err.count("2 images of some have no label") == 1


# --- leaks


def test_folds_with_a_generator_that_saw_them_all_are_refused_with_both_ways_out(here: Terminal) -> None:
    refused(here, "--k-folds 3", "a learned from images of", "fold 1", "--k-folds 0", "--gan-per-fold")
    here(f"classify {QUICK} --k-folds 0")


def known_patient(images: np.ndarray, to: int) -> PackedDataset:
    """The toys, where those images are of the patient of another one."""
    patients = set_at(TOYS.patients, images, TOYS.patients[to])
    return changed(TOYS, name="leaking", patients=patients, content_hash="leaking")


def test_a_test_patient_whom_the_generator_learned_from_is_refused_or_left_out(type_: Terminal) -> None:
    put_run("a", put_dataset(known_patient(TEST[[0, 1, 2]], to=0)))
    words = "1 patient", "in the test split of leaking", "3 of 24 test images", "--leaks drop", "--fix-leaks"
    refused(type_, "", *words)
    refused(type_, "--arms real", *words)
    assert type_(f"classify {QUICK} --leaks drop").err.count("3 of 24 test images are left out") == 1
    summary = summary_of("a")
    assert summary["images"]["test"] == {"NORMAL": 10, "PNEUMONIA": 11}
    assert summary["images"]["test_patients"] == 11
    for file in Path("runs/a/classify/trainings").iterdir():
        with np.load(file) as training:
            assert len(training["on_test"]) == 21


def put_other_run(source: str, *, patients: bool = False, pixels: bool = False) -> None:
    """A run `b` on another dataset that holds two of the toys' test patients by name, or one test image by pixels."""
    other = toy_dataset(name="other", seed=9)
    names = np.array([f"other{patient}" for patient in other.patients])
    hashes = other.hashes
    if patients:
        names = set_at(names, [0, 1, 2, 3], TOYS.patients[TEST[[0, 1, 2, 3]]])
    if pixels:
        hashes = set_at(hashes, 0, TOYS.hashes[TEST[0]])
    put_run("b", put_dataset(changed(other, source=source, patients=names, hashes=hashes)))


@pytest.mark.parametrize(
    ("how", "count"),
    [
        ({"source": "toys", "patients": True}, "2 patients"),
        ({"source": "elsewhere", "pixels": True}, "1 patient"),
        ({"source": "toys", "patients": True, "pixels": True}, "2 patients"),
    ],
)
@pytest.mark.parametrize("by", ["run", "folder", "copy"])
def test_a_generator_that_saw_test_patients_elsewhere_is_refused(
    here: Terminal, how: dict[str, Any], count: str, by: str
) -> None:
    put_other_run(**how)
    if by == "copy":
        shutil.copytree("runs/b/synthetic", "mailed/images")
    where = {"run": "b", "folder": "runs/b/synthetic", "copy": "mailed/images"}[by]
    refused(here, f"--run a --synthetic {where}", count, "in the test split of toys", "--leaks drop")
    here(f"classify --run a --synthetic {where} {QUICK} --leaks drop")
    left = 4 if count == "2 patients" else 2
    assert sum(summary_of("a")["images"]["test"].values()) == 24 - left


def test_a_generator_that_saw_others_is_welcome_and_folds_are_cut(here: Terminal) -> None:
    """Of another source, so that names that happen to be equal mean nothing."""
    put_other_run("elsewhere", patients=True)
    answer = here(f"classify --run a --synthetic b {QUICK} --k-folds 2")
    assert "Nobody knows" not in answer.err
    assert len(scores_of("a")) == 4 and sum(summary_of("a")["images"]["test"].values()) == 24


def test_another_dataset_than_the_run_s_own_is_judged_by_whom_the_run_saw(here: Terminal) -> None:
    put_other_run("toys", patients=True)
    answer = said(here(f"classify --run b --data toys {QUICK}", code=1))
    assert "b was trained on other" in answer and "2 patients have images in the test split of toys" in answer


def test_what_a_run_was_initialised_from_it_has_seen_too(here: Terminal) -> None:
    """Run c went on from b, which had learned from test patients, on honest images."""
    put_other_run("toys", patients=True)
    run = put_run("c")
    origin = {"run": "b", "step": 8, "dataset": open_packed(Path("data/prepared/other")).content_hash}
    run.write_environment(run.read_environment() | {"initialised_from": origin})
    refused(here, "--run c", "2 patients have images in the test split of toys")


@pytest.mark.parametrize("gone", ["dataset", "environment"])
def test_a_run_of_whose_images_nothing_is_known_is_a_warning(here: Terminal, gone: str) -> None:
    put_other_run("elsewhere")
    if gone == "dataset":
        shutil.rmtree("data/prepared/other")
    else:
        Path("runs/b/environment.yaml").unlink()
    answer = said(here(f"classify --run a --synthetic b {QUICK}"))
    assert "Nobody knows which images the generator of runs/b learned from" in answer


def test_a_foreign_folder_is_a_warning_and_no_refusal(here: Terminal) -> None:
    for label, name in enumerate(TOYS.classes):
        put_images(Path("mailed") / name, np.full(40, label))
        (Path("mailed") / name / "index.csv").unlink()
    answer = said(here(f"classify --synthetic mailed {QUICK}"))
    assert answer.count("Nobody knows which images the generator of mailed learned from") == 1
    assert scores_of("a").query("arm == 'real+synthetic'").n_synthetic.item() > 20
    here(f"classify --synthetic mailed {QUICK} --k-folds 2")
    assert len(scores_of("a")) == 4


# --- a run or a folder for each class


def test_one_generator_for_each_class(here: Terminal) -> None:
    """Unconditional runs and bare folders, whose images say nothing of their class, or something else."""
    put_run("healthy", only=0)
    put_images(Path("ill=yes"), np.full(80, 1), ["of no class here"] * 80)
    synthetic = "--synthetic NORMAL=healthy --synthetic PNEUMONIA=ill=yes"
    answer = said(here(f"classify --run a {synthetic} {QUICK} --epochs 6 --arms synthetic,real"))
    assert "the generator of ill=yes" in answer and "the generator of runs/healthy" not in answer
    scores = scores_of("a").set_index("arm")
    assert scores.loc["synthetic"].n_synthetic == scores.loc["real"].n_real
    assert scores.loc["synthetic"].auroc > 0.9, "and the classes are not swapped"
    swapped = "--synthetic PNEUMONIA=healthy --synthetic NORMAL=ill=yes"
    here(f"classify --run a {swapped} {QUICK} --epochs 6 --arms synthetic")
    assert scores_of("a").auroc.item() < 0.1


def test_the_generator_of_each_class_is_asked_whom_it_saw(here: Terminal) -> None:
    put_run("healthy", only=0)
    put_other_run("toys", patients=True)
    refused(here, "--run a --synthetic NORMAL=healthy --synthetic PNEUMONIA=b", "2 patients", "--leaks drop")


def test_a_path_with_an_equals_sign_is_a_path(here: Terminal) -> None:
    put_images(Path("lr=0.1"), np.arange(80) % 2, [TOYS.classes[k % 2] for k in range(80)])
    here(f"classify --run a --synthetic lr=0.1 {QUICK} --arms synthetic")
    assert scores_of("a").n_synthetic.item() > 40
    shutil.copytree("runs/a", "runs/lr=0.2")
    here(f"classify --run a --synthetic runs/lr=0.2 {QUICK} --arms synthetic")
    here(f"classify --run a --synthetic lr=0.2 {QUICK} --arms synthetic")


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
        ("--run healthy --gan-per-fold", 1, ["healthy draws no classes", "--conditional"]),
        ("--run nobody", 1, ["no run", "nobody"]),
        ("--data nothing", 1, ["no prepared dataset nothing"]),
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


def test_the_weights_that_can_t_be_fetched_are_a_sentence_with_both_ways_on(
    here: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(here.folder / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(models.ResNet50_Weights.DEFAULT.value, "url", "http://127.0.0.1:9/resnet50-11ad3fa6.pth")
    before = tree(Path("runs"))
    answer = said(here("classify --device cpu", code=1))
    assert "The ImageNet weights of resnet50 could not be downloaded" in answer
    assert "--weights none" in answer and "--weights FILE" in answer
    assert tree(Path("runs")) == before


# --- it goes on where it stopped


def test_interrupted_it_says_how_to_go_on_and_does(here: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    train, calls = task.train, 0

    def stopping(*args: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return train(*args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(task, "train", stopping)
        assert "the same command goes on" in here(f"classify {QUICK}", code=130).err
    assert not Path("runs/a/classify/summary.yaml").exists()
    assert "1 of 2 trainings were there already" in here(f"classify {QUICK}").err
    assert len(scores_of("a")) == 2


# --- a generator a fold


def put_trained(name: str, dataset: PackedDataset) -> RunDir:
    """A run that was really trained, for an epoch."""
    config = tiny_config(f"dataset={dataset.name}", "train.epochs=1", "train.batch_size=16")
    return trained(Path("runs") / name, dataset, config)


PER_FOLD = f"--run a --gan-per-fold --k-folds 2 --arms real,synthetic {QUICK}"


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, np.ndarray]]:
    """The name of each generator that was trained since, and the rows of the dataset that it learned from."""
    found: list[tuple[str, np.ndarray]] = []
    train = training.train

    def watched(job: Job, *args: Any) -> Any:
        found.append((job.run.name, job.dataset.of_split("train")))
        return train(job, *args)

    monkeypatch.setattr(training, "train", watched)
    return found


def test_a_generator_a_fold_never_sees_what_is_left_out(
    type_: Terminal, seen: list[tuple[str, np.ndarray]], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = put_dataset(changed(TOYS, hashes=set_at(TOYS.hashes, 2, TOYS.hashes[20])))  # two patients, one picture
    put_run("a", dataset)
    asked = []
    check = study.check_generator
    monkeypatch.setattr(study, "check_generator", lambda *args: (asked.append(args[1]), check(*args)))
    answer = type_(f"classify {PER_FOLD}")
    assert [name.split("of")[0] for name, _ in seen] == ["fold1", "fold2"]
    pool, folds = study.check(Classification(ClassifyConfig(**summary_of("a")["options"])), dataset)
    assert [fold.number for fold in asked] == [1, 2]
    for (_, rows), fold in zip(seen, folds, strict=True):
        left_out = pool.rows[fold.test]
        assert not set(dataset.groups[rows]) & set(dataset.groups[left_out])
        assert not set(rows) & set(dataset.of_split("test"))
        assert set(rows) == set(pool.rows[fold.training])
    assert "A generator for fold 1 of 2" in answer.err
    for n_synthetic, (_, rows) in zip(scores_of("a").query("arm == 'synthetic'").n_synthetic, seen, strict=True):
        assert 0.6 * len(rows) < n_synthetic <= len(rows)
    assert summary_of("a")["comparisons"][0]["folds"]["n"] == 2


def test_its_generators_are_trained_once_and_go_on_where_they_stopped(
    type_: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_run("a", put_dataset(TOYS))
    train, calls = training.train, 0

    def stopping(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return train(*args)

    with monkeypatch.context() as patch:
        patch.setattr(training, "train", stopping)
        type_(f"classify {PER_FOLD}", code=130)
    generators = Path("runs/a/classify/generators")
    first = {file: time for file, time in tree(generators).items() if "fold1" in file and "checkpoints" in file}
    answer = type_(f"classify {PER_FOLD}")
    assert "2 of 2 trainings were there already" in said(answer)
    after = tree(generators)
    assert first and first.items() <= after.items(), "the first one was not trained again"
    scores = scores_of("a")
    again = type_(f"classify {PER_FOLD}")
    assert said(again).count("2 of 2 trainings were there already") == 2
    pd.testing.assert_frame_equal(scores_of("a"), scores)


def test_generators_of_another_dataset_are_not_taken_for_those_of_this_one(type_: Terminal) -> None:
    """Their folds are others: what one left out, the other may have learned from."""
    put_run("a", put_dataset(TOYS))
    put_dataset(toy_dataset(name="other", seed=9))
    type_(f"classify {PER_FOLD}")
    assert "is not the dataset" in said(type_(f"classify {PER_FOLD} --data other", code=1))
    assert summary_of("a")["dataset"]["name"] == "toys"


# --- another run than the study's draws as it was trained


def test_another_run_draws_more_as_it_was_told(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It turns copies of its own training images down, of which the study's dataset knows nothing."""
    from xrgan.errors import XrganError
    from xrgan.evaluation import inception_weights

    def no_weights() -> Path:
        raise XrganError("The Inception weights can't be had.")

    monkeypatch.setattr(inception_weights, "fetch_weights", no_weights)
    put_run("a", put_dataset(TOYS))
    put_trained("b", put_dataset(toy_dataset(name="other", seed=9)))
    type_("sample --run b -n 4 --reject-copies")
    type_(f"classify --run a --synthetic b {QUICK} --arms synthetic")
    sample = yaml.safe_load(Path("runs/b/synthetic/sample.yaml").read_text())
    assert sample["reject_copies"].endswith("against other")
    assert len(list(Path("runs/b/synthetic").glob("synthetic_*[0-9].png"))) == 64


# --- asking a classifier


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
    assert table.file.tolist() == [*chests, "colour.jpg", "study/1.2.840", "torn.png"]
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
