import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from tests.downstream.toys import QUICK, changed, toy_dataset, toy_synthetic
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream import study, verdict
from xrgan.errors import XrganError


@dataclass(frozen=True)
class Result:
    folder: Path
    summary: dict[str, Any]
    errors: str

    @property
    def scores(self) -> pd.DataFrame:
        return pd.read_csv(io.StringIO((self.folder / "scores.csv").read_text()))


def run(folder: Path, dataset: PackedDataset | None = None, config: ClassifyConfig = QUICK, classes: int = 2) -> Result:
    dataset = dataset or toy_dataset()
    summary = study.classify(dataset, *toy_synthetic(classes=classes), config, torch.device("cpu"), folder)
    return Result(folder, summary, "")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(tmp_path_factory.mktemp("study") / "classify")


def test_both_arms_learn_the_toys(result: Result) -> None:
    for arm in ("real", "real+synthetic"):
        assert result.summary["arms"][arm]["auroc"]["mean"] > 0.9


def test_both_arms_take_the_same_steps_and_only_one_sees_synthetic_images(result: Result) -> None:
    real, augmented = (result.scores.query("arm == @arm").set_index("fold") for arm in ("real", "real+synthetic"))
    assert list(real.index) == list(augmented.index) == [1, 2]
    assert list(real.steps) == list(augmented.steps) == [QUICK.epochs * 4] * 2  # 32 images a fold, 8 a batch
    assert list(real.n_real) == list(augmented.n_real) == [32, 32]
    assert list(real.n_synthetic) == [0, 0] and list(augmented.n_synthetic) == [32, 32]
    assert list(real.validation_auroc) + list(real.auroc) != list(augmented.validation_auroc) + list(augmented.auroc)


def test_the_summary_is_the_mean_and_deviation_of_the_rows(result: Result) -> None:
    real, augmented = (result.scores.query("arm == @arm").accuracy.to_numpy() for arm in ("real", "real+synthetic"))
    assert result.summary["arms"]["real"]["accuracy"] == pytest.approx({"mean": real.mean(), "std": real.std(ddof=1)})
    difference = augmented - real
    assert result.summary["difference"]["accuracy"] == pytest.approx(
        {"mean": difference.mean(), "std": difference.std(ddof=1)}, abs=1e-12
    )


def test_writes_the_summary_and_two_pictures_the_classifier_and_nothing_else(result: Result) -> None:
    assert sorted(file.name for file in result.folder.iterdir()) == [
        "classifier.pt",
        "curves.png",
        "folds.png",
        "scores.csv",
        "summary.yaml",
    ]
    assert yaml.safe_load((result.folder / "summary.yaml").read_text()) == result.summary
    for name in ("curves.png", "folds.png"):
        with Image.open(result.folder / name) as picture:
            assert picture.width > picture.height > 300
            assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 50


def test_the_table_has_a_row_a_metric(result: Result) -> None:
    table = verdict.rows(result.summary)
    assert [row[0] for row in table][-1] == "AUROC" and len(table) == 6
    assert all(len(row) == len(verdict.COLUMNS) for row in table)
    assert table[-1][1].startswith(f"{result.summary['arms']['real']['auroc']['mean']:.3f} ± ")


def test_a_second_run_gives_the_same_scores_and_leaves_the_callers_randomness_alone(
    result: Result, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    again = run(tmp_path)
    assert torch.equal(torch.rand(3), expected)
    pd.testing.assert_frame_equal(again.scores.drop(columns="seconds"), result.scores.drop(columns="seconds"))


def test_the_figures_come_from_the_test_split_alone(tmp_path: Path, result: Result) -> None:
    dataset = toy_dataset()
    swapped = np.where(dataset.splits == "test", 1 - dataset.labels, dataset.labels)
    turned = run(tmp_path, changed(dataset, labels=swapped))
    real, as_before = (r.scores.query("arm == 'real'") for r in (turned, result))
    np.testing.assert_allclose(real.auroc, 1 - as_before.auroc)
    np.testing.assert_allclose(real.validation_auroc, as_before.validation_auroc)  # and test images chose no epoch


def test_three_classes_from_weights_of_which_only_the_head_learns(
    weights_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = QUICK.model_copy(update={"weights": str(weights_file), "epochs": 20, "lr": 0.01})
    dataset = toy_dataset(train=72, test=36, classes=("NORMAL", "BACTERIA", "VIRUS"))
    outcome = run(tmp_path, dataset, config, classes=3)
    assert outcome.summary["arms"]["real"]["auroc"]["mean"] > 0.8
    assert outcome.summary["images"]["test"] == {"NORMAL": 12, "BACTERIA": 12, "VIRUS": 12}


def test_efficientnet_drops_out_reproducibly(tmp_path: Path) -> None:
    config = QUICK.model_copy(update={"arch": "efficientnet_b0", "epochs": 1, "batch_size": 16})
    first, second = (run(tmp_path / name, config=config).scores.drop(columns="seconds") for name in ("a", "b"))
    pd.testing.assert_frame_equal(first, second)


def test_what_stands_in_the_way_is_said_before_anything_is_drawn_or_trained(tmp_path: Path) -> None:
    dataset = toy_dataset()
    study.check(dataset, QUICK)
    with pytest.raises(XrganError, match="densenet121 needs images of 32 pixels or more; toys has 16"):
        study.check(dataset, QUICK.model_copy(update={"arch": "densenet121"}))
    with pytest.raises(XrganError, match="There is no weights file"):
        study.check(dataset, QUICK.model_copy(update={"weights": str(tmp_path / "absent.pth")}))
    with pytest.raises(XrganError, match="too few for 20 folds"):
        study.classify(
            dataset, *toy_synthetic(), QUICK.model_copy(update={"k_folds": 20}), torch.device("cpu"), tmp_path / "none"
        )
    assert not (tmp_path / "none").exists()
