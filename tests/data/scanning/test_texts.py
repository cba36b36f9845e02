"""Texts and CSVs are found anywhere in a folder."""

from pathlib import Path

import pytest

from tests.data.trees import plant
from xrgan.data.scanning.texts import find_texts, read_tables
from xrgan.errors import XrganError


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
