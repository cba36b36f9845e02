"""A study goes on where it stopped: which trainings are done anew, and which are found again."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from tests.downstream.blobs import changed, set_at, toy_synthetic_images
from tests.downstream.studies import CPU, DATASET, Result, run
from xrgan.downstream.classification import task
from xrgan.downstream.classification.classifier import predict
from xrgan.downstream.classification.data import gather
from xrgan.downstream.classification.inference import load_classifier
from xrgan.downstream.pool import SyntheticImages

pytestmark = [pytest.mark.usefixtures("small_networks", "no_pictures"), pytest.mark.slow]


class Stopped(KeyboardInterrupt):
    pass


def stop_within(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupt the study while its training of that number (from 1) runs."""
    calls, train = 0, task.train

    def stopping(learner: Any, examples: Any, phase: Any, device: Any, seed: int, report: Any, *more: Any) -> Any:
        nonlocal calls
        calls += 1

        def press_control_c(steps: int, loss: float) -> None:
            raise Stopped

        return train(learner, examples, phase, device, seed, press_control_c if calls == number else report, *more)

    monkeypatch.setattr(task, "train", stopping)


THREE = {"arms": ("real", "real+classic", "real+synthetic"), "fractions": (0.5, 1.0)}  # 12 trainings in two folds


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(tmp_path_factory.mktemp("three"), **THREE)


@pytest.mark.parametrize("number", [1, 5, 7, 12])
def test_interrupted_it_goes_on_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, three: Result, number: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        stop_within(number, patch)
        with pytest.raises(Stopped):
            run(tmp_path, **THREE)
    assert len(list((tmp_path / "trainings").glob("*.npz"))) == number - 1
    assert not (tmp_path / "summary.yaml").exists()
    capfd.readouterr()
    went_on = run(tmp_path, **THREE)
    assert went_on.trainings == 12 - (number - 1) and three.trainings == 12
    assert went_on.text == three.text, "bit for bit"
    without = {"seconds", "options"}
    assert {k: v for k, v in went_on.summary.items() if k not in without} == {
        k: v for k, v in three.summary.items() if k not in without
    }
    assert ("were there already" in capfd.readouterr().err) == (number > 1)


def test_asked_again_it_trains_nothing_and_says_the_same(tmp_path: Path, three: Result) -> None:
    again = run(three.folder, **THREE)
    assert again.trainings == 0 and again.text == three.text
    assert again.summary["results"] == three.summary["results"]
    assert again.summary["comparisons"] == three.summary["comparisons"]


def test_arms_fractions_and_seeds_are_added_to_what_is_there(tmp_path: Path) -> None:
    synthetic = toy_synthetic_images(DATASET)
    few = run(tmp_path / "grown", synthetic=synthetic, arms=("synthetic",), fractions=(1.0,), k_folds=0)
    assert few.trainings == 1
    more_arms = run(tmp_path / "grown", synthetic=synthetic, arms=("real", "synthetic"), fractions=(1.0,), k_folds=0)
    assert more_arms.trainings == 1 and more_arms.scores.arm.tolist() == ["real", "synthetic"], "in their order"
    more = {"synthetic": synthetic, "arms": ("real", "synthetic"), "fractions": (0.25, 1.0), "k_folds": 0}
    assert run(tmp_path / "grown", **more).trainings == 2
    grown = run(tmp_path / "grown", **more, seeds=2)
    assert grown.trainings == 4
    at_once = run(tmp_path / "once", **more, seeds=2)
    assert at_once.trainings == 8
    assert grown.text == at_once.text, "in the same order, bit for bit"
    assert grown.summary["results"] == at_once.summary["results"]
    fewer = run(tmp_path / "grown", synthetic=synthetic, arms=("real",), fractions=(1.0,), k_folds=0)
    assert fewer.trainings == 0 and len(fewer.scores) == 1, "what isn't asked for is no part of the study"


BASE: dict[str, Any] = {"arms": ("real", "real+synthetic"), "k_folds": 0, "epochs": 2}


@pytest.mark.parametrize(
    ("options", "retrained"),
    [
        ({}, 0),
        ({"resamples": 150}, 0),  # decides no training
        ({"lr": 0.02}, 2),
        ({"epochs": 3}, 2),
        ({"batch_size": 16}, 2),
        ({"patience": 1}, 2),
        ({"seed": 1}, 2),
        ({"arch": "resnet34"}, 2),
        ({"k_folds": 2}, 4),
        ({"synthetic": toy_synthetic_images(DATASET, seed=5)}, 1),  # the real arm has nothing to do with it
        ({"dataset": changed(DATASET, content_hash="another")}, 2),
        ({"dataset": changed(DATASET, splits=set_at(DATASET.splits, slice(60, 64), "test"))}, 2),
    ],
)
def test_what_decides_a_result_is_asked_anew(tmp_path: Path, options: dict[str, Any], retrained: int) -> None:
    first = run(tmp_path, **BASE)
    before = {file.name for file in (tmp_path / "trainings").iterdir()}
    assert run(tmp_path, **BASE | options).trainings == retrained
    assert before <= {file.name for file in (tmp_path / "trainings").iterdir()}
    again = run(tmp_path, **BASE)
    assert again.text == first.text, "what was there is there"
    assert again.trainings <= len(BASE["arms"]), "but the best network of an arm, if another study took its place"
    assert run(tmp_path, **BASE).trainings == 0


@pytest.mark.parametrize("damage", ["half", "empty", "other"])
def test_a_torn_file_is_trained_again(tmp_path: Path, damage: str) -> None:
    before = run(tmp_path, **BASE)
    files = sorted((tmp_path / "trainings").iterdir())
    torn, content = files[0], files[0].read_bytes()
    torn.write_bytes({"half": content[: len(content) // 2], "empty": b"", "other": b"no archive"}[damage])
    after = run(tmp_path, **BASE)
    assert after.trainings == 1 and after.text == before.text
    assert run(tmp_path, **BASE).trainings == 0


def test_a_classifier_that_was_lost_is_trained_again(tmp_path: Path) -> None:
    """Its scores are there, but --predict needs its weights, and told the user to `xrgan classify`."""
    run(tmp_path, **BASE)
    files = sorted((tmp_path / "checkpoints").iterdir())
    assert [file.name for file in files] == ["real+synthetic-fold0.pt", "real-fold0.pt"]
    files[0].unlink()
    files[1].write_bytes(b"torn")
    run(tmp_path, **BASE)
    for arm in BASE["arms"]:
        assert load_classifier(tmp_path, arm).metadata.arm == arm


def test_the_classifiers_are_those_of_the_study_that_was_asked_for_last(tmp_path: Path) -> None:
    first = run(tmp_path, **BASE | {"arms": ("real",)})
    run(tmp_path, **BASE | {"arms": ("real",), "lr": 0.02})
    again = run(tmp_path, **BASE | {"arms": ("real",)})
    assert again.text == first.text
    pool = gather(DATASET)
    answers = predict(load_classifier(tmp_path).network, pool.images, pool.test, CPU)
    brier = np.mean((answers[:, 1] - pool.targets[pool.test].numpy()) ** 2)
    assert brier == pytest.approx(again.scores.brier.item(), abs=1e-6), "scores.csv and --predict are of one classifier"


def test_the_classifier_is_of_the_latest_synthetic_images(tmp_path: Path) -> None:
    """Those of the second study teach the opposite: who learned from the first ones has the better validation."""
    drawn = toy_synthetic_images(DATASET)
    wrong = SyntheticImages(drawn.images, 1 - drawn.targets, None, "wrong")
    run(tmp_path, synthetic=drawn, arms=("synthetic",), k_folds=0)
    run(tmp_path, synthetic=wrong, arms=("synthetic",), k_folds=0)
    pool = gather(DATASET)
    answers = predict(load_classifier(tmp_path).network, pool.images, pool.test, CPU)
    accuracy = np.mean(answers.argmax(axis=1) == pool.targets[pool.test].numpy())
    assert accuracy == pd.read_csv(tmp_path / "scores.csv").accuracy.item()


def test_scores_follow_from_the_seed_alone(tmp_path: Path, three: Result) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = run(tmp_path, **THREE)
    assert torch.equal(torch.rand(3), expected)
    assert again.text == three.text
    assert run(tmp_path / "other", **THREE | {"seed": 1}).text != three.text


def test_seeds_of_one_fold_differ_and_arms_of_one_seed_start_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[bytes] = []
    build = task.build

    def watched(*args: Any) -> Any:
        network = build(*args)
        starts.append(network.head[1].weight.detach().numpy().tobytes())
        return network

    monkeypatch.setattr(task, "build", watched)
    result = run(tmp_path, arms=("real", "synthetic"), seeds=2, epochs=2)
    assert len(starts) == 8 and len(set(starts)) == 4, "one for each fold and seed"
    real = result.of(arm="real")
    assert len(set(real.brier)) == 4


def test_classic_s_strength_decides_the_trainings_that_use_it_alone(tmp_path: Path) -> None:
    options = {"arms": ("real", "real+classic"), "k_folds": 0, "epochs": 2}
    run(tmp_path, **options)
    assert run(tmp_path, **options, classic_rotation=20.0).trainings == 1
    assert run(tmp_path, **options).trainings <= 1, "but the best network, if another study took its place"
