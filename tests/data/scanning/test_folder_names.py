"""What the name of a folder can mean."""

import pytest

from xrgan.data.scanning.folder_names import is_finding, is_person, numbered_as, part_split, split_of, view_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *[(name, "train") for name in ("train", "Training", "train_set", "TrainingSet", "stage_2_train_images")],
        *[(name, "val") for name in ("VALID", "validation_set", "val2017", "dev")],
        *[(name, "test") for name in ("test_images", "xray-test", "hold-out", "imagesTs", "testset")],
        *[(name, "") for name in ("latest", "positive test", "trainees", "NORMAL", "train_val", "s1")],
    ],
)
def test_splits(name: str, split: str) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("name", "view"),
    [("PA", "PA"), ("view1_frontal", "FRONTAL"), ("Lateral", "LATERAL"), ("PAX", ""), ("PA000001", "")],
)
def test_views(name: str, view: str) -> None:
    assert view_of(name) == view


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("patient00001", "patient"),
        ("p10000032", "patient"),
        ("subject-7", "patient"),
        ("s50414267", "study"),
        ("SE0", "study"),
        ("PA000001", "patient"),
        ("MRN4711", "patient"),
        ("2020-01-05", "date"),
        ("2021-3-5", "date"),
        ("1.3.2021", "date"),
        ("2020_11", "date"),
        ("March 2020", "date"),
        ("Part B", "shard"),
        ("512x512", "site"),
        ("hospital 2", "site"),
        ("20200105_CHEST", "date"),
        ("images_001", "shard"),
        ("00003", "shard"),
        ("BIRADS 4", "grade"),
        ("1.2.840.113619.2", "thing"),
        ("Doe_Jane_03", "thing"),
        ("PNEUMONIA", ""),
    ],
)
def test_numbers_of_something(name: str, kind: str) -> None:
    assert numbered_as(name) == kind


@pytest.mark.parametrize(
    ("name", "parted"),
    [
        ("train_NORMAL", ("train", "NORMAL")),
        ("Viral Pneumonia-TestSet", ("test", "Viral_Pneumonia")),
        ("train_val", ("", "")),
        ("NORMAL", ("", "NORMAL")),
    ],
)
def test_a_split_in_a_name_of_more(name: str, parted: tuple[str, str]) -> None:
    assert part_split(name) == parted


def test_people() -> None:
    assert all(map(is_person, ("Doe^Jane", "Doe, Jane", "Jane Doe", "Doe_Jane", "DOE JANE 19700101", "A.B.")))
    assert not any(
        map(is_person, ("NORMAL", "lung opacity", "patient 3", "Grade 2", "Ward", "ChinaSet_AllFiles", "My Films"))
    )


def test_findings() -> None:
    assert all(map(is_finding, ("NORMAL", "Lung_Opacity", "Viral Pneumonia", "COVID-19", "covid19", "Non-COVID")))
    assert not any(map(is_finding, ("hospital", "abnormality_reports_2", "Norma", "ward 3")))
