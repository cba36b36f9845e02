"""Labels from names, lists, and one column per finding."""

import pandas as pd
import pytest

from xrgan.config import Uncertain
from xrgan.data.tables.labels import NEGATIVE, read_labels
from xrgan.errors import XrganError

FILES = ["a", "b", "c", "d"]


def labels(uncertain: Uncertain = "drop", files: list[str] = FILES, **columns: list[str]) -> dict[str, str]:
    return read_labels(files, pd.DataFrame(columns), uncertain).label_of


def test_names() -> None:
    assert labels(label=["normal", "mass", "", "normal"]) == {"a": "normal", "b": "mass", "c": "", "d": "normal"}


def test_lists_in_cells() -> None:
    assert labels(findings=["mass|nodule", "mass", "", "a, b|c"])["a"] == "mass|nodule"
    assert labels(findings=["['mass', 'nodule']", "[]", "", "[nan]"]) == {"a": "mass|nodule", "b": "", "c": "", "d": ""}
    assert labels(findings=["mass;nodule", "mass", "", ""])["a"] == "mass|nodule"


def test_spellings_that_differ_in_capitals_alone_are_one_label() -> None:
    read = read_labels(FILES, pd.DataFrame({"label": ["Normal", "normal", "normal", "Mass"]}), "drop")
    assert read.label_of == {"a": "normal", "b": "normal", "c": "normal", "d": "Mass"}
    assert read.respelt == {"Normal": "normal"}
    assert labels(label=["a  b", "a b", "a b", "c"])["a"] == "a b"


def test_crosses_and_words_mark_findings_in_several_columns() -> None:
    crossed = labels(Mass=["x", "", "", "x"], Nodule=["", "X", "", "x"])
    assert crossed == {"a": "Mass", "b": "Nodule", "c": "", "d": "Mass|Nodule"}
    assert labels(Mass=["positive", "negative", "u", ""], Edema=["", "", "", ""])["b"] == NEGATIVE
    assert labels(virus=["positive", "negative", "", ""], lobe=["upper", "lower", "", ""])["a"] == "positive|upper"


def test_probabilities_are_no_findings() -> None:
    with pytest.raises(XrganError, match="The column Mass holds '0.9'; a column per finding holds 1, 0, -1"):
        labels(Mass=["0.9", "0.1", "1", ""], Nodule=["0.2", "0.5", "", ""])


def test_a_column_per_finding() -> None:
    assert labels(Mass=["1.0", "0", "", "1"], Nodule=["1", "0", "", ""]) == {
        "a": "Mass|Nodule",
        "b": NEGATIVE,  # someone looked, and saw neither
        "c": "",
        "d": "Mass",
    }


@pytest.mark.parametrize(
    ("uncertain", "said"),
    [("drop", ("", "Nodule")), ("positive", ("Mass", "Mass|Nodule")), ("negative", (NEGATIVE, "Nodule"))],
)
def test_uncertain_ones_by_the_rule_that_is_asked_for(uncertain: Uncertain, said: tuple[str, str]) -> None:
    columns = {"Mass": ["-1", "-1", "1", "0"], "Nodule": ["0", "1", "1", "0"]}
    read = read_labels(FILES, pd.DataFrame(columns), uncertain)
    assert (read.label_of["a"], read.label_of["b"]) == said
    assert read.uncertain == {"Mass": 2}


def test_one_column_of_1_and_0_is_a_finding_unless_it_is_called_a_label() -> None:
    assert labels(Pneumonia=["1", "0", "", "1"]) == {"a": "Pneumonia", "b": NEGATIVE, "c": "", "d": "Pneumonia"}
    assert labels(Label=["1", "0", "", "1"]) == {"a": "1", "b": "0", "c": "", "d": "1"}
    assert labels(label=["1.0", "0.0", "", "1.0"])["b"] == "0"
    assert labels(label=["1", "0", "-1", "1"])["c"] == ""


def test_most_readers_decide_on_a_finding() -> None:
    files = ["a", "a", "a", "b", "b", "b"]
    read = read_labels(
        files, pd.DataFrame({"Mass": ["1", "1", "0", "0", "1", "0"], "Nodule": ["0"] * 6}), uncertain="drop"
    )
    assert read.label_of == {"a": "Mass", "b": NEGATIVE}
    assert read.disagreeing == 2


def test_a_row_per_finding_is_joined() -> None:
    read = read_labels(["a", "a", "b"], pd.DataFrame({"class_name": ["mass", "nodule", "mass"]}), "drop")
    assert read.label_of == {"a": "mass|nodule", "b": "mass"}
    assert read.disagreeing == 1


def test_several_columns_of_names_are_joined() -> None:
    assert labels(first=["mass", "", "x", ""], second=["nodule", "y", "x", ""]) == {
        "a": "mass|nodule",
        "b": "y",
        "c": "x",
        "d": "",
    }


def test_a_column_of_names_beside_columns_of_marks_is_refused() -> None:
    with pytest.raises(XrganError, match="The column note holds 'see report'; a column"):
        labels(Mass=["1", "0", "", ""], note=["see report", "", "", ""])
