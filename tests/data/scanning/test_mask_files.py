"""Masks are known by their folders and names, and find their images."""

from pathlib import Path

import pytest

from tests.data.trees import masks, plant
from xrgan.data.scan import Hints, scan, scan_folder


def test_masks_are_no_images(tmp_path: Path) -> None:
    plant(tmp_path, "images/a.png", "masks/a.png", "Mask/b.png", "train/masks/c.png")
    assert list(scan(tmp_path)["file"]) == ["images/a.png"]


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/a.png", "masks/a.png"),
        ("images/a.jpeg", "masks/a.png"),
        ("images/a.png", "masks/a_mask.png"),
        ("images/a.png", "Mask/a_MASK.gif"),
        ("a.png", "masks/a.png"),
        ("scans/a.png", "masks/a.png"),
        ("chest/scans/a.png", "chest/masks/a.png"),
        ("chest/scans/a.dcm", "masks/chest/a.png"),
        ("COVID/images/a.png", "COVID/masks/a.png"),
        ("images/NORMAL/a.png", "masks/NORMAL/a.png"),
        ("train/images/a.png", "train/masks/a.png"),
        ("images/train/NORMAL/a.png", "masks/train/NORMAL/a.png"),
        ("train/NORMAL/a.png", "train/masks/a.png"),
        ("images/a.png", "masks/heart/a.png"),
        ("images/a.png", "masks/Left_Lung/a.png"),
        ("images/a.png", "masks/right-lung/a_mask.png"),
        ("images/NORMAL/a.png", "masks/heart/NORMAL/a.png"),
    ],
)
def test_a_mask_finds_its_image(tmp_path: Path, image: str, mask: str) -> None:
    rows = scan(plant(tmp_path, image, mask, "elsewhere/masks/a.png", "masks/b.png", "masks/left clavicle/a.png"))
    assert masks(rows) == {image: mask}
    assert len(rows) == 1


def test_several_masks_of_an_image_are_joined(tmp_path: Path) -> None:
    plant(tmp_path, "images/a.png", "masks/right lung/a.png", "masks/heart/a.png", "masks/left lung/a_mask.png")
    plant(tmp_path, "images/b.png", "masks/heart/b.png", "images/c.png")
    assert masks(scan(tmp_path)) == {
        "images/a.png": "masks/heart/a.png|masks/left lung/a_mask.png|masks/right lung/a.png",
        "images/b.png": "masks/heart/b.png",
    }


def test_images_of_one_name_each_have_their_own_mask(tmp_path: Path) -> None:
    plant(tmp_path, "A/images/1.png", "A/masks/1.png", "B/images/1.png", "B/masks/1.png", "C/images/1.png")
    plant(tmp_path, "masks/1.png", "images/1.png")
    assert masks(scan(tmp_path)) == {
        "A/images/1.png": "A/masks/1.png",
        "B/images/1.png": "B/masks/1.png",
        "images/1.png": "masks/1.png",  # and not C's, though it might be
    }


def test_a_mask_that_could_be_of_two_images_is_of_neither(tmp_path: Path) -> None:
    plant(tmp_path, "NORMAL/1.png", "PNEUMONIA/1.png", "PNEUMONIA/2.png", "masks/1.png", "masks/2.png")
    assert masks(scan(tmp_path)) == {"PNEUMONIA/2.png": "masks/2.png"}


def test_a_mask_of_another_split_or_class_is_nobodys(tmp_path: Path) -> None:
    plant(tmp_path, "train/images/1.png", "test/masks/1.png", "A/2.png", "masks/B/2.png")
    assert masks(scan(tmp_path)) == {}


def test_second_copies_of_masks_are_counted_once(tmp_path: Path) -> None:
    plant(tmp_path, "set/images/1.png", "set/masks/1.png", "set/set/images/1.png", "set/set/masks/1.png")
    plant(tmp_path, "set/images/2.png", "set/masks/2.png", "set/masks/2_mask.png", "set/data/masks/2.png")
    assert masks(scan(tmp_path)) == {
        "set/images/1.png": "set/masks/1.png",
        "set/images/2.png": "set/data/masks/2.png",  # the first by name: any, but one
    }


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("a.png", ["a_mask.png"]),
        ("a.png", ["a-seg.png"]),
        ("a.png", ["mask_a.png"]),
        ("a.png", ["a (mask).png"]),
        ("x/a.png", ["x/a_left_mask.png", "x/a_right_mask.png"]),
        ("images/a.png", ["labels/a.png"]),
        ("images/a.png", ["gt/a.png"]),
        ("images/a.png", ["ground_truth/a_gt.png"]),
        ("set/CXR_png/a.png", ["set/ManualMask/leftMask/a.png", "set/ManualMask/rightMask/a.png"]),
        ("Train/COVID/images/a.png", ["Train/COVID/infection masks/a.png", "Train/COVID/lung masks/a.png"]),
        ("imagesTr/a_0000.png", ["labelsTr/a.png"]),
        ("imagesTr/a_0000.nii.gz", ["labelsTr/a.nii.gz"]),
    ],
)
def test_the_ways_in_which_people_name_masks(tmp_path: Path, image: str, shown: list[str]) -> None:
    rows = scan(plant(tmp_path, image, *shown))
    assert masks(rows) == {image: "|".join(shown)}
    assert list(rows["file"]) == [image]


@pytest.mark.parametrize("name", ["labels/a.png", "target/a.png", "a_mask.png", "chest-xray-masks-and-labels/x/a.png"])
def test_a_name_that_only_may_be_a_masks_is_an_images_without_an_image(tmp_path: Path, name: str) -> None:
    assert list(scan(plant(tmp_path, name))["file"]) == [name]


def test_any_other_way_is_told_by_a_pattern(tmp_path: Path) -> None:
    plant(tmp_path, "a.png", "b.png", "contours/lungs-of-a.png", "contours/lungs-of-b.png")
    rows = scan_folder(tmp_path, hints=Hints(mask_pattern="^contours/lungs-of-(.*)$")).rows
    assert masks(rows) == {"a.png": "contours/lungs-of-a.png", "b.png": "contours/lungs-of-b.png"}
    assert list(rows["file"]) == ["a.png", "b.png"]
