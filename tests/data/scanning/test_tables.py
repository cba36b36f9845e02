"""Any table is read: separators, encodings, empty cells, lists in cells, findings in columns; and whose each row is."""

from pathlib import Path

import pandas as pd
import pytest

from xrgan.data.scanning.tables import (
    Finder,
    find_file_column,
    labels_of,
    merge_rows,
    one_spelling,
    patients_of,
    read_table,
    splits_of,
)
from xrgan.errors import XrganError

TEXT = "file,label,patient\na.png,ill,P1\nb.png,pneumonía,P2\n"


def write(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_encodings_and_ends_of_lines_are_found_out(
    tmp_path: Path, separator: str, encoding: str, end: str
) -> None:
    found = read_table(write(tmp_path, TEXT.replace(",", separator).replace("\n", end).encode(encoding)))
    assert found.to_dict("list") == {"file": ["a.png", "b.png"], "label": ["ill", "pneumonía"], "patient": ["P1", "P2"]}


def test_blanks_comments_and_a_last_separator_are_no_content(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, b"# by hand\nfile, label\na.png , ill ,\nb.png,NaN,\n"))
    assert found[["file", "label"]].to_numpy().tolist() == [["a.png", "ill"], ["b.png", ""]]


def test_a_quoted_comma_stays_in_its_cell(tmp_path: Path) -> None:
    found = read_table(write(tmp_path, b'file,label\na.png,"pneumonia, bacterial"\nb.png,"normal, PA"\n'))
    assert list(found["label"]) == ["pneumonia, bacterial", "normal, PA"]


@pytest.mark.parametrize(
    ("cell", "file"),
    [
        ("train/a.png", "train/a.png"),
        ("a.png", "train/a.png"),
        ("a", "train/a.png"),
        ("./train/A.PNG", "train/a.png"),
        ("C:\\data\\train\\a.png", "train/a.png"),
        ("/home/me/set/train/a.png", "train/a.png"),
        ("set-v1.0/train/a.jpg", "train/a.png"),
        ("b.png", ""),  # two of that name
        ("x/b.png", "x/b.png"),
        ("c.png", ""),
        ("", ""),
    ],
)
def test_an_image_is_found_by_any_way_to_name_it(cell: str, file: str) -> None:
    assert Finder(["train/a.png", "x/b.png", "y/b.png"]).find(cell) == file


def test_the_column_of_files_is_found_out() -> None:
    rows = pd.DataFrame({"id": ["1", "2"], "image": ["a", "b"], "label": ["x", "y"]})
    assert find_file_column(rows, Finder(["d/a.png", "d/b.png"])) == "image"
    assert find_file_column(rows, Finder(["c.png"])) == ""


def test_findings_stand_in_one_column_or_in_several() -> None:
    rows = pd.DataFrame(
        {
            "one": ["['a', 'b c']", "a|b", "x; y", "normal"],
            "A": ["1.0", "-1", "0", ""],
            "B": ["1", "", "0", ""],
            "flag": ["0.0", "1.0", "0", "1"],
        }
    )
    assert labels_of(rows, ["one"]) == ["a|b c", "a|b", "x|y", "normal"]
    assert labels_of(rows, ["A", "B"]) == ["A|B", "uncertain A", "No Finding", ""]
    assert labels_of(rows, ["flag"]) == ["0", "1", "0", "1"]


def test_nobody_is_no_patient() -> None:
    assert patients_of(["P1", "3.0", "", "Unknown", "ANONYMOUS"]) == ["P1", "3", "", "", ""]


def test_splits_are_known_by_their_usual_names(tmp_path: Path) -> None:
    assert splits_of(["Train", "validate", "TEST", ""], tmp_path) == ["train", "val", "test", ""]
    with pytest.raises(XrganError, match="names a split 'third'"):
        splits_of(["third"], tmp_path)


def test_labels_that_differ_in_capitals_alone_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert one_spelling(["Normal", "NORMAL", "Normal", "ill"], tmp_path / "t.csv") == ["Normal"] * 3 + ["ill"]
    assert "'NORMAL', 'Normal'" in capsys.readouterr().err


def test_several_rows_of_an_image_are_joined_unless_they_disagree_on_the_patient(tmp_path: Path) -> None:
    rows = pd.DataFrame({"file": ["a", "b", "a"], "label": ["x", "x", "y"], "patient": "p", "split": "", "mask": ""})
    assert merge_rows(rows, tmp_path)[["file", "label"]].to_numpy().tolist() == [["a", "x|y"], ["b", "x"]]
    with pytest.raises(XrganError, match="several of patient for a"):
        merge_rows(rows.assign(patient=["p", "p", "q"]), tmp_path)
