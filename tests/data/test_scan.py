"""What a folder's names, masks and tables say of its images, and splits that no patient is in two of."""

from pathlib import Path

import pandas as pd
import pytest

from xrgan.data.scan import COLUMNS, find_texts, read_by_stem, read_tables, scan
from xrgan.data.source import Source
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


def test_a_folder_without_images_is_told(tmp_path: Path) -> None:
    plant(tmp_path, "notes.txt", "masks/a.png", ".hidden.png")
    with pytest.raises(XrganError, match="There is no image in .*PNG, JPEG, TIFF.*DICOM"):
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


def test_columns_of_an_index_are_known_however_they_are_written_and_others_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, "a.png")
    (tmp_path / "index.csv").write_text("File, Label ,PATIENT,age\na.png,ill,one,70\n")
    rows = scan(tmp_path)
    assert rows.loc[0, ["label", "patient"]].tolist() == ["ill", "one"]
    assert "not used are the columns age" in capsys.readouterr().err.replace("\n", " ")


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
    assert list(scan(plant(tmp_path, "x/JPCLN001.png"), source)["label"]) == ["x"]


# --- masks


def masks(rows: pd.DataFrame) -> dict[str, str]:
    """The masks of every image that has any."""
    return {row.file: row.mask for row in rows.itertuples() if row.mask}


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


def test_the_class_stands_above_images_and_masks(tmp_path: Path) -> None:
    plant(tmp_path, "top/normal/images/1.png", "top/normal/masks/1.png", "top/covid/images/2.png")
    assert said(scan(tmp_path)) == {"top/normal/images/1.png": ("", "normal"), "top/covid/images/2.png": ("", "covid")}


# --- images known by their stems


def test_a_second_file_of_a_stem_is_a_copy(tmp_path: Path) -> None:
    plant(tmp_path, "data/set/a.png", "set/a.png", "test/a.png", "set/deep/b.png", "data/set/far/off/b.jpeg", "c.png")
    assert list(read_by_stem(tmp_path)["file"]) == ["c.png", "set/a.png", "set/deep/b.png"]


def test_a_stem_finds_its_masks_anywhere(tmp_path: Path) -> None:
    plant(tmp_path, "All/a.IMG", "scr/fold1/masks/heart/a.gif", "scr/fold1/masks/left lung/a.gif", "data/masks/b.png")
    plant(tmp_path, "All/b.IMG", "masks/b_mask.png", "scr/fold1/masks/left clavicle/b.gif", "c.IMG")
    assert masks(read_by_stem(tmp_path)) == {
        "All/a.IMG": "scr/fold1/masks/heart/a.gif|scr/fold1/masks/left lung/a.gif",
        "All/b.IMG": "masks/b_mask.png",
    }


# --- tables found anywhere


def test_tables_are_known_by_their_columns(tmp_path: Path) -> None:
    plant(tmp_path, "deep/er/notes.csv")
    (tmp_path / "other.csv").write_text("id,size\n1,2\n")
    (tmp_path / "deep" / "A.CSV").write_text(" id , label\n1, ill \n2\n3,well,surplus,cells\n", encoding="utf-8-sig")
    (tmp_path / "._A.csv").write_text("id,label\n4,junk\n")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "A.csv").write_text("id,label\n5,junk\n")
    rows = list(read_tables(tmp_path, "id", "label"))
    assert rows == [{"id": "1", "label": "ill"}, {"id": "2", "label": ""}, {"id": "3", "label": "well"}]


def test_a_table_of_foreign_letters_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,label\n1,bénin\n".encode("latin-1"))
    assert [row["id"] for row in read_tables(tmp_path, "id")] == ["1"]


def test_a_damaged_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,label\n1," + "x" * 200_000)
    with pytest.raises(XrganError, match=r"a\.csv can't be read as CSV: field larger"):
        list(read_tables(tmp_path, "id"))
    assert list(read_tables(tmp_path, "no such column")) == []


def test_texts_are_found_by_the_ends_of_their_names(tmp_path: Path) -> None:
    plant(tmp_path, "b/test_list.txt", "a/My_Test_List.TXT", "a/list.txt", ".hidden/test_list.txt")
    assert [file.name for file in find_texts(tmp_path, "test_list.txt")] == ["My_Test_List.TXT", "test_list.txt"]


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
        "view": [""] * 3,
        "mask": [""] * 3,
        "boxes": [""] * 3,
    }


def test_an_index_may_know_views_and_masks(tmp_path: Path) -> None:
    rows = scan(write_index(tmp_path, "file,view,mask\na.png,PA,m/a.png|h/a.png\nb.png,,\n"))
    assert rows[["file", "view", "mask"]].to_numpy().tolist() == [["a.png", "PA", "m/a.png|h/a.png"], ["b.png", "", ""]]


def test_an_index_may_know_the_files_only(tmp_path: Path) -> None:
    rows = scan(write_index(tmp_path, "size,file\n12,b.png\n9,a.png\n"))
    assert tuple(rows.columns) == COLUMNS
    assert list(rows["patient"]) == ["a.png", "b.png"]
    assert said(rows) == {"a.png": ("", ""), "b.png": ("", "")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "can't be read as CSV"),
        ("name,label\na.png,x\n", "has no column `file`.*file and, if known, label"),
        ('file,label\n"a.png,x\n', "can't be read as CSV"),
        ("file,label\na.png,x,y\nb.png,x,y\n", "more cells than its header"),
        ("file,label,split\na.png,x,train\nb.png,x,holdout\n", "names a split 'holdout'.*train, val and test"),
        ("file,label,split\na.png,x,Train\n", "names a split 'Train'"),
        ("file,label\n", "There is no image in"),
        ("file\n../a.png\n", r"names '\.\./a\.png', which leads outside"),
        ("file\n/etc/a.png\n", "names '/etc/a.png', which leads outside"),
        ("file,mask\na.png,m.png|m/../../b.png\n", "which leads outside"),
    ],
)
def test_a_wrong_index_is_told(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(XrganError, match=message):
        scan(write_index(tmp_path, text))


def test_an_index_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_bytes(b"file\n\xff\xfe\n")
    with pytest.raises(XrganError, match="can't be read as CSV"):
        scan(tmp_path)
