"""What the phantoms promise: reproducible, anatomically arranged, and ill only where their label says so."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xrgan.data.phantom import LABELS, MASK_VALUES, Phantom, draw, write_dataset

pytestmark = pytest.mark.slow

PATIENTS = range(1, 13)


def difference(a: Phantom, b: Phantom) -> float:
    """How unlike two radiographs are in structure: exposure is taken out, or it would drown the anatomy."""
    return 1 - float(np.corrcoef(a.image.ravel(), b.image.ravel())[0, 1])


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_arguments_draw_the_same_phantom() -> None:
    first, again = (draw(3, 1, "PNEUMONIA", 64, seed=5) for _ in range(2))
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.mask, again.mask)
    assert (first.label, first.patient) == ("PNEUMONIA", "phantom00003")


def test_patient_study_and_seed_each_change_the_image() -> None:
    images = [draw(*which, "NORMAL", 64, seed).image for *which, seed in ((1, 1, 0), (2, 1, 0), (1, 2, 0), (1, 1, 1))]
    assert len({image.tobytes() for image in images}) == 4


def test_a_patient_resembles_themself_more_than_others() -> None:
    first = [draw(patient, 1, "NORMAL", 64) for patient in PATIENTS]
    second = [draw(patient, 2, "NORMAL", 64) for patient in PATIENTS]
    same = np.mean([difference(a, b) for a, b in zip(first, second, strict=True)])
    other = np.mean([difference(a, b) for i, a in enumerate(first) for j, b in enumerate(second) if i != j])
    assert same < 0.8 * other


@pytest.mark.parametrize("size", [16, 32, 100, 128, 257])
def test_any_size_gives_an_image_and_a_mask_of_four_values(size: int) -> None:
    phantom = draw(1, 1, "PNEUMONIA", size)
    assert phantom.image.shape == phantom.mask.shape == (size, size)
    assert phantom.image.dtype == phantom.mask.dtype == np.uint8
    assert set(np.unique(phantom.mask)) == set(MASK_VALUES.values())


def test_brightness_alone_does_not_tell_the_classes_apart() -> None:
    means = [[draw(patient, 1, label, 32).image.mean() for patient in range(1, 61)] for label in LABELS]
    healthy, ill = np.sort(means[0]), np.array(means[1])
    auc = (np.searchsorted(healthy, ill) / len(healthy)).mean()
    assert auc < 0.75


def test_a_dataset_is_a_tree_of_images_and_masks_with_an_index(tmp_path: Path) -> None:
    steps: list[int] = []
    write_dataset(tmp_path, 30, size=32, advance=steps.append)
    index = pd.read_csv(tmp_path / "index.csv")
    assert list(index.columns) == ["file", "label", "patient", "mask"]
    assert sum(steps) == len(index) == 30
    assert set(files(tmp_path)) == {"index.csv", *index["file"], *index["mask"]}
    assert set(index["label"]) == set(LABELS)
    assert (index.groupby("patient")["label"].nunique() == 1).all()
    assert index["patient"].nunique() < 30  # some patients came twice
    row = index.iloc[0]
    assert row["file"] == f"images/{row['label']}/phantom00001_1.png"
    expected = draw(1, 1, row["label"], 32)
    assert np.array_equal(np.asarray(Image.open(tmp_path / row["file"])), expected.image)
    assert np.array_equal(np.asarray(Image.open(tmp_path / row["mask"])), expected.mask)


def test_a_smaller_dataset_is_the_beginning_of_a_larger_one(tmp_path: Path) -> None:
    write_dataset(tmp_path / "small", 5, size=16, seed=2)
    write_dataset(tmp_path / "large", 9, size=16, seed=2)
    small, large = files(tmp_path / "small"), files(tmp_path / "large")
    assert large.pop("index.csv").startswith(small.pop("index.csv"))
    assert small.items() < large.items()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 1, "NORMAL", 15), "size of 16 or more; 15"),
        ((1, 1, "normal", 64), "Unknown label 'normal'"),
        ((-1, 1, "NORMAL", 64), "must not be negative"),
    ],
)
def test_a_wrong_argument_is_named(arguments: tuple[int, int, str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(*arguments)


def test_an_empty_dataset_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1 phantom; 0"):
        write_dataset(tmp_path / "none", 0)
    assert not (tmp_path / "none").exists()
