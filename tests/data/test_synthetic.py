"""Synthetic images are read with their labels, whoever drew them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from xrgan.data.images import read_gray, save_png
from xrgan.data.synthetic import list_synthetic, read_pairs, read_synthetic
from xrgan.errors import XrganError
from xrgan.files import write_yaml

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


def test_images_come_by_name(tmp_path: Path) -> None:
    images, labels = read_synthetic(drawn(tmp_path, "a.png", "b.png", "c.png"))
    assert len(images) == len(labels) == 3
    assert np.array_equal(images[1, 0], read_gray(tmp_path / "b.png"))


def test_colour_stays(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
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


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.png", "a/../../b.png"])
def test_a_file_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "index.csv").write_text(f"file,label\n{name},\n")
    with pytest.raises(XrganError, match="index.csv names .* outside"):
        read_synthetic(tmp_path)


def test_a_file_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    """Else it would count twice in every score."""
    (tmp_path / "index.csv").write_text("file,label\na.png,\nb.png,\na.png,\n")
    with pytest.raises(XrganError, match=r"index.csv names 'a\.png' twice"):
        read_synthetic(tmp_path)


def test_a_listed_file_that_is_absent_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("file,label\nlost.png,\n")
    with pytest.raises(XrganError, match="lost.png can't be read"):
        read_synthetic(tmp_path)


def test_images_of_several_sizes_are_told(tmp_path: Path) -> None:
    write_image(drawn(tmp_path, "a.png") / "b.png", 9, 8)
    with pytest.raises(XrganError, match="b.png is 9×8, a.png is 8×8"):
        read_synthetic(tmp_path)


LEFT, RIGHT, LOW = (slice(1, 7), slice(0, 3)), (slice(1, 7), slice(5, 8)), (slice(4, 7), slice(3, 5))


def coded(folder: Path, name: str, values: tuple[int, int, int], size: int = 8) -> Path:
    """A mask file: what lies on the left, on the right and between them, each with its gray value."""
    mask = np.zeros((size, size), np.uint8)
    for where, value in zip((LEFT, RIGHT, LOW), values, strict=True):
        mask[where] = value
    save_png(folder / name, mask)
    return folder


def shows(mask: np.ndarray, *where: tuple[slice, slice]) -> bool:
    """Whether the mask (H, W) is 255 just there."""
    expected = np.zeros_like(mask)
    for place in where:
        expected[place] = 255
    return bool(np.array_equal(mask, expected))


def test_masks_are_told_apart_by_the_values_that_sample_yaml_names(tmp_path: Path) -> None:
    drawn(tmp_path, "synthetic_00001.png", "synthetic_00002.png")
    coded(tmp_path, "synthetic_00001_mask.png", (7, 7, 30))
    coded(tmp_path, "synthetic_00002_mask.png", (0, 7, 0))
    write_yaml(tmp_path / "sample.yaml", {"run": "exp1", "mask_values": {"lungs": 7, "heart": 30, "opacity": 99}})
    images, masks = read_pairs(tmp_path, ("heart", "lungs"))
    assert np.array_equal(images, read_synthetic(tmp_path)[0])
    assert (masks.dtype, masks.shape) == (np.uint8, (2, 2, 8, 8))
    assert shows(masks[0, 0], LOW) and shows(masks[0, 1], LEFT, RIGHT)
    assert shows(masks[1, 0]) and shows(masks[1, 1], RIGHT)


def test_without_sample_yaml_the_known_values_tell(tmp_path: Path) -> None:
    coded(drawn(tmp_path, "a.png"), "a_mask.png", (150, 200, 250))
    _, masks = read_pairs(tmp_path, ("lungs", "heart", "left lung"))
    assert shows(masks[0, 0], LEFT, RIGHT) and shows(masks[0, 1], LOW) and shows(masks[0, 2], RIGHT)
    coded(tmp_path, "a_mask.png", (255, 255, 0))
    assert shows(read_pairs(tmp_path, ("lungs",))[1][0, 0], LEFT, RIGHT)  # a binary mask shows the only structure


def test_pairs_come_in_the_order_of_the_index(tmp_path: Path) -> None:
    drawn(tmp_path, "a.png", "b.png")
    coded(coded(tmp_path, "a_mask.png", (255, 0, 0)), "b_mask.png", (0, 255, 0))
    (tmp_path / "index.csv").write_text("file,label\nb.png,\na.png,\n")
    images, masks = read_pairs(tmp_path, ("lungs",))
    assert np.array_equal(images[0, 0], read_gray(tmp_path / "b.png"))
    assert shows(masks[0, 0], RIGHT) and shows(masks[1, 0], LEFT)


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    coded(drawn(tmp_path, "a.png", "b.png"), "a_mask.png", (150, 200, 250))
    with pytest.raises(XrganError, match="b.png has no mask: there is no b_mask.png.*--masks"):
        read_pairs(tmp_path, ("lungs",))
    with pytest.raises(XrganError, match="There is no image"):
        read_pairs(drawn(tmp_path / "empty", "sheet.png"), ("lungs",))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lungs": 255}, "show lungs, not heart.*same structures"),
        ({}, "show nothing, not lungs"),
        ({"lungs": 150, "right lung": 150, "heart": 250}, "can't be told apart.*--masks lungs,heart"),
        ({"lungs": 150, "heart": "250"}, "is damaged: mask_values"),
        ([150, 250], "is damaged: mask_values"),
        ({"lungs": 150, "heart": 240}, "a_mask.png can't be read as a mask: it has the gray value 200"),
    ],
)
def test_masks_of_other_structures_or_values_are_told(tmp_path: Path, values: object, sentence: str) -> None:
    coded(drawn(tmp_path, "a.png"), "a_mask.png", (150, 200, 240))
    write_yaml(tmp_path / "sample.yaml", {"mask_values": values})
    with pytest.raises(XrganError, match=sentence):
        read_pairs(tmp_path, ("lungs", "heart"))


def test_a_mask_of_another_size_or_kind_is_told(tmp_path: Path) -> None:
    coded(drawn(tmp_path, "a.png"), "a_mask.png", (255, 255, 0), size=9)
    with pytest.raises(XrganError, match="a_mask.png is 9×9, its image 8×8"):
        read_pairs(tmp_path, ("lungs",))
    with pytest.raises(XrganError, match="a_mask.png can't be read as a mask: has no mask of lungs"):
        read_pairs(tmp_path, ("lungs", "heart"))
    (tmp_path / "a_mask.png").write_bytes(b"torn")
    for mask_values in (None, {"lungs": 255}):
        if mask_values:
            write_yaml(tmp_path / "sample.yaml", {"mask_values": mask_values})
        with pytest.raises(XrganError, match="a_mask.png can't be read as a mask"):
            read_pairs(tmp_path, ("lungs",))
