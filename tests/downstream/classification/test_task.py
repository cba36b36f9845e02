"""What is particular to classifiers in a study: their answers, their paired test, their counts and their words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.downstream.blobs import (
    OPTIONS,
    QUICK,
    constructed,
    results_of,
    summarised,
    toy_dataset,
    toy_synthetic_images,
)
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.metrics import METRICS, score
from xrgan.downstream.classification.task import Classification, together
from xrgan.downstream.pool import FoldData
from xrgan.downstream.task import FEW_PATIENTS
from xrgan.errors import XrganError

DATASET = toy_dataset()
POOL = gather(DATASET)
FOLD = cut(POOL, 0, 0)[0]
TASK = Classification(QUICK)
(TRIAL,) = constructed(POOL, [FOLD], {"real": 2})


def test_its_figures_are_those_of_the_metrics_and_nan_without_a_class() -> None:
    labels = POOL.strata[POOL.test]
    figures = TASK.figures(TRIAL.on_test, POOL, POOL.test)
    assert figures.tolist() == list(score(labels, TRIAL.on_test).values()) and len(figures) == len(METRICS)
    normal = labels == 0
    assert np.isnan(TASK.figures(TRIAL.on_test[normal], POOL, POOL.test[normal])).all()


def test_the_paired_test_counts_images_that_one_arm_alone_gets_right() -> None:
    right = np.eye(2)[POOL.strata[POOL.test]] * 0.8 + 0.1
    worse = right.copy()
    worse[:5] = 1 - worse[:5]
    test = TASK.paired_test([right], [worse], POOL)
    assert (test.wins, test.losses) == (5, 0) and test.lean > 0 and test.p == pytest.approx(2 / 2**5)
    assert np.array_equal(together([right, worse])[0], [0.5, 0.5])


def test_images_are_counted_by_class() -> None:
    assert TASK.facts(DATASET, POOL) == {
        "training": {"NORMAL": 26, "PNEUMONIA": 26},
        "validation": {"NORMAL": 6, "PNEUMONIA": 6},
        "test": {"NORMAL": 12, "PNEUMONIA": 12},
    }


def test_a_checkpoint_says_how_its_network_is_built() -> None:
    metadata = TASK.metadata(FoldData(DATASET, POOL, FOLD, toy_synthetic_images(DATASET)), TRIAL, "abc")
    assert (metadata.arch, metadata.channels, metadata.size, metadata.classes) == ("resnet18", 1, 16, DATASET.classes)
    assert (metadata.auroc, metadata.study, metadata.options, metadata.key) == (0.9, "abc", OPTIONS, TRIAL.key)


def test_too_small_images_and_absent_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="densenet121 needs images of 32 pixels"):
        replace(TASK, config=QUICK.model_copy(update={"arch": "densenet121"})).check(DATASET, 2)
    absent = QUICK.model_copy(update={"weights": str(tmp_path / "absent.pth")})
    with pytest.raises(XrganError, match="There is no file"):
        replace(TASK, config=absent).check(DATASET, 2)
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    other = QUICK.model_copy(update={"weights": str(tmp_path / "other.pth")})
    with pytest.raises(XrganError, match="other.pth don't fit resnet18"):
        replace(TASK, config=other).check(DATASET, 2)


def test_the_setting_is_one_sentence() -> None:
    images = TASK.facts(DATASET, POOL) | {"test_patients": 12}
    said = TASK.setting({"options": QUICK.model_dump(), "images": images})
    assert said.startswith(
        "resnet18, from scratch, all layers trained; 2 folds by patient, 1 training each; 52 (26 NORMAL"
    )
    assert said.endswith("24 (12 NORMAL, 12 PNEUMONIA) untouched test images of 12 patients.")


def test_few_test_patients_of_a_class_are_told_of() -> None:
    (said,) = TASK.few_patients(POOL, "The test split")
    assert said.startswith("The test split has patients: ")
    assert "6 of NORMAL, 6 of PNEUMONIA" in said and "up to 0.17" in said
    many = toy_dataset(train=16, test=2 * 2 * FEW_PATIENTS)
    assert TASK.few_patients(gather(many), "The test split") == []


def test_classifiers_that_call_every_image_alike_are_told_of() -> None:
    trials = constructed(POOL, [FOLD], {"real": 2, "synthetic": 2}, seeds=2)
    always = np.tile([0.3, 0.7], (len(POOL.test), 1))
    trials = [replace(one, on_test=always) if one.key[0::3] == ("synthetic", 1) else one for one in trials]
    (said,) = TASK.oddities(results_of(POOL, [FOLD], trials))
    assert said.startswith(
        "1 of 2 classifiers of synthetic with 100 % of the real images call every test image PNEUMONIA"
    )
    config = QUICK.model_copy(update={"arms": ("real", "synthetic"), "k_folds": 0, "seeds": 2, "resamples": 5})
    assert said in summarised(DATASET, POOL, [FOLD], config, trials)["caveats"]
