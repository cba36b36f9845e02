"""A folder of DICOM prepares like any other, and no name, id or date leaves it."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydicom.data import get_testdata_file

from tests.conftest import write_image
from tests.data.dicom_files import write
from xrgan.config_resolve import resolve
from xrgan.data.packed import open_packed
from xrgan.data.phantom import draw
from xrgan.data.prepare import prepare
from xrgan.files import read_yaml


def ask(hospital: Path, tmp_path: Path, root: str = "prepared", name: str = "", **wish: object) -> Path:
    flags = {f"prepare.{key}": value for key, value in ({"size": 32, "workers": 1} | wish).items()}
    return prepare(hospital, tmp_path / root, resolve(flags=flags).prepare, name)


def index_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "index.csv", dtype=str, keep_default_na=False)


def test_every_image_is_packed_with_its_patient_and_view(hospital: Path, tmp_path: Path) -> None:
    folder = ask(hospital, tmp_path)
    index = index_of(folder)
    assert len(index) == 15
    assert sorted(index.groupby("patient").size()) == [2, 2, 2, 3, 3, 3]
    assert index["view"].value_counts().to_dict() == {"PA": 9, "AP": 6}
    assert set(index["kind"]) == {"DICOM"}
    assert index.groupby("patient")["split"].nunique().max() == 1
    assert open_packed(folder).images.std(axis=(1, 2, 3)).min() > 20


def test_what_is_no_single_image_is_named(hospital: Path, tmp_path: Path) -> None:
    folder = ask(hospital, tmp_path)
    names = pd.read_csv(tmp_path / "prepared" / ".hidden-names" / f"{folder.name}.csv", index_col="name")["file"]
    skipped = {names[entry["file"]]: entry["reason"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]}
    assert skipped.keys() == {"reportsi.dcm", "SC_rgb_rle_2frame.dcm"}
    assert "no image" in skipped["reportsi.dcm"]
    assert "2 frames" in skipped["SC_rgb_rle_2frame.dcm"]


def test_a_view_can_be_chosen(hospital: Path, tmp_path: Path) -> None:
    folder = ask(hospital, tmp_path, view=["ap"])
    assert set(index_of(folder)["view"]) == {"AP"}
    facts = read_yaml(folder / "dataset.yaml")
    assert (facts["images"], facts["left_out"]["of another view"]) == (6, 9)


@pytest.mark.slow
def test_a_second_run_does_nothing(hospital: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ask(hospital, tmp_path).stat().st_mtime_ns
    assert ask(hospital, tmp_path).stat().st_mtime_ns == first
    assert "is there already, prepared with the same options" in capsys.readouterr().err


@pytest.mark.slow
def test_a_disc_with_a_dicomdir(hospital: Path, tmp_path: Path) -> None:
    shutil.copy(str(get_testdata_file("DICOMDIR", download=False)), hospital / "DICOMDIR")
    folder = ask(hospital, tmp_path)
    assert len(index_of(folder)) == 15
    assert "is a DICOMDIR" in [entry["reason"] for entry in read_yaml(folder / "dataset.yaml")["skipped"]]


def test_sex_and_age_are_kept_where_headers_say_them(tmp_path: Path) -> None:
    said = [("F", "045Y"), ("M", "094Y"), ("O", "003M"), ("", "")]
    for k, (sex, age) in enumerate(said):
        pixels = np.random.default_rng(k).integers(0, 4000, (40, 40))
        write(tmp_path / "raw" / "own" / f"{k}.dcm", pixels, patient=f"p{k}", PatientSex=sex, PatientAge=age)
    folder = ask(tmp_path / "raw" / "own", tmp_path)
    index = index_of(folder)
    assert sorted(zip(index["sex"], index["age"], strict=True)) == [("", ""), ("", ""), ("F", "45"), ("M", "90")]
    dataset = open_packed(folder)
    assert sorted(dataset.sexes) == ["", "", "F", "M"] and np.nansum(dataset.ages) == 135


def test_dicom_beside_other_images(tmp_path: Path) -> None:
    raw = tmp_path / "raw" / "mixed"
    write(raw / "ILL" / "a.dcm", draw(1, 1, "NORMAL", 48).image.astype(np.uint16) * 16, patient="one")
    for k in range(4):
        write_image(raw / "WELL" / f"{k}.png", seed=k)
    index = index_of(ask(raw, tmp_path))
    assert sorted(zip(index["label"], index["kind"], strict=True)) == [("ILL", "DICOM"), *[("WELL", "L")] * 4]
    assert list(index["patient"][1:]) == [f"WELL/{k}.png" for k in range(4)]
    assert len(index["patient"][0]) == 16
