"""Folds, one generator per fold, and a study that is resumed: `xrgan classify`, typed."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.commands.toy_studies import QUICK, TOYS, put_dataset, put_run, refused, said, scores_of, summary_of
from tests.downstream.blobs import changed, set_at, toy_dataset
from tests.terminal import Terminal, tree
from xrgan.config import ClassifyConfig
from xrgan.data import packed
from xrgan.downstream import study
from xrgan.downstream.classification import task
from xrgan.downstream.classification.task import Classification
from xrgan.gan import training
from xrgan.gan.job import Job

pytestmark = [pytest.mark.usefixtures("any_hash", "small_networks", "one_thread", "pictures"), pytest.mark.slow]


def test_without_synthetic_images_there_are_five_folds(here: Terminal) -> None:
    shutil.rmtree("runs/a/synthetic")
    here(f"classify {QUICK} --arms real,real+classic")
    assert summary_of("a")["options"]["k_folds"] == 5
    assert len(scores_of("a")) == 10 and summary_of("a")["comparisons"][0]["folds"]["n"] == 5
    assert not Path("runs/a/synthetic").exists()


def test_folds_are_refused_where_one_generator_saw_them_all(here: Terminal) -> None:
    refused(here, "--k-folds 3", "a learned from images of", "fold 1", "--k-folds 0", "--gan-per-fold")
    here(f"classify {QUICK} --k-folds 0")


def test_an_interrupted_study_is_resumed(here: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
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


PER_FOLD = f"--run a --gan-per-fold --k-folds 2 --arms real,synthetic {QUICK}"


@pytest.fixture(autouse=True)
def any_content_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """Toys may say any."""
    monkeypatch.setattr(packed, "check_content", lambda _: None)


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


def test_the_generator_of_a_fold_never_sees_what_is_left_out(
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


def test_generators_per_fold_are_trained_once_and_resumed(type_: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_generators_of_another_dataset_are_not_reused(type_: Terminal) -> None:
    """Their folds are others: what one left out, the other may have learned from."""
    put_run("a", put_dataset(TOYS))
    put_dataset(toy_dataset(name="other", seed=9))
    type_(f"classify {PER_FOLD}")
    assert "is not the dataset" in said(type_(f"classify {PER_FOLD} --data other", code=1))
    assert summary_of("a")["dataset"]["name"] == "toys"
