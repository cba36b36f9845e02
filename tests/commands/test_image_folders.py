"""The sides of a comparison: folders of images or prepared datasets, brought to one size."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from xrgan.commands.image_folders import Side, common_classes, read_sides
from xrgan.config_resolve import resolve
from xrgan.data.images import save_png
from xrgan.data.phantom import write_dataset
from xrgan.data.prepare import prepare
from xrgan.errors import XrganError


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write_dataset(tmp_path / "raw" / "phantom", 30, size=32)
    options = resolve(flags={"prepare.size": 32, "prepare.workers": 1, "prepare.masks": "lungs"}).prepare
    return prepare(tmp_path / "raw" / "phantom", tmp_path / "prepared", options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(6):
        write_image(tmp_path / "drawn" / ("NORMAL", "ILL")[k % 2] / f"{k}.png", 40 + k, 50, seed=k)
    return tmp_path / "drawn"


@pytest.mark.slow
def test_a_prepared_dataset_is_a_side_by_its_split_and_without_its_masks(dataset: Path, folder: Path) -> None:
    assert common_classes([dataset, folder]) == ["NORMAL"]
    [one] = read_sides([Side(dataset, ("val", "test"))], ["NORMAL"], 0)
    assert one.images.shape[1:] == (1, 32, 32)
    assert len(one.images) < 30
    assert set(one.labels) == {0, -1}
    with pytest.raises(XrganError, match="has no image for dev"):
        read_sides([Side(dataset, ("dev",))], [], 0)


@pytest.mark.slow
def test_both_sides_are_brought_to_one_size(dataset: Path, folder: Path) -> None:
    sides = read_sides([Side(side, ("train",)) for side in (dataset, folder)], ["NORMAL"], 24)
    assert [side.images.shape[1:] for side in sides] == [(1, 24, 24)] * 2
    assert [int((side.labels == 0).sum() > 0) for side in sides] == [1, 1]
    assert np.ptp(sides[0].images) > 100
    with pytest.raises(XrganError, match=r"evaluate --size N"):
        read_sides([Side(folder)], [], 0)


def test_both_sides_are_scaled_alike_whatever_the_depth_of_their_files(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(3, 50, (4, 16, 16), dtype=np.uint8)
    for k, picture in enumerate(pictures):
        save_png(tmp_path / "eight" / f"{k}.png", picture)
        (tmp_path / "deep").mkdir(exist_ok=True)
        Image.fromarray(picture.astype(np.uint16) * 257).save(tmp_path / "deep" / f"{k}.png")
    eight, deep = read_sides([Side(tmp_path / "eight"), Side(tmp_path / "deep")], [], 0)
    assert np.array_equal(eight.images, deep.images)
