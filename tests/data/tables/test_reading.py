"""Tables of any encoding, separator and kind; and what is no table."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from xrgan.data.tables.reading import find_separator, read_table
from xrgan.errors import XrganError

LINES = ["file,label,patient", "a.png,normal,P1", "b.png,pneumonía,P2", "c.png,pneumonía,P3"]
CELLS = {
    "file": ["a.png", "b.png", "c.png"],
    "label": ["normal", "pneumonía", "pneumonía"],
    "patient": ["P1", "P2", "P3"],
}


def is_png(cell: str) -> bool:
    return cell.endswith(".png")


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "table.csv") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("latin-1", "cp1252"),  # which holds Latin-1
        ("cp1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_encoding_separator_and_end_of_line(
    encoding: str, said: str, separator: str, end: str, tmp_path: Path
) -> None:
    text = end.join(LINES).replace(",", separator) + end
    table = read_table(written(tmp_path, text, encoding))
    assert table.cells.to_dict("list") == CELLS
    assert (table.encoding, table.separator) == (said, separator)


@pytest.mark.parametrize(("encoding", "word"), [("cp1251", "Пневмония"), ("gb18030", "肺炎正常")])
def test_other_alphabets(encoding: str, word: str, tmp_path: Path) -> None:
    text = "file,label\n" + "".join(f"{k}.png,{word}\n" for k in range(20))
    assert set(read_table(written(tmp_path, text, encoding)).cells["label"]) == {word}


def test_words_between_spaces_with_and_without_a_header(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "0 a.png positive cohen\n1  b.png negative fig1\n"), is_png)
    assert table.columns == ["1", "2", "3", "4"]
    assert table.cells["2"].tolist() == ["a.png", "b.png"]
    assert read_table(written(tmp_path, "file label\na.png normal\nb.png mass\n")).columns == ["file", "label"]


def test_a_table_without_a_header_is_known_by_its_files(tmp_path: Path) -> None:
    file = written(tmp_path, "a.png,normal\nb.png,mass\n")
    assert read_table(file).columns == ["a.png", "normal"]
    assert read_table(file, is_png).cells.to_dict("list") == {
        "1": ["a.png", "b.png"],
        "2": ["normal", "mass"],
    }


def test_one_row_without_a_header(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.png,normal\n"), is_png)
    assert table.cells.to_numpy().tolist() == [["a.png", "normal"]]


def test_what_programs_leave_in_a_table(tmp_path: Path) -> None:
    """A column of pandas' index, blanks, comments, commas at the end, NaN, empty lines, lines that are too short."""
    text = "# by hand\n\n,file, Label ,split,\n0, a.png , normal ,NaN,\n1,b.png,None,train,\n\n2,c.png\n"
    assert read_table(written(tmp_path, text)).cells.to_dict("list") == {
        "file": ["a.png", "b.png", "c.png"],
        "Label": ["normal", "", ""],
        "split": ["", "train", ""],
    }


def test_quotes_keep_separators_and_line_ends(tmp_path: Path) -> None:
    text = 'file,label\na.png,"pneumonia, bacterial"\n"b\n1.png","he said ""no"""\n'
    assert read_table(written(tmp_path, text)).cells.to_numpy().tolist() == [
        ["a.png", "pneumonia, bacterial"],
        ["b\n1.png", 'he said "no"'],
    ]


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "file,label,label\na.png,x,y\n")).columns == ["file", "label", "label 2"]


def test_one_column_is_a_table(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "file\na.png\nb.png\n")).cells["file"].tolist() == ["a.png", "b.png"]


def test_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    assert read_table(written(tmp_path, "file,id\n001,0070\n")).cells.to_numpy().tolist() == [["001", "0070"]]


def test_a_title_above_the_header_is_no_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("Our films,,\n,,\nfile,label,patient\na.png,x,1\n")
    assert read_table(file).cells.to_dict("list") == {"file": ["a.png"], "label": ["x"], "patient": ["1"]}


def test_gzip(tmp_path: Path) -> None:
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress("\n".join(LINES).encode()))
    assert read_table(tmp_path / "table.csv.gz").cells.to_dict("list") == CELLS


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b\n1,5;2\n2,5;3\n", ";"),
        ("a,b\nx|y,1\nz,2\n", ","),
        ("a,b\nx;y,1\nz;u,2\n", ","),
        ("a\tb\nx, y\t1\nz, u\t2\n", "\t"),
        ("file label\nx y\nz u\n", r"\s+"),
        ("one column of words\nanother line\n", ","),
        ("file\na.png\n", ","),
        ('a,b\n"x;1;2",1\n"y;1;2",2\n', ","),
    ],
)
def test_separators(text: str, separator: str) -> None:
    assert find_separator(text) == separator


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"  \n\n", "is empty"),
        (b"PK\3\4...", "is no text.*Save it as CSV"),
        (b"\0\1\2\0\0\0\5\6", "is no text"),
        (b"\x1f\x8b\x08\x00torn", "can't be read"),
        (b'file,label\na.png,"never closed\n', "can't be read as CSV separated by commas"),
        (b"file,label\na.png,x,y\nb.png,x,y\n", "has rows with more cells than its header"),
        (b'{"a": ', "can't be read as JSON"),
    ],
)
def test_what_is_no_table_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(XrganError, match=f"table.csv {said}"):
        read_table(tmp_path / "table.csv")


def test_json_is_a_table_too(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, '[{"file": "a.png", "label": "x"}]', name="t.json"))
    pd.testing.assert_frame_equal(table.cells, pd.DataFrame({"file": ["a.png"], "label": ["x"]}))
    assert table.separator == ""
