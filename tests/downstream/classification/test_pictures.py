"""The pictures of a study open, show something, and are those that it has something for."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.downstream.blobs import ALL_ARMS, QUICK, constructed, results_of, summarised, toy_dataset
from xrgan.data.packed import PackedDataset
from xrgan.downstream import report
from xrgan.downstream.arms import ARMS
from xrgan.downstream.classification import pictures
from xrgan.downstream.classification.data import cut, gather
from xrgan.downstream.classification.task import Classification
from xrgan.downstream.trial import History, Trial

pytestmark = pytest.mark.slow

DATASET = toy_dataset(train=60, test=30)
ALWAYS = ["confusion.png", "curves.png", "folds.png", "roc.png"]


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "RESAMPLES", 5)


def save(
    folder: Path,
    arms: Sequence[str],
    k: int = 0,
    fractions: tuple[float, ...] = (1.0,),
    seeds: int = 1,
    dataset: PackedDataset = DATASET,
) -> dict[str, str]:
    """Pictures of a study that nobody ran; its trainings took one to three epochs."""
    pool = gather(dataset)
    folds = cut(pool, k, 0)
    trials = constructed(pool, folds, dict.fromkeys(arms, 1.0), fractions=fractions, seeds=seeds)
    trials = [_of_length(one, 1 + number % 3) for number, one in enumerate(trials)]
    wish = {"arms": tuple(arms), "k_folds": k, "fractions": fractions, "seeds": seeds, "resamples": 10}
    summary = summarised(dataset, pool, folds, QUICK.model_copy(update=wish), trials)
    task, results = Classification(QUICK), results_of(pool, folds, trials, folder)
    return report.save_pictures(task, results, report.scores(task, results), summary)


def _of_length(trial: Trial, epochs: int) -> Trial:
    return replace(trial, history=History((trial.history.kept,) * epochs, epochs - 1, 8))


def shown(folder: Path) -> dict[str, np.ndarray]:
    found = {}
    for file in sorted(folder.iterdir()):
        with Image.open(file) as picture:
            assert picture.format == "PNG"
            found[file.name] = np.asarray(picture.convert("RGB"))
    return found


def colours(pixels: np.ndarray) -> set[int]:
    """Those of a picture, as 0xRRGGBB."""
    return set(np.unique(pixels.astype(np.int64) @ [0x10000, 0x100, 1]).tolist())


def check(folder: Path, made: dict[str, str]) -> None:
    found = shown(folder)
    assert sorted(made) == sorted(found)
    for name, pixels in found.items():
        assert min(pixels.shape[:2]) > 300, name
        drawn = (pixels != 255).any(axis=2)
        assert 0.01 < drawn.mean() < 0.9, f"{name} is blank"
        assert len(colours(pixels)) > 50, f"{name} has no colours"
        assert made[name].endswith(".")


def test_of_all_arms_folds_and_fractions(tmp_path: Path) -> None:
    made = save(tmp_path, ALL_ARMS, k=2, fractions=(0.1, 1.0))
    assert sorted(made) == sorted([*ALWAYS, "gain.png"])
    check(tmp_path, made)
    pixels = shown(tmp_path)
    for name in ("curves.png", "gain.png"):
        for arm, one in ARMS.items():
            assert int(one.colour[1:], 16) in colours(pixels[name]), f"{arm} is not in {name}"


def test_gain_is_there_with_several_fractions_only(tmp_path: Path) -> None:
    """One that another study left goes."""
    (tmp_path / "gain.png").write_bytes(b"of another study")
    made = save(tmp_path, ["real"])
    assert sorted(made) == ALWAYS == sorted(file.name for file in tmp_path.iterdir())


def test_of_one_arm_one_training_and_three_classes(tmp_path: Path) -> None:
    three = toy_dataset(train=90, test=30, classes=("NORMAL", "BACTERIA", "VIRUS"))
    check(tmp_path, save(tmp_path, ["synthetic"], dataset=three))
