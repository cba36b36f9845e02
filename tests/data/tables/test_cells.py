"""What a cell means, however it is written."""

import pytest

from xrgan.data.tables.cells import (
    LIST,
    MARKS,
    age_of,
    are_marks,
    clean,
    joiner_of,
    mark_of,
    patient_of,
    sex_of,
    split_list,
    split_of,
    without_point_zero,
)


@pytest.mark.parametrize(
    "cell", ["", "  ", "NaN", "nan", "None", " NULL ", "N/A", "<NA>", "NaT", "NA", "-", "?", "Unknown"]
)
def test_what_says_nothing_is_unknown(cell: str) -> None:
    assert clean(cell) == ""


def test_blanks_around_a_word_say_nothing() -> None:
    assert clean(" normal\t") == "normal"
    assert clean("\u00a0normal ") == "normal"


def test_words_are_marks_only_where_they_are_known() -> None:
    assert [mark_of(cell, MARKS) for cell in ("x", "Positive", "absent", "u", "", "1", "-1")] == [
        1,
        1,
        0,
        -1,
        None,
        1,
        -1,
    ]
    assert are_marks(["x", ""], MARKS) and not are_marks(["x", ""])


@pytest.mark.parametrize(
    ("cells", "joiner"),
    [
        (["normal", "mass"], ""),
        (["a|b", "c"], "|"),
        (["a;b", "c"], ";"),
        (["a, b", "c"], ","),
        (["a, b|c"], "|"),
        (["['a', 'b']", "c"], LIST),
        (["[]"], LIST),
    ],
)
def test_a_column_tells_how_its_lists_are_joined(cells: list[str], joiner: str) -> None:
    assert joiner_of(cells) == joiner


@pytest.mark.parametrize(
    ("cell", "joiner", "found"),
    [
        ("a | b|a", "|", ["a", "b"]),
        ("a; b;", ";", ["a", "b"]),
        ("pleural effusion, mass", ",", ["pleural effusion", "mass"]),
        ("['cardiomegaly', 'pleural effusion']", LIST, ["cardiomegaly", "pleural effusion"]),
        ('["a", "b, c"]', LIST, ["a", "b, c"]),
        ("[' normal ', nan]", LIST, ["normal"]),
        ("['a' 'b']", LIST, ["a", "b"]),  # as numpy prints it
        ("[a, b]", LIST, ["a", "b"]),
        ("['it''s']", LIST, ["its"]),
        ("[]", LIST, []),
        ("", "|", []),
        ("NaN|mass", "|", ["mass"]),
        ("COVID-19/viral", "", ["COVID-19/viral"]),
        ("a|b", ";", ["a/b"]),  # | would part it again in index.csv
    ],
)
def test_the_findings_of_a_cell(cell: str, joiner: str, found: list[str]) -> None:
    assert split_list(cell, joiner) == found


@pytest.mark.parametrize(
    ("cell", "mark"), [("1", 1), ("1.0", 1), ("0", 0), ("-1.0", -1), ("−1", -1), ("True", 1), ("no", 0), ("", None)]
)
def test_marks(cell: str, mark: int | None) -> None:
    assert mark_of(cell) == mark


@pytest.mark.parametrize("cell", ["2", "0.5", "maybe", "nan", "-2"])
def test_no_marks(cell: str) -> None:
    with pytest.raises(ValueError, match="none of 1, 0, -1"):
        mark_of(cell)


def test_a_column_of_marks_says_something() -> None:
    assert are_marks(["1", "", "0"])
    assert not are_marks(["", ""])
    assert not are_marks([])
    assert not are_marks(["1", "2"])


@pytest.mark.parametrize(
    ("cell", "split"),
    [
        ("Train", "train"),
        ("VALIDATE", "val"),
        ("dev", "val"),
        ("test_set", "test"),
        ("Training data", "train"),
        ("", ""),
        ("3", None),
        ("holdout", None),
        ("Paris", None),
    ],
)
def test_splits(cell: str, split: str | None) -> None:
    assert split_of(cell) == split


@pytest.mark.parametrize(("cell", "patient"), [("P1", "P1"), ("Unknown", ""), ("ANONYMOUS", ""), ("?", ""), ("", "")])
def test_patients(cell: str, patient: str) -> None:
    assert patient_of(cell) == patient


@pytest.mark.parametrize(("cell", "sex"), [("Female", "F"), ("m", "M"), ("W", "F"), ("O", "O"), ("", "")])
def test_sexes(cell: str, sex: str) -> None:
    assert sex_of(cell) == sex


@pytest.mark.parametrize(("cell", "age"), [("45", "45"), ("45.0", "45"), ("045Y", "45"), ("6 months", ""), ("?", "")])
def test_ages(cell: str, age: str) -> None:
    assert age_of(cell) == age


def test_whole_numbers_lose_the_point_that_a_program_gave_them() -> None:
    assert without_point_zero(["3.0", "", "12.0"]) == ["3", "", "12"]
    assert without_point_zero(["3.0", "a"]) == ["3.0", "a"]
    assert without_point_zero(["3.5", "1.0"]) == ["3.5", "1.0"]
