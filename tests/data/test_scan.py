"""What a folder's names, masks and tables say of its images, and splits that no patient is in two of."""

from pathlib import Path

import pytest

from tests.data.trees import plant
from xrgan.data.scan import Hints, scan, scan_folder
from xrgan.data.source import Source
from xrgan.errors import XrganError

SHARES = (0.8, 0.1, 0.1)


# --- trees


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    plant(tmp_path, "notes.txt", "masks/a.png", ".hidden.png")
    with pytest.raises(XrganError, match="There is no image in .*PNG, JPEG, TIFF.*DICOM"):
        scan(tmp_path)
    plant(tmp_path, "part/images_001.tar.gz")
    with pytest.raises(XrganError, match="There is no image in .* `xrgan fetch --folder .*` unpacks archives"):
        scan(tmp_path)


def test_files_stand_in_the_order_of_their_names(tmp_path: Path) -> None:
    plant(tmp_path, "b/1.png", "a/2.png", "a/10.png", "B.png")
    files = list(scan(tmp_path)["file"])
    assert files == sorted(files)
    assert len(files) == 4


# --- patients and labels from names


def test_every_image_is_a_patient_of_its_own_where_no_more_is_known(tmp_path: Path) -> None:
    plant(tmp_path, "train/NORMAL/1.png", "train/PNEUMONIA/1.png", "test/NORMAL/1.png", "test/NORMAL/1.jpg")
    rows = scan(tmp_path)
    assert rows["patient"].nunique() == 4


def test_a_pattern_finds_the_patient_in_the_name(tmp_path: Path) -> None:
    plant(tmp_path, "a/p12_1.png", "a/p12_2.png", "b/p7_1.png", "b/other.png", "c/other.png")
    rows = scan(tmp_path, patient_pattern=r"^p(\d+)_")
    assert list(rows["patient"]) == ["12", "12", "b/other.png", "7", "c/other.png"]


@pytest.mark.parametrize("pattern", [r"^(\d*)", r"^(?:p(\d+))?"])
def test_a_patient_without_a_name_is_no_patient(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(XrganError, match="finds a patient in no file's name"):
        scan(plant(tmp_path, "a.png", "b.png"), patient_pattern=pattern)


def test_names_in_which_a_pattern_finds_no_patient_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = scan(plant(tmp_path, "p1_a.png", "p1_b.png", "other.png"), patient_pattern=r"^(p\d)_")
    assert list(rows["patient"]) == ["other.png", "p1", "p1"]
    assert "in 2 of 3 names, not in other.png" in capsys.readouterr().err.replace("\n", " ")


def test_the_sources_pattern_finds_the_patient_where_the_user_gives_none(tmp_path: Path) -> None:
    source = Source("x", "", "", "", "", 0, patient_pattern=r"^p(\d+)_")
    plant(tmp_path, "p12_1.png", "p7_1.png", "other.png")
    assert list(scan(tmp_path, source)["patient"]) == ["other.png", "12", "7"]
    assert list(scan(tmp_path, source, "_(1)$")["patient"]) == ["other.png", "1", "1"]


def test_a_pattern_finds_the_label_where_there_are_no_class_folders(tmp_path: Path) -> None:
    source = Source("x", "", "", "", "", 0, label_pattern=r"^(?:(?P<nodule>JPCLN)|(?P<healthy>JPCNN))\d")
    rows = scan(plant(tmp_path, "JPCLN001.png", "JPCNN001.png", "other.png"), source)
    assert list(rows["label"]) == ["nodule", "healthy", ""]


def test_class_folders_go_before_the_pattern(tmp_path: Path) -> None:
    source = Source("x", "", "", "", "", 0, label_pattern="(?P<nodule>JPCLN)")
    assert list(scan(plant(tmp_path, "x/JPCLN001.png", "y/JPCLN002.png"), source)["label"]) == ["x", "y"]


# --- masks


# --- images known by their stems


# --- tables found anywhere


# --- index.csv


def test_patterns_search_the_name_and_then_the_path(tmp_path: Path) -> None:
    plant(tmp_path, "ill/p1/a.png", "ill/p2/b.png", "well/p3_c.png")
    hints = Hints(patient_pattern=r"(p\d)", label_pattern="(?P<sick>^ill/)|(?P<healthy>^well/)")
    rows = scan_folder(tmp_path, hints=hints).rows
    assert list(rows["patient"]) == ["p1", "p2", "p3"]
    assert list(rows["label"]) == ["sick", "sick", "healthy"]
    assert list(scan_folder(tmp_path, hints=Hints(label_pattern="^(.ell|.ll)")).rows["label"]) == ["ill", "ill", "well"]
    with pytest.raises(XrganError, match="--label-pattern 'x' finds a label in no file's name"):
        scan_folder(tmp_path, hints=Hints(label_pattern="x"))
