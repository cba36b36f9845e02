"""Names of people, which folders and files of DICOM trees are called after, reach no output."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.data.dicom_files import write
from tests.data.preparing.test_headers import ask, index_of
from xrgan.data.images import save_png
from xrgan.data.phantom import draw
from xrgan.data.preparing.hidden_names import hide_names, keep_names
from xrgan.files import read_yaml

pytestmark = pytest.mark.slow

PEOPLE = ("Roe_Jane", "Doe_John", "Poe_Edgar", "Coe_Ann", "Loe_Ben", "Moe_Eva")


def plant(raw: Path, path: str, number: int, patient: str = "") -> None:
    pixels = draw(number // 4 + 1, number % 4, "NORMAL", 48).image.astype(np.uint16) * 16
    write(raw / path, pixels, patient=patient)


def assert_unnamed(prepared_root: Path, *names: str) -> None:
    """No file that is meant for others holds one of the names."""
    files = [path for path in prepared_root.rglob("*") if path.is_file() and ".hidden-names" not in path.parts]
    assert len(files) >= 5
    for file in files:
        assert not [name for name in names if name.encode() in file.read_bytes()], file


@pytest.mark.parametrize("with_id", [True, False])
def test_a_tree_of_patients_studies_and_series(tmp_path: Path, with_id: bool) -> None:
    raw = tmp_path / "raw" / "pacs"
    for k in range(24):
        person = k // 4
        path = f"{PEOPLE[person]}_{person:02d}/20200{1 + k % 9}01_CHEST/SE{k % 2}/IM{k:03d}"
        plant(raw, path, k, f"P{person}" if with_id else "")
    folder = ask(raw, tmp_path)
    index = index_of(folder)
    assert sorted(index.groupby("patient").size()) == [4] * 6
    assert index.groupby("patient")["split"].nunique().max() == 1
    assert set(index["label"]) == {""}
    assert_unnamed(tmp_path / "prepared", *PEOPLE, "20200", "SE0")
    assert all(index["file"].str.fullmatch(r"[0-9a-f]{16}/\d{4}\.dcm"))


def test_folders_of_people_are_no_classes_even_with_many_images_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "raw" / "two"
    for k in range(24):
        plant(raw, f"{PEOPLE[k % 2]}/{k}.dcm", k)
    assert set(index_of(ask(raw, tmp_path))["label"]) == {""}
    assert "may be called after people" in capsys.readouterr().err
    assert_unnamed(tmp_path / "prepared", *PEOPLE)


def test_folders_of_findings_are_classes(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "findings"
    for k in range(12):
        plant(raw, f"{('NORMAL', 'PNEUMONIA')[k % 2]}/{k}.dcm", k, "ANONYMOUS")
    folder = ask(raw, tmp_path)
    assert read_yaml(folder / "dataset.yaml")["classes"] == ["NORMAL", "PNEUMONIA"]
    assert index_of(folder)["patient"].nunique() == 12  # nobody's ID is no patient's


def test_folders_of_several_patients_each_are_classes(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "grades"
    for k in range(12):
        plant(raw, f"{('mild', 'severe')[k % 2]}/{k}.dcm", k, f"P{k // 2}")
    assert set(index_of(ask(raw, tmp_path))["label"]) == {"mild", "severe"}


def test_folders_of_people_are_hidden_above_pictures_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = tmp_path / "raw" / "pictures"
    for k in range(16):
        file = raw / ("NORMAL", "PNEUMONIA")[k // 8] / PEOPLE[k // 4].replace("_", " ") / f"{k}.png"
        save_png(file, draw(k // 4 + 1, k % 4, "NORMAL", 48).image)
    folder = ask(raw, tmp_path)
    index = index_of(folder)
    assert set(index["label"]) == {"NORMAL", "PNEUMONIA"}
    assert sorted(index.groupby("patient").size()) == [4] * 4
    assert all(index["file"].str.fullmatch(r"[0-9a-f]{16}/\d{4}\.png"))
    assert "may be called after people" in capsys.readouterr().err
    assert_unnamed(tmp_path / "prepared", *(name.replace("_", " ") for name in PEOPLE))


def test_a_dicom_file_by_the_name_of_a_picture_is_hidden_too(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "exported"
    for k in range(8):
        plant(raw, f"{PEOPLE[k // 2]} {k}.png", k, f"P{k // 2}")
    index = index_of(ask(raw, tmp_path))
    assert sorted(index.groupby("patient").size()) == [2] * 4
    assert_unnamed(tmp_path / "prepared", *PEOPLE)


def test_a_patient_by_a_pattern_is_hashed_too(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "pattern"
    for k in range(8):
        plant(raw, f"{PEOPLE[k // 2]}-{k}.dcm", k)
    index = index_of(ask(raw, tmp_path, patient_pattern="^([A-Z][a-z]+_[A-Z][a-z]+)"))
    assert sorted(index.groupby("patient").size()) == [2] * 4
    assert_unnamed(tmp_path / "prepared", *PEOPLE)


def test_files_that_are_no_dicom_keep_their_names() -> None:
    rows = pd.DataFrame(
        {"file": ["x/a.png", "b.dcm"], "patient": ["x/a.png", "b.dcm"], "mask": ["m", "n"], "is_hidden": [False, True]}
    )
    assert hide_names(rows)["name"].tolist() == ["x/a.png", "unknown/0001.dcm"]
    assert hide_names(rows)["mask_name"].tolist() == ["m", "mask"]


def test_names_that_are_no_text_are_kept_as_bytes(tmp_path: Path) -> None:
    rows = pd.DataFrame({"name": ["unknown/0001.dcm"], "file": [b"M\xfcller".decode("utf-8", "surrogateescape")]})
    keep_names(rows, tmp_path, "x")
    assert (tmp_path / ".hidden-names" / "x.csv").read_bytes() == b'"name","file"\n"unknown/0001.dcm","M\xfcller"\n'
    assert (tmp_path / ".hidden-names" / "x.csv").stat().st_mode & 0o077 == 0
