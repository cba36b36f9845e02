"""index.csv, a table that --table names, and those that nobody read."""

from pathlib import Path

import pytest

from tests.data.trees import plant, said
from xrgan.data.scan import Hints, scan, scan_folder
from xrgan.data.scanning.rows import COLUMNS
from xrgan.data.scanning.tables import Columns
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
        ("file,label,split\na.png,x,third\n", "names a split 'third'"),
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


def test_a_table_says_what_the_folders_do_not(tmp_path: Path) -> None:
    plant(tmp_path, *(f"{k}/x{k}.png" for k in range(4)))
    (tmp_path / "facts.tsv").write_text("id\tdx\twho\tset\nx0\till\tp\ttrain\nx1\twell\tp\ttrain\nx2\till\tq\ttest\n")
    columns = Columns(labels=("dx",), patient="who", split="set")
    found = scan_folder(tmp_path, hints=Hints(table="facts.tsv", columns=columns))
    assert said(found.rows) == {
        "0/x0.png": ("train", "ill"),
        "1/x1.png": ("train", "well"),
        "2/x2.png": ("test", "ill"),
        "3/x3.png": ("", ""),
    }
    assert list(found.rows["patient"]) == ["p", "p", "q", "3/x3.png"]
    assert found.taken["class"] == "facts.tsv, column dx"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (Columns(labels=("nothing",)), "has no column 'nothing'.*id, dx"),
        (Columns(file="dx"), "names none of the 1 images: its column dx holds 'ill'"),
    ],
)
def test_a_wrong_column_is_told(tmp_path: Path, columns: Columns, message: str) -> None:
    plant(tmp_path, "a.png")
    (tmp_path / "t.csv").write_text("id,dx\na,ill\n")
    with pytest.raises(XrganError, match=message):
        scan_folder(tmp_path, hints=Hints(table="t.csv", columns=columns))
    with pytest.raises(XrganError, match=r"There is no table u\.csv"):
        scan_folder(tmp_path, hints=Hints(table="u.csv"))


def test_a_table_that_nobody_read_is_named_with_the_flags_that_read_it(tmp_path: Path) -> None:
    plant(tmp_path, "a.png", "b.png")
    (tmp_path / "labels.csv").write_text("image;diagnosis;patient id\na.png;ill;1\nb.png;well;2\n")
    (tmp_path / "other.csv").write_text("name,size\nx,1\n")
    (tmp_path / "findings.csv").write_text("image,Edema,Mass\na,1,0\nb,0,-1\n")
    unread = scan_folder(tmp_path).unread
    assert len(unread) == 2
    assert "findings.csv was not read" in unread[0] and "--label-column Edema,Mass" in unread[0]
    flags = "--file-column image --label-column diagnosis --patient-column 'patient id'"
    assert f"--table labels.csv {flags} reads it" in unread[1]
