"""The study from images to a folder: all arms learn, as promised and no longer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from torchvision import models

from tests.downstream.blobs import ALL_ARMS, QUICK, Body, changed, set_at, toy_dataset, toy_synthetic_images
from tests.downstream.studies import CPU, DATASET, Result, run
from xrgan.config import ClassifyConfig
from xrgan.downstream import report
from xrgan.downstream.arms import ARMS, Arm
from xrgan.downstream.classification import networks, task
from xrgan.downstream.classification.classifier import predict
from xrgan.downstream.classification.data import gather
from xrgan.downstream.classification.inference import load_classifier
from xrgan.downstream.classification.metrics import METRICS
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.folds import Part
from xrgan.downstream.leaks import provenance_on
from xrgan.downstream.pool import SyntheticImages
from xrgan.downstream.study import check, run_study
from xrgan.downstream.task import Results
from xrgan.errors import XrganError

pytestmark = [pytest.mark.usefixtures("small_networks", "no_pictures"), pytest.mark.slow]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Five arms, two fractions, two folds."""
    return run(tmp_path_factory.mktemp("study") / "classify", arms=ALL_ARMS, fractions=(0.25, 1.0))


# --- the arms


def test_all_arms_learn_the_toys(whole: Result) -> None:
    for arm in ALL_ARMS:
        (one,) = (one for one in whole.summary["results"] if (one["arm"], one["fraction"]) == (arm, 1.0))
        assert one["test"]["auroc"]["mean"] > 0.95, arm
        assert whole.of(arm=arm, fraction=1.0).fold_auroc.mean() > 0.95, arm


def test_each_arm_sees_as_many_images_as_promised(whole: Result) -> None:
    for fold in (1, 2):
        (real,) = whole.of(arm="real", fraction=1.0, fold=fold).n_real
        (few,) = whole.of(arm="real", fraction=0.25, fold=fold).n_real
        assert few < real / 2
        seen = {
            (arm, fraction): tuple(whole.of(arm=arm, fraction=fraction, fold=fold)[["n_real", "n_synthetic"]].loc[0])
            for arm in ALL_ARMS
            for fraction in (0.25, 1.0)
        }
        agreed = seen["real+agreed", 0.25][1], seen["real+agreed", 1.0][1]
        assert 0 < agreed[0] <= few and 0 < agreed[1] <= real, "a network of real images may leave some out"
        assert seen == {
            ("real", 0.25): (few, 0),
            ("real", 1.0): (real, 0),
            ("real+classic", 0.25): (few, 0),
            ("real+classic", 1.0): (real, 0),
            ("real+synthetic", 0.25): (few, few),
            ("real+synthetic", 1.0): (real, real),
            ("real+classic+synthetic", 0.25): (few, few),
            ("real+classic+synthetic", 1.0): (real, real),
            ("real+agreed", 0.25): (few, agreed[0]),
            ("real+agreed", 1.0): (real, agreed[1]),
            ("synthetic→real", 0.25): (few, real),  # who has few real images isn't short of synthetic ones
            ("synthetic→real", 1.0): (real, real),
            ("synthetic→real+classic", 0.25): (few, real),
            ("synthetic→real+classic", 1.0): (real, real),
            ("synthetic", 0.25): (0, real),
            ("synthetic", 1.0): (0, real),
        }


def test_all_arms_and_fractions_take_the_same_steps(whole: Result) -> None:
    for fold in (1, 2):
        (real,) = whole.of(arm="real", fraction=1.0, fold=fold).n_real
        assert set(whole.of(fold=fold).steps) == {QUICK.epochs * -(-real // QUICK.batch_size)}
    assert set(whole.scores.best_epoch) <= set(range(1, QUICK.epochs + 1))


def test_arms_differ_and_so_do_fractions(whole: Result) -> None:
    arms = [arm for arm in ALL_ARMS if arm != "real+agreed"]  # who may agree with all
    brier = [tuple(whole.of(arm=arm, fraction=fraction).brier) for arm in arms for fraction in (0.25, 1.0)]
    # What the synthetic arm learns from doesn't depend on the fraction, only the images that pick its epoch do.
    assert len(set(brier[:-2])) == len(brier) - 2 and not set(brier[:-2]) & set(brier[-2:])


def test_patience_ends_arms_early_and_none_takes_more(tmp_path: Path) -> None:
    result = run(tmp_path, arms=ALL_ARMS, k_folds=0, patience=2, epochs=12)
    (real,) = result.of(arm="real").n_real
    most = 12 * -(-real // QUICK.batch_size)
    assert result.scores.steps.max() <= most and result.scores.steps.min() < most


@pytest.fixture
def training_images(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[set[bytes]]]:
    """What the trainings since the last question learned from, a set of images for each call of `train`."""
    calls: list[set[bytes]] = []
    train = task.train

    def watched(learner: Any, examples: Any, phase: Any, *args: Any) -> Any:
        calls.append({image.numpy().tobytes() for image in examples.inputs[phase.training]})
        return train(learner, examples, phase, *args)

    monkeypatch.setattr(task, "train", watched)

    def ask() -> list[set[bytes]]:
        found = list(calls)
        calls.clear()
        return found

    return ask


def test_who_learns_from_what(tmp_path: Path, training_images: Callable[[], list[set[bytes]]]) -> None:
    images = toy_synthetic_images(DATASET)
    real = {image.tobytes() for image in DATASET.images[DATASET.splits == "train"]}
    synthetic = {image.numpy().tobytes() for image in images.images}
    run(tmp_path, synthetic=images, arms=ALL_ARMS, k_folds=0)
    alone, classic, beside, all_three, before, after, before_classic, after_classic, drawn, agreed = training_images()
    assert real < agreed
    assert alone == classic == after == after_classic == real, "not an image of val or test"
    assert before == before_classic == drawn and drawn < synthetic and len(drawn) == len(real)
    assert beside == all_three > real and beside - real == drawn, "the same synthetic images in all arms"
    run(tmp_path / "ratio", synthetic=images, arms=("real+synthetic",), k_folds=0, ratio=0.5)
    (beside,) = training_images()
    assert len(beside & synthetic) == len(real) // 2


def test_an_arm_of_agreed_images_leaves_those_out_whose_label_is_wrong(
    tmp_path: Path, training_images: Callable[[], list[set[bytes]]]
) -> None:
    """Every second synthetic image says the other class: a classifier of real images doesn't agree."""
    images = toy_synthetic_images(DATASET)
    wrong = np.arange(80) % 4 >= 2
    mixed = SyntheticImages(
        images.images, torch.where(torch.from_numpy(wrong), 1 - images.targets, images.targets), None, "mixed"
    )
    result = run(tmp_path, synthetic=mixed, arms=("real", "real+agreed"), k_folds=0, epochs=10)
    _, learned = training_images()  # the arm real's network decides: it isn't trained a second time
    named = {image.numpy().tobytes(): bad for image, bad in zip(images.images, wrong, strict=True)}
    chosen = [named[image] for image in learned if image in named]
    assert len(chosen) > 10 and np.mean(chosen) < 0.2
    (caveat,) = (one for one in result.summary["caveats"] if "real+agreed learned from" in one)
    assert "not 1:" not in caveat
    again = run(tmp_path, synthetic=mixed, arms=("real", "real+agreed"), k_folds=0, epochs=10)
    assert again.trainings == 0 and again.scores.equals(result.scores)
    alone = run(tmp_path / "alone", synthetic=mixed, arms=("real+agreed",), k_folds=0, epochs=10)
    judge, same = training_images()
    assert same == learned and judge == {image for image in learned if image not in named}
    assert alone.scores.auroc.item() == result.of(arm="real+agreed").auroc.item()


def test_synthetic_to_real_goes_on_with_what_it_has_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its synthetic images teach the opposite: after them it ranks upside down, and the real ones set it right."""
    wrong = toy_synthetic_images(DATASET)
    wrong = SyntheticImages(wrong.images, 1 - wrong.targets, None, "wrong")
    histories = []
    train = task.train

    def watched(*args: Any, **more: Any) -> Any:
        histories.append(train(*args, **more))
        return histories[-1]

    monkeypatch.setattr(task, "train", watched)
    result = run(tmp_path, synthetic=wrong, arms=("synthetic→real",), k_folds=0, epochs=10, pretraining=0.4)
    before, after = histories
    assert (len(before.epochs), len(after.epochs)) == (4, 6)
    assert before.epochs[-1].score < 0.2 and after.epochs[0].loss > 0.7, "it begins with the wrong idea"
    assert result.scores.auroc.item() > 0.9 and result.scores.best_epoch.item() > 4


# --- frozen weights


def test_frozen_weights_answer_once_except_to_images_that_change(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    weights.touch()
    options = {"k_folds": 2, "weights": str(weights), "epochs": 20}
    Body.seen.clear()
    result = run(tmp_path / "a", arms=("real", "real+synthetic", "synthetic→real", "synthetic"), **options)
    images = [len(DATASET.images), 80]
    assert [len(batch) for batch in Body.seen] == images, "the features of each image once, for all arms and folds"
    assert result.scores.auroc.min() > 0.8
    Body.seen.clear()
    classic = run(tmp_path / "a", arms=("real", "real+classic"), **options)
    steps = int(classic.of(arm="real+classic").steps.sum())
    assert classic.of(arm="real+classic").auroc.min() > 0.8
    learned = [batch for batch in Body.seen if len(batch) == QUICK.batch_size]
    assert len(learned) == steps, "every step goes through the body"
    as_they_are = {image.numpy().tobytes() for image in gather(DATASET).images.float().div(255).sub(0.5).div(0.5)}
    changed_ones = [image.numpy().tobytes() not in as_they_are for batch in learned for image in batch]
    assert np.mean(changed_ones) > 0.9, "with another picture of the chest"


def test_what_was_kept_answers_as_it_did_in_the_study(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    weights.touch()
    pool = gather(DATASET)
    for arm, of in (("real", "none"), ("real", str(weights)), ("real+classic", str(weights))):
        folder = tmp_path / f"{arm}-{len(of)}"
        result = run(folder, arms=(arm,), k_folds=0, weights=of)
        saved = load_classifier(folder)
        answers = predict(saved.network, pool.images, pool.test, CPU)
        right = np.mean(answers.argmax(axis=1) == pool.targets[pool.test].numpy())
        assert right == result.scores.accuracy.item()
        brier = np.mean((answers[:, 1] - pool.targets[pool.test].numpy()) ** 2)
        assert brier == pytest.approx(result.scores.brier.item(), abs=1e-6)
        assert saved.metadata.auroc == result.scores.validation_auroc.item()
        assert (saved.metadata.arm, saved.metadata.classes, saved.metadata.options) == (
            arm,
            DATASET.classes,
            DATASET.options,
        )


def test_a_resnet50_with_weights_from_a_file_trains_its_head_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("task", "inference"):
        monkeypatch.setattr(f"xrgan.downstream.classification.{module}.build", networks.build)
    weights = tmp_path / "resnet50-of-a-colleague.pth"
    torch.manual_seed(0)
    state = models.resnet50().state_dict()
    torch.save(state, weights)
    result = run(
        tmp_path / "study", arms=("real",), k_folds=0, arch="resnet50", weights=str(weights), epochs=15, lr=0.1
    )
    assert result.scores.auroc.item() > 0.7
    saved = load_classifier(tmp_path / "study")
    assert saved.metadata.arch == "resnet50" and saved.features == 2048
    kept = saved.network.body.state_dict()
    assert all(torch.equal(kept[key], value) for key, value in state.items() if not key.startswith(("fc.", "conv1.")))
    assert torch.equal(kept["conv1.weight"], state["conv1.weight"].sum(dim=1, keepdim=True))


# --- honest figures


def test_the_figures_come_from_the_test_split_alone(tmp_path: Path, whole: Result) -> None:
    swapped = set_at(DATASET.labels, DATASET.splits == "test", 1 - DATASET.labels[DATASET.splits == "test"])
    turned = run(tmp_path, changed(DATASET, labels=swapped, content_hash="turned"), arms=("real",))
    real = whole.of(arm="real", fraction=1.0)
    np.testing.assert_allclose(turned.scores.auroc, 1 - real.auroc)
    np.testing.assert_allclose(turned.scores.accuracy, 1 - real.accuracy)
    same = ["steps", "best_epoch", "validation_auroc", *(f"fold_{name}" for name in METRICS)]
    pd.testing.assert_frame_equal(turned.scores[same], real[same])


def test_test_images_have_no_say_in_training(tmp_path: Path, whole: Result) -> None:
    other = np.where((DATASET.splits == "test")[:, None, None, None], 255 - DATASET.images, DATASET.images)
    inverted = run(tmp_path, changed(DATASET, images=other.astype(np.uint8), content_hash="inverted"), arms=("real",))
    real = whole.of(arm="real", fraction=1.0)
    assert tuple(inverted.scores.brier) != tuple(real.brier)
    same = ["validation_auroc", "validation_balanced_accuracy", *(f"fold_{name}" for name in METRICS)]
    pd.testing.assert_frame_equal(inverted.scores[same], real[same])


def test_a_generator_that_saw_the_folds_is_refused_and_nothing_is_trained(tmp_path: Path) -> None:
    seen = (provenance_on("a-run", DATASET, DATASET),)
    with pytest.raises(XrganError, match=r"fold 1's left-out part.*--k-folds 0.*--gan-per-fold"):
        run(tmp_path / "none", seen=seen)
    assert not (tmp_path / "none").exists()
    told = toy_synthetic_images(DATASET)
    told = SyntheticImages(told.images, told.targets, seen, told.digest)
    with pytest.raises(XrganError, match="fold 1's left-out part"):
        run(tmp_path / "none", synthetic=told, arms=("real+synthetic",))
    assert not (tmp_path / "none").exists()
    assert run(tmp_path / "own", synthetic=told, seen=seen, k_folds=0, arms=("real+synthetic",)).trainings == 1


def test_a_fold_s_own_images_teach_it_and_no_other(tmp_path: Path) -> None:
    """`synthetic_for` is asked for each fold with rows of the dataset, unlabelled images counted."""
    dataset = changed(DATASET, labels=set_at(DATASET.labels, [0, 1], -1))
    asked = []

    def synthetic_for(part: Part) -> SyntheticImages:
        asked.append(part.fold)
        return toy_synthetic_images(dataset, seed=part.fold.number)

    config = QUICK.model_copy(update={"arms": ("synthetic",), "gan_per_fold": True})
    run_study(Classification(config), dataset, CPU, tmp_path, synthetic_for)
    assert [fold.number for fold in asked] == [1, 2]
    for fold in asked:
        rows = np.concatenate([fold.training, fold.validation, fold.test])
        assert sorted(rows) == sorted(np.flatnonzero((dataset.splits != "test") & (dataset.labels >= 0)))


# --- what it leaves


def test_the_folder_holds_what_was_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def picture(_: Any, results: Results, *__: Any) -> dict[str, str]:
        (results.folder / "roc.png").touch()
        return {"roc.png": "ROC."}

    monkeypatch.setattr(report, "save_pictures", picture)
    result = run(tmp_path / "classify", arms=("real", "synthetic"), k_folds=2)
    assert sorted(file.name for file in result.folder.iterdir()) == [
        "checkpoints",
        "report.md",
        "roc.png",
        "scores.csv",
        "summary.yaml",
        "trainings",
    ]
    names = [file.name for file in sorted((result.folder / "checkpoints").iterdir())]
    assert names == ["real-fold1.pt", "real-fold2.pt", "synthetic-fold1.pt", "synthetic-fold2.pt"]
    assert yaml.safe_load((result.folder / "summary.yaml").read_text(encoding="utf-8")) == result.summary
    assert result.summary["seconds"] >= 0


def test_three_classes_of_rgb_images(tmp_path: Path) -> None:
    three = toy_dataset(train=72, test=36, classes=("NORMAL", "BACTERIA", "VIRUS"))
    three = changed(three, images=three.images.repeat(3, axis=1))
    synthetic = toy_synthetic_images(toy_dataset(classes=three.classes), 90)
    rgb = SyntheticImages(synthetic.images.repeat(1, 3, 1, 1), synthetic.targets, None, "rgb")
    result = run(tmp_path, three, rgb, arms=("real", "real+classic", "real+synthetic"), k_folds=0, epochs=8)
    assert result.scores.auroc.min() > 0.9
    assert result.summary["images"]["test"] == {"NORMAL": 12, "BACTERIA": 12, "VIRUS": 12}


# --- what stands in the way


def test_what_stands_in_the_way_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    def refused(match: str, **options: Any) -> None:
        config = QUICK.model_copy(update=options)
        with pytest.raises(XrganError, match=match):
            check(Classification(config), DATASET)
        with pytest.raises(XrganError, match=match):
            run_study(Classification(config), DATASET, CPU, tmp_path / "none", lambda _: toy_synthetic_images())

    refused("densenet121 needs images of 32 pixels or more; toys has 16", arch="densenet121")
    refused("There is no file", weights=str(tmp_path / "absent.pth"))
    refused("too few for 20 folds", k_folds=20)
    refused("needs 2 epochs or more.*--epochs", arms=("real", "synthetic→real"), epochs=1)
    assert not (tmp_path / "none").exists()
    pool, folds = check(Classification(ClassifyConfig(arch="resnet18", weights="none", k_folds=3)), DATASET)
    assert len(folds) == 3 and len(pool.images) == len(DATASET.images)


# --- another arm is a row


def test_an_arm_that_is_added_as_a_row_learns_as_its_row_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, training_images: Callable[[], list[set[bytes]]]
) -> None:
    both = frozenset({"real", "synthetic"})
    for arm in (
        Arm("both+classic", "#aa3377", (both,), classic=True),
        Arm("real→both", "#bbbbbb", (frozenset({"real"}), both)),
    ):
        monkeypatch.setitem(ARMS, arm.name, arm)
    result = run(tmp_path, arms=("real", "both+classic", "real→both"), k_folds=0)
    real, mixed, before, after = training_images()
    assert before == real and after == mixed > real
    assert result.of(arm="both+classic").n_synthetic.item() == result.of(arm="real").n_real.item()
    assert [one["arm"] for one in result.summary["comparisons"]] == ["both+classic", "real→both"]
    assert (tmp_path / "checkpoints" / "real-to-both-fold0.pt").is_file()
