"""What a folder's names say of its images, and splits that no patient is in two of."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.data.packed import SPLITS
from xrgan.data.scan import assign_splits, patients_in_two_splits, scan
from xrgan.errors import XrganError

SHARES = (0.8, 0.1, 0.1)


def plant(folder: Path, *names: str) -> Path:
    """Empty files: scan reads names only."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def said(rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    return {row.file: (row.split, row.label) for row in rows.itertuples()}


# --- trees


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
        "PNEUMONIA/ward 3/c.png": ("", "ward 3"),
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


def test_kaggles_second_copies_are_counted_once(tmp_path: Path) -> None:
    plant(
        tmp_path,
        "chest_xray/train/NORMAL/a.png",
        "chest_xray/chest_xray/train/NORMAL/a.png",
        "chest_xray/__MACOSX/chest_xray/train/NORMAL/._a.png",
        "__MACOSX/chest_xray/train/NORMAL/a.png",
        "chest_xray/train/NORMAL/._a.png",
        "chest_xray/train/NORMAL/.DS_Store",
    )
    assert list(scan(tmp_path)["file"]) == ["chest_xray/train/NORMAL/a.png"]


def test_a_folder_in_a_folder_of_its_name_is_no_copy_by_itself(tmp_path: Path) -> None:
    plant(tmp_path, "chest_xray/chest_xray/train/NORMAL/a.png", "NORMAL/NORMAL/b.png", "NORMAL/c.png")
    assert len(scan(tmp_path)) == 3


def test_masks_are_no_images(tmp_path: Path) -> None:
    plant(tmp_path, "images/a.png", "masks/a.png", "Mask/b.png", "train/masks/c.png")
    assert list(scan(tmp_path)["file"]) == ["images/a.png"]


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    plant(tmp_path, "notes.txt", "masks/a.png", ".hidden.png")
    with pytest.raises(XrganError, match="There is no image in .*PNG, JPEG, TIFF"):
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
    assert patients_in_two_splits(rows) == 0


def test_a_pattern_finds_the_patient_in_the_name(tmp_path: Path) -> None:
    plant(tmp_path, "a/p12_1.png", "a/p12_2.png", "b/p7_1.png", "b/other.png", "c/other.png")
    rows = scan(tmp_path, patient_pattern=r"^p(\d+)_")
    assert list(rows["patient"]) == ["12", "12", "b/other.png", "7", "c/other.png"]


@pytest.mark.parametrize("pattern", [r"^(\d*)", r"^(?:p(\d+))?"])
def test_a_patient_without_a_name_is_no_patient(tmp_path: Path, pattern: str) -> None:
    rows = scan(plant(tmp_path, "a.png", "b.png"), patient_pattern=pattern)
    assert list(rows["patient"]) == ["a.png", "b.png"]


def test_a_pattern_finds_the_label_where_there_are_no_class_folders(tmp_path: Path) -> None:
    pattern = r"^(?:(?P<nodule>JPCLN)|(?P<healthy>JPCNN))\d"
    rows = scan(plant(tmp_path, "JPCLN001.png", "JPCNN001.png", "other.png"), label_pattern=pattern)
    assert list(rows["label"]) == ["nodule", "healthy", ""]


def test_class_folders_go_before_the_pattern(tmp_path: Path) -> None:
    rows = scan(plant(tmp_path, "x/JPCLN001.png"), label_pattern="(?P<nodule>JPCLN)")
    assert list(rows["label"]) == ["x"]


# --- index.csv


def write_index(folder: Path, text: str) -> Path:
    (folder / "index.csv").write_text(text, encoding="utf-8")
    return folder


def test_an_index_says_it_all(tmp_path: Path) -> None:
    write_index(tmp_path, "file,label,patient,split\nb.png,ill,p1,test\na.png,,p1,train\nc.png,NA,007,val\n")
    rows = scan(plant(tmp_path, "z.png"))
    assert rows.to_dict("list") == {
        "file": ["a.png", "b.png", "c.png"],
        "label": ["", "ill", "NA"],
        "patient": ["p1", "p1", "007"],
        "split": ["train", "test", "val"],
    }


def test_an_index_may_know_the_files_only(tmp_path: Path) -> None:
    rows = scan(write_index(tmp_path, "mask,file\nm.png,b.png\nm.png,a.png\n"))
    assert list(rows.columns) == ["file", "label", "patient", "split"]
    assert list(rows["patient"]) == ["a.png", "b.png"]
    assert said(rows) == {"a.png": ("", ""), "b.png": ("", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read as CSV"),
        ("name,label\na.png,x\n", "has no column `file`.*file, label, patient"),
        ('file,label\n"a.png,x\n', "can't be read as CSV"),
        ("file,label\na.png,x,y\nb.png,x,y\n", "more cells than its header"),
        ("file,label,split\na.png,x,train\nb.png,x,holdout\n", "names a split 'holdout'.*train, val and test"),
        ("file,label,split\na.png,x,Train\n", "names a split 'Train'"),
        ("file,label\n", "There is no image in"),
    ],
)
def test_a_wrong_index_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(XrganError, match=message):
        scan(write_index(tmp_path, text))


def test_an_index_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_bytes(b"file\n\xff\xfe\n")
    with pytest.raises(XrganError, match="can't be read as CSV"):
        scan(tmp_path)


# --- splits


def table(patients: list[tuple[str, str, int, str]]) -> pd.DataFrame:
    """Rows of (patient, label, images, split)."""
    rows = [
        {"file": f"{patient}_{k}.png", "label": label, "patient": patient, "split": split}
        for patient, label, images, split in patients
        for k in range(images)
    ]
    return pd.DataFrame(rows, columns=["file", "label", "patient", "split"])


def crowd(n: int, label: str, images: int = 1, split: str = "") -> list[tuple[str, str, int, str]]:
    return [(f"{label}{split}{k:03d}", label, images, split) for k in range(n)]


def divided(rows: pd.DataFrame, shares: tuple[float, float, float] = SHARES, seed: int = 0) -> pd.DataFrame:
    return rows.assign(split=assign_splits(rows, shares, seed))


patients = st.lists(
    st.tuples(
        st.integers(0, 60).map(str), st.sampled_from(["", "a", "b"]), st.integers(1, 3), st.sampled_from(["", *SPLITS])
    ),
    min_size=1,
    max_size=60,
    unique_by=lambda patient: patient[0],
)
shares_of_three = st.sampled_from([SHARES, (1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.34, 0.33, 0.33), (0.6, 0.0, 0.4)])


@given(patients, shares_of_three, st.integers(0, 2**63 - 1))
def test_no_patient_is_in_two_splits(
    patients: list[tuple[str, str, int, str]], shares: tuple[float, float, float], seed: int
) -> None:
    rows = table(patients)
    result = divided(rows, shares, seed)
    assert set(result["split"]) <= set(SPLITS)
    assert patients_in_two_splits(result) == 0
    assert divided(rows, shares, seed).equals(result)


@given(patients, st.integers(0, 9))
def test_no_patient_comes_into_two_splits_where_the_source_knows_some_images_only(
    patients: list[tuple[str, str, int, str]], seed: int
) -> None:
    rows = table(patients)
    rows.loc[rows["file"].str.endswith("_1.png"), "split"] = ""
    known = rows["split"] != ""
    result = divided(rows, seed=seed)
    assert patients_in_two_splits(result) == 0
    if not known.all():
        assert (result["split"][known] == rows["split"][known]).all()


@given(st.integers(0, 80), st.integers(1, 80), shares_of_three, st.integers(0, 99))
def test_every_class_has_its_shares_of_patients(
    ill: int, healthy: int, shares: tuple[float, float, float], seed: int
) -> None:
    result = divided(table(crowd(ill, "ill", images=2) + crowd(healthy, "healthy")), shares, seed)
    for label, n in (("ill", ill), ("healthy", healthy)):
        patients = result[result["label"] == label].groupby("patient")["split"].first().value_counts()
        for split, share in zip(SPLITS, shares, strict=True):
            assert abs(patients.get(split, 0) - share * n) <= 1


def test_another_seed_deals_otherwise() -> None:
    rows = table(crowd(50, "a"))
    assert not divided(rows, seed=1).equals(divided(rows, seed=2))


def test_the_sources_own_splits_stay() -> None:
    rows = table(crowd(80, "a", split="train") + crowd(10, "a", split="val") + crowd(10, "a", split="test"))
    assert divided(rows, seed=3).equals(rows)


def test_a_tiny_validation_split_is_enlarged_from_training_by_patient() -> None:
    """Kermany: 8 + 8 images to validate 5,216."""
    kermany = (
        crowd(100, "NORMAL", 2, "train")
        + crowd(300, "PNEUMONIA", 2, "train")
        + crowd(4, "NORMAL", 1, "val")
        + crowd(4, "PNEUMONIA", 1, "val")
        + crowd(30, "NORMAL", 1, "test")
    )
    before = table(kermany)
    after = divided(before)
    moved = before["split"] != after["split"]
    assert set(before["split"][moved]) == {"train"}
    assert set(after["split"][moved]) == {"val"}
    assert patients_in_two_splits(after) == 0
    for label, images in (("NORMAL", 200), ("PNEUMONIA", 600)):
        assert (moved & (before["label"] == label)).sum() == pytest.approx(images / 9, abs=2)


def test_a_validation_split_of_a_twentieth_is_left() -> None:
    rows = table(crowd(100, "a", split="train") + crowd(5, "a", split="val") + crowd(9, "a", split="test"))
    assert divided(rows).equals(rows)


def test_a_test_split_is_carved_where_the_source_has_none() -> None:
    rows = table(crowd(200, "a", split="train") + crowd(20, "a", split="val"))
    counts = divided(rows)["split"].value_counts()
    assert counts.to_dict() == {"train": 180, "val": 20, "test": 20}


def test_training_alone_is_carved_into_three() -> None:
    counts = divided(table(crowd(900, "a", split="train")))["split"].value_counts()
    assert counts["val"] == pytest.approx(100, abs=2)
    assert counts["test"] == pytest.approx(80, abs=2)


def test_no_split_is_carved_that_is_not_wanted() -> None:
    rows = table(crowd(20, "a", split="train"))
    assert divided(rows, (1.0, 0.0, 0.0)).equals(rows)


def test_a_patient_whom_the_source_itself_put_in_two_splits_is_counted() -> None:
    rows = table([("p1", "a", 1, "train"), ("p1", "a", 1, "test"), ("p2", "a", 2, "train"), ("p3", "a", 1, "val")])
    assert patients_in_two_splits(rows) == 1
    result = divided(rows)
    assert list(result["split"][rows["patient"] == "p1"]) == ["train", "test"]


def test_the_draw_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = table(crowd(30, "a", images=2) + crowd(20, "b"))
    shuffled = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    assert divided(shuffled).sort_index().equals(divided(rows))
