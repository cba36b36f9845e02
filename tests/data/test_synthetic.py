"""Synthetic images are read with their labels, whoever drew them."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import write_image
from xrgan.data.images import read_gray
from xrgan.data.synthetic import list_synthetic, read_synthetic
from xrgan.errors import XrganError

CLASSES = ("NORMAL", "PNEUMONIA")


def drawn(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        write_image(folder / name, 8, 8, seed=seed)
    return folder


def test_an_index_gives_the_labels_in_its_order(tmp_path: Path) -> None:
    drawn(tmp_path, "synthetic_00001.png", "synthetic_00002.png", "synthetic_00003.png", "not_listed.png")
    (tmp_path / "index.csv").write_text(
        "file,seed,label\nsynthetic_00002.png,1,PNEUMONIA\nsynthetic_00001.png,1,\nsynthetic_00003.png,1,NORMAL\n"
    )
    images, labels = read_synthetic(tmp_path, CLASSES)
    assert (images.dtype, images.shape) == (np.uint8, (3, 1, 8, 8))
    assert (labels.dtype, labels.tolist()) == (np.int64, [1, -1, 0])
    assert np.array_equal(images[0, 0], read_gray(tmp_path / "synthetic_00002.png"))


def test_class_folders_give_the_labels_where_there_is_no_index(tmp_path: Path) -> None:
    drawn(tmp_path, "PNEUMONIA/b.png", "NORMAL/a.png", "loose.png", "sheet.png", "walk.gif", "NORMAL/.hidden.png")
    listed = list_synthetic(tmp_path)
    assert listed.to_dict("list") == {
        "file": ["NORMAL/a.png", "PNEUMONIA/b.png", "loose.png"],
        "label": ["NORMAL", "PNEUMONIA", ""],
    }
    assert read_synthetic(tmp_path, CLASSES)[1].tolist() == [0, 1, -1]


def test_without_classes_no_image_has_a_label(tmp_path: Path) -> None:
    assert read_synthetic(drawn(tmp_path, "NORMAL/a.png", "b.png"))[1].tolist() == [-1, -1]


def test_the_first_few_can_be_asked_for(tmp_path: Path) -> None:
    images, labels = read_synthetic(drawn(tmp_path, "a.png", "b.png", "c.png"), limit=2)
    assert len(images) == len(labels) == 2
    assert np.array_equal(images[1, 0], read_gray(tmp_path / "b.png"))


def test_colour_stays(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 8, 8, mode="RGB")
    assert read_synthetic(tmp_path)[0].shape == (1, 3, 8, 8)


def test_an_unknown_label_is_named_with_the_classes(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="holds images of 'TB'.*NORMAL, PNEUMONIA"):
        read_synthetic(drawn(tmp_path, "TB/a.png"), CLASSES)


def test_an_absent_or_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(XrganError, match="There is no folder .*xrgan sample"):
        read_synthetic(tmp_path / "absent")
    with pytest.raises(XrganError, match="There is no image in .*xrgan sample"):
        read_synthetic(tmp_path)


@pytest.mark.parametrize("text", ["", "file,seed\na.png,1\n", "name,label\na.png,NORMAL\n"])
def test_a_wrong_index_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(XrganError, match="index.csv has no columns file and label"):
        read_synthetic(tmp_path)


def test_a_listed_file_that_is_absent_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("file,label\nlost.png,\n")
    with pytest.raises(XrganError, match="lost.png can't be read"):
        read_synthetic(tmp_path)


def test_images_of_several_sizes_are_told(tmp_path: Path) -> None:
    write_image(drawn(tmp_path, "a.png") / "b.png", 9, 8)
    with pytest.raises(XrganError, match="b.png is 9×8, a.png is 8×8"):
        read_synthetic(tmp_path)
