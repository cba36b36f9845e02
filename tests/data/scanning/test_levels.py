"""A level of folders is a class only if it can be one."""

from pathlib import Path, PurePosixPath

import pytest

from tests.data.trees import plant, said
from xrgan.data.scan import scan
from xrgan.data.scanning.levels import read_levels


def test_splits_with_classes(tmp_path: Path) -> None:
    plant(tmp_path, "train/NORMAL/a.png", "train/PNEUMONIA/b.png", "val/NORMAL/c.png", "test/PNEUMONIA/d.png")
    assert said(scan(tmp_path)) == {
        "test/PNEUMONIA/d.png": ("test", "PNEUMONIA"),
        "train/NORMAL/a.png": ("train", "NORMAL"),
        "train/PNEUMONIA/b.png": ("train", "PNEUMONIA"),
        "val/NORMAL/c.png": ("val", "NORMAL"),
    }


def test_classes_without_splits(tmp_path: Path) -> None:
    plant(tmp_path, "NORMAL/a.png", "PNEUMONIA/b.jpeg", "PNEUMONIA/ward 3/c.png")
    assert said(scan(tmp_path)) == {
        "NORMAL/a.png": ("", "NORMAL"),
        "PNEUMONIA/b.jpeg": ("", "PNEUMONIA"),
        "PNEUMONIA/ward 3/c.png": ("", "PNEUMONIA"),
    }


def test_a_flat_folder_has_neither(tmp_path: Path) -> None:
    assert said(scan(plant(tmp_path, "a.png", "b.png"))) == {"a.png": ("", ""), "b.png": ("", "")}


@pytest.mark.parametrize("name", ["images/a.png", "images/images/a.png", "PNG/a.png", "data/imgs/a.png"])
def test_a_folder_that_says_what_a_file_is_names_no_class(tmp_path: Path, name: str) -> None:
    assert said(scan(plant(tmp_path, name))) == {name: ("", "")}


@pytest.mark.parametrize(
    ("name", "split", "label"),
    [
        ("chest_xray/train/NORMAL/a.png", "train", "NORMAL"),
        ("train/chest_xray/NORMAL/a.png", "train", "NORMAL"),
        ("train/images/a.png", "train", ""),
        ("chest_xray/train/a.png", "train", ""),
        ("train/NORMAL/images/a.png", "train", "NORMAL"),
        ("Training/NORMAL/a.png", "train", "NORMAL"),
        ("VALID/NORMAL/a.png", "val", "NORMAL"),
        ("validation/NORMAL/a.png", "val", "NORMAL"),
        ("testing/NORMAL/a.png", "test", "NORMAL"),
    ],
)
def test_a_split_is_known_wherever_it_stands(tmp_path: Path, name: str, split: str, label: str) -> None:
    assert said(scan(plant(tmp_path, name))) == {name: (split, label)}


def test_the_folder_itself_names_no_split_or_class(tmp_path: Path) -> None:
    assert said(scan(plant(tmp_path / "test" / "NORMAL", "a.png"))) == {"a.png": ("", "")}


def test_the_class_stands_above_images_and_masks(tmp_path: Path) -> None:
    plant(tmp_path, "top/normal/images/1.png", "top/normal/masks/1.png", "top/covid/images/2.png")
    assert said(scan(tmp_path)) == {"top/normal/images/1.png": ("", "normal"), "top/covid/images/2.png": ("", "covid")}


CLASSES = ("NORMAL", "PNEUMONIA")
PEOPLE = ("Ida", "Otto", "Eva", "Jan", "Tom", "Ute", "Kai")
TREES: dict[str, tuple[list[str], set[str], int]] = {  # paths → classes, and how many patients
    "patients in classes": ([f"{CLASSES[k % 2]}/patient{k // 4:03d}/{k}.png" for k in range(16)], set(CLASSES), 4),
    "names of people in classes": (
        [f"{CLASSES[k % 2]}/{PEOPLE[k // 2]} Roe/{k}.png" for k in range(14)],
        set(CLASSES),
        7,
    ),
    "patient, date, series": ([f"Doe_J_{k // 4:02d}/20200{1 + k % 9}01/SE{k % 2}/{k}" for k in range(24)], {""}, 6),
    "CheXpert": ([f"set/train/patient{k // 3:05d}/study{k % 3 // 2 + 1}/{k}.jpg" for k in range(24)], {""}, 8),
    "MIMIC-CXR": ([f"files/p1{k % 3}/p1{k % 3}{k // 2:06d}/s5{k:07d}/{k}.jpg" for k in range(20)], {""}, 20),
    "splits below classes": (
        [f"{CLASSES[k % 2]}/{('train', 'test')[k % 4 > 1]}/{k}.png" for k in range(16)],
        set(CLASSES),
        0,
    ),
    "shards": ([f"{k // 8:05d}/img{k:08d}.png" for k in range(16)], {""}, 0),
    "numbered folders of images": ([f"images_{1 + k % 12:03d}/images/{k}.png" for k in range(40)], {""}, 0),
    "dates": ([f"2021-0{1 + k % 4}-11/{k}.png" for k in range(20)], {""}, 0),
    "classes by number": ([f"{k % 2}/{k}.png" for k in range(8)], {"0", "1"}, 0),
    "grades": ([f"grade{k % 5}/{k}.png" for k in range(20)], {f"grade{k}" for k in range(5)}, 0),
    "hospitals above classes": (
        [f"site{'AB'[k % 2]}/{CLASSES[k // 2 % 2]}/{k}.png" for k in range(12)],
        set(CLASSES),
        0,
    ),
    "hospitals below classes": (
        [f"{CLASSES[k // 2 % 2]}/site{'AB'[k % 2]}/{k}.png" for k in range(12)],
        set(CLASSES),
        0,
    ),
    "classes in a class": (
        [f"PNEUMONIA/{('bacteria', 'virus')[k % 2]}/{k}.png" for k in range(10)]
        + [f"NORMAL/{k}.png" for k in range(9)],
        {"NORMAL", "bacteria", "virus"},
        0,
    ),
    "people under each split": (
        [f"{split}/{split[:2]}{chr(97 + k)}x/{k}.png" for split in ("train", "test") for k in range(4)],
        {""},
        8,
    ),
    "numbers of patients in classes": (
        [f"{CLASSES[k % 2]}/{13 + k // 4:08d}/{k}.png" for k in range(40)],
        set(CLASSES),
        10,
    ),
    "initials in classes": (
        [f"{CLASSES[k % 2]}/{'ABCD'[k // 2 % 4]}.{'WXYZ'[k // 2 % 4]}./{k}.png" for k in range(40)],
        set(CLASSES),
        4,
    ),
    "one to nine in classes": ([f"{CLASSES[k % 2]}/{1 + k // 2 % 9}/{k}.png" for k in range(40)], set(CLASSES), 9),
    "people, many images each": ([f"{('Doe, Jane', 'Roe, Bob')[k % 2]}/{k}.png" for k in range(80)], {""}, 2),
    "people under DICOM's signs": ([f"{('Doe^J', 'Roe^B', 'Poe^E')[k % 3]}/{k}.png" for k in range(80)], {""}, 3),
    "few people in each class": (
        [f"{CLASSES[k % 2]}/{('ida', 'otto', 'eva', 'jan')[k % 4]}/{k}.png" for k in range(80)],
        set(CLASSES),
        4,
    ),
    "BIDS": ([f"sub-{k // 4:02d}/ses-{1 + k % 2:02d}/anat/{k}.png" for k in range(40)], {""}, 10),
    "DICOM media": ([f"CD{k % 2}/DICOM/PA{k // 6:06d}/ST{k // 3:06d}/SE000000/{k}" for k in range(60)], {""}, 10),
    "patients below hospitals": ([f"hospital{k % 2}/pat{k // 3:03d}/{k}.png" for k in range(60)], {""}, 20),
    "year, month, day": ([f"2020/{1 + k % 12:02d}/{1 + k % 28:02d}/{k}.png" for k in range(60)], {""}, 0),
    "years in classes": ([f"{CLASSES[k % 2]}/{2018 + k % 3}/{k}.png" for k in range(60)], set(CLASSES), 0),
    "numbered parts": ([f"{k % 55}/{k}.png" for k in range(55 * 60)], {""}, 0),
    "folds": ([f"fold_{k % 5}/{k}.png" for k in range(60)], {""}, 0),
    "lettered parts": ([f"Part {'ABC'[k % 3]}/{k}.png" for k in range(60)], {""}, 0),
    "sizes in classes": (
        [f"{CLASSES[k % 2]}/{(256, 512)[k // 2 % 2]}x512/{k}.png" for k in range(40)],
        set(CLASSES),
        0,
    ),
    "study, series, image": ([f"1.2.3.4.{k // 6}/1.2.3.4.{k // 6}.{k // 3}/{k}.dcm" for k in range(60)], {""}, 10),
    "one folder of two words": ([f"Shenzhen Hospital/{k}.png" for k in range(40)], {""}, 0),
    "one folder that says nothing": ([f"my films/{k}.png" for k in range(40)], {""}, 0),
    "UIDs": ([f"1.2.840.{k // 3}.55.{k}/{k}.dcm" for k in range(20)], {""}, 20),
}


@pytest.mark.parametrize("tree", TREES)
def test_what_can_be_a_class_is_told_from_what_cannot(tree: str) -> None:
    paths, classes, patients = TREES[tree]
    folders = read_levels([PurePosixPath(path).parts[:-1] for path in paths])
    assert set(folders.label) == classes
    assert len(set(folders.patient) - {""}) == patients
    assert ("class" in folders.taken) == (classes != {""})


def test_what_was_taken_as_what_is_said_without_a_name_of_a_folder() -> None:
    paths = TREES["patients in classes"][0]
    folders = read_levels([PurePosixPath(path).parts[:-1] for path in paths])
    assert folders.taken == {"class": "folders, level 1 of 2", "patient": "folders, level 2 of 2"}


def test_a_split_in_the_name_of_a_class() -> None:
    folders = read_levels([(f"{('train', 'test')[k // 2 % 2]}_{CLASSES[k % 2]}",) for k in range(12)])
    assert set(folders.label) == set(CLASSES)
    assert set(folders.split) == {"train", "test"}


def test_classes_that_are_spelt_otherwise_in_another_split_are_one() -> None:
    spelt = {"train": ("Normal", "Viral_Pneumonia"), "test": ("NORMAL", "viral pneumonia")}
    folders = read_levels([(split, names[k % 2]) for split, names in spelt.items() for k in range(6)])
    assert len(set(folders.label)) == 2
    assert "are one" in folders.taken["class"]


def test_levels_that_say_nothing_are_named() -> None:
    folders = read_levels([(CLASSES[k % 2], str(2018 + k // 2 % 3)) for k in range(60)])
    assert folders.taken["not used"] == "folders, level 2 of 2 (dates)"


def test_folders_that_may_be_called_after_people_are_told_from_numbers() -> None:
    assert not any(read_levels([(CLASSES[k % 2], f"patient{k // 4:03d}") for k in range(40)]).people)
    assert not any(read_levels([(CLASSES[k % 2], f"{1000 + k // 4}") for k in range(40)]).people)
    assert all(read_levels([(CLASSES[k % 2], f"Doe_Jane_{k // 4:02d}") for k in range(40)]).people)


def test_views_are_no_classes() -> None:
    folders = read_levels([(CLASSES[k // 2 % 2], ("PA", "lateral")[k % 2]) for k in range(12)])
    assert set(folders.label) == set(CLASSES)
    assert set(folders.view) == {"PA", "LATERAL"}


def test_studies_stand_for_patients_where_those_are_not_known() -> None:
    folders = read_levels([(CLASSES[k % 2], f"study{k // 4}") for k in range(16)])
    assert set(folders.patient) == {f"{name}/study{k}" for name in CLASSES for k in range(4)}
