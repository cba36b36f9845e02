"""Whose images a study uses, and what their generators saw: `xrgan classify`, typed in a folder with runs."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.commands.toy_studies import (
    QUICK,
    TEST,
    TOYS,
    put_dataset,
    put_images,
    put_run,
    put_trained,
    refused,
    said,
    scores_of,
    summary_of,
)
from tests.downstream.blobs import changed, set_at, toy_dataset
from tests.terminal import Terminal, tree
from xrgan.data.packed import PackedDataset, open_packed

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]


def known_patient(images: np.ndarray, to: int) -> PackedDataset:
    """The toys, where those images are of the patient of another one."""
    patients = set_at(TOYS.patients, images, TOYS.patients[to])
    return changed(TOYS, name="leaking", patients=patients, content_hash="leaking")


def test_a_test_patient_that_the_generator_saw_is_refused_or_left_out(type_: Terminal) -> None:
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


def test_another_dataset_is_judged_by_whom_the_run_saw(here: Terminal) -> None:
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
    own = Path("runs/a/classify/synthetic-b")
    sample = yaml.safe_load((own / "sample.yaml").read_text())
    assert sample["reject_copies"].endswith("against other")
    assert len(list(own.glob("synthetic_*[0-9].png"))) == 64
    assert len(list(Path("runs/b/synthetic").glob("synthetic_*[0-9].png"))) == 4, "the user's own stay as they were"


def test_a_study_never_draws_into_the_user_s_images_and_continues_from_them(type_: Terminal) -> None:
    """What it draws aside are the images that would have come next: an old study that drew them there continues."""
    put_trained("a", put_dataset(TOYS))
    type_("sample --run a -n 4")
    before = tree(Path("runs/a/synthetic"))
    study = f"classify --run a {QUICK} --arms synthetic"
    assert "drawing as many into runs/a/classify/synthetic" in said(type_(study))
    assert tree(Path("runs/a/synthetic")) == before
    drawn = tree(Path("runs/a/classify/synthetic"))
    assert "drawing" not in said(type_(study)) and tree(Path("runs/a/classify/synthetic")) == drawn
    type_("sample --run a -n 64")
    assert "1 of 1 trainings were there already" in said(type_(study))
