"""What the name of a folder can mean."""

import pytest

from xrgan.data.scanning.folder_names import is_finding, numbered_as, split_of, view_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *[(name, "train") for name in ("train", "Training", "train_set", "TrainingSet", "stage_2_train_images")],
        *[(name, "val") for name in ("VALID", "validation_set", "val2017", "dev")],
        *[(name, "test") for name in ("test_images", "xray-test", "hold-out", "imagesTs")],
        *[(name, "") for name in ("latest", "positive test", "trainees", "NORMAL", "train_val", "s1")],
    ],
)
def test_splits(name: str, split: str) -> None:
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("name", "view"), [("PA", "PA"), ("view1_frontal", "FRONTAL"), ("Lateral", "LATERAL"), ("PAX", "")]
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
        ("2020-01-05", "date"),
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


def test_findings() -> None:
    assert all(map(is_finding, ("NORMAL", "Lung_Opacity", "Viral Pneumonia", "COVID-19", "covid19", "Non-COVID")))
    assert not any(map(is_finding, ("hospital", "abnormality_reports_2", "Norma", "ward 3")))
