"""index.csv at the top of a folder says it all."""

from pathlib import Path

import pytest

from tests.data.trees import plant, said
from xrgan.data.scan import scan
from xrgan.data.scanning.rows import COLUMNS
from xrgan.errors import XrganError


def test_columns_of_an_index_are_known_however_they_are_written_and_others_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plant(tmp_path, "a.png")
    (tmp_path / "index.csv").write_text("File, Label ,PATIENT,age\na.png,ill,one,70\n")
    rows = scan(tmp_path)
    assert rows.loc[0, ["label", "patient"]].tolist() == ["ill", "one"]
    assert "not used are the columns age" in capsys.readouterr().err.replace("\n", " ")


def write_index(folder: Path, text: str) -> Path:
    (folder / "index.csv").write_text(text, encoding="utf-8")
    return folder


def test_an_index_says_it_all(tmp_path: Path) -> None:
    write_index(tmp_path, "file,label,patient,split\nb.png,ill,p1,test\na.png,,p1,train\nc.png,TB,007,val\n")
    rows = scan(plant(tmp_path, "z.png"))
    assert rows.to_dict("list") == {
        "file": ["a.png", "b.png", "c.png"],
        "label": ["", "ill", "TB"],
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
        ("file,label,split\na.png,x,third\n", "names a split 'third'"),
        ("file,label\n", "names no image"),
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


@pytest.mark.parametrize(
    "named",
    ["a.png", "a", "./images/a.png", "C:\\x\\images\\a.png", "IMAGES/A.PNG", "/elsewhere/images/a.png"],
)
def test_an_index_may_name_files_in_any_way(tmp_path: Path, named: str) -> None:
    rows = scan(write_index(plant(tmp_path, "images/a.png"), f"file,label\n{named},ill\n"))
    assert rows[["file", "label"]].to_numpy().tolist() == [["images/a.png", "ill"]]


def test_unknown_patients_are_not_one_person(tmp_path: Path) -> None:
    rows = scan(write_index(plant(tmp_path, "a.png", "b.png"), "file,label,patient\na.png,NaN,nan\nb.png,ill,nan\n"))
    assert list(rows["patient"]) == ["a.png", "b.png"]
    assert list(rows["label"]) == ["", "ill"]


def test_several_rows_of_an_image_are_joined_unless_they_disagree_on_the_patient(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_index(plant(tmp_path, "a.png", "b.png"), "file,label,patient\na.png,x,p\nb.png,x,p\na.png,y,p\n")
    assert scan(tmp_path)["label"].tolist() == ["x|y", "x"]
    assert "several labels for 1 images" in capsys.readouterr().err
    write_index(tmp_path, "file,label,patient\na.png,x,p\nb.png,x,p\na.png,y,q\n")
    with pytest.raises(XrganError, match="several patients for 1 images, such as a.png"):
        scan(tmp_path)


def test_labels_that_differ_in_capitals_alone_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_index(tmp_path, "file,label\na.png,Normal\nb.png,NORMAL\nc.png,Normal \nd.png,ill\n")
    assert scan(tmp_path)["label"].tolist() == ["Normal"] * 3 + ["ill"]
    assert "'NORMAL' for 'Normal'" in capsys.readouterr().err


def test_a_list_is_joined_by_a_bar_and_by_nothing_else(tmp_path: Path) -> None:
    write_index(tmp_path, 'file,label\na.png,"pneumonia, bacterial"\nb.png,a|b\nc.png,x; y\n')
    assert scan(tmp_path)["label"].tolist() == ["pneumonia, bacterial", "a|b", "x; y"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_any_separator_and_encoding(separator: str, encoding: str, tmp_path: Path) -> None:
    text = "file,label\na.png,pneumonía\nb.png,normal \n".replace(",", separator)
    (plant(tmp_path, "a.png", "b.png") / "index.csv").write_bytes(text.encode(encoding))
    assert scan(tmp_path)["label"].tolist() == ["pneumonía", "normal"]


def test_nobody_is_no_patient(tmp_path: Path) -> None:
    rows = scan(write_index(tmp_path, "file,patient\na.png,P1\nb.png,Unknown\nc.png,ANONYMOUS\nd.png,\n"))
    assert rows["patient"].tolist() == ["P1", "b.png", "c.png", "d.png"]


def test_images_that_an_index_leaves_out_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan(write_index(plant(tmp_path, "a.png", "b.png", "c.png"), "file\na.png\n"))
    assert "2 images that" in (told := capsys.readouterr().err.replace("\n", " "))
    assert "index.csv doesn't name are left out, b.png for one" in told


def test_other_columns_are_told_with_the_flags_that_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_index(plant(tmp_path, "a.png", "b.png"), "filename,class\na.png,x\nb.png,y\n")
    with pytest.raises(XrganError, match="--table index.csv --file-column filename --label-column class reads it"):
        scan(tmp_path)
    capsys.readouterr()
    scan(write_index(tmp_path, "file,Mass,Edema\na.png,1,0\nb.png,0,1\n"))
    told = capsys.readouterr().err.replace("\n", " ")
    assert "--table index.csv --file-column file --label-column Mass,Edema reads it" in told
