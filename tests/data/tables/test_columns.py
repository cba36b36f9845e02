"""Which column says what."""

from pathlib import Path

import pandas as pd
import pytest

from xrgan.config import PrepareConfig
from xrgan.data.tables.columns import Columns, choose_columns, find_file_column, unusable_columns
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import Table
from xrgan.errors import XrganError

FILES = Files(["images/0.png", "images/a.png", "images/b.png"])


def table(**columns: list[str]) -> Table:
    return Table(Path("labels.csv"), pd.DataFrame(columns))


def test_usual_names_are_taken() -> None:
    one = table(image_name=["a", "b"], diagnosis=["x", "y"], pid=["1", "2"], Gender=["F", "M"], age=["4", ""])
    chosen = choose_columns(one, PrepareConfig(), FILES)
    assert chosen == Columns("image_name", ("diagnosis",), patient="pid", sex="Gender", age="age")


def test_a_choice_is_none() -> None:
    chosen = choose_columns(table(file=["a"], label=["x"], finding=["y"]), PrepareConfig(), FILES)
    assert chosen.label == ()


def test_a_column_whose_cells_are_no_splits_is_no_split() -> None:
    assert choose_columns(table(file=["a"], dataset=["cohen"]), PrepareConfig(), FILES).split == ""
    assert choose_columns(table(file=["a"], set=["Train"]), PrepareConfig(), FILES).split == "set"


def test_a_column_with_a_usual_name_that_holds_something_else_is_named() -> None:
    numbered = table(image=["a.png", "b.png"], split=["0", "1"])
    said = ["labels.csv: its column split is not used, since '0' is no split."]
    assert unusable_columns(numbered, PrepareConfig()) == said
    assert unusable_columns(numbered, PrepareConfig(split_column="none")) == []
    assert unusable_columns(table(image=["a.png"], split=["train"]), PrepareConfig()) == []


def test_an_empty_column_says_nothing() -> None:
    assert choose_columns(table(file=["a"], label=[""]), PrepareConfig(), FILES).label == ()


def test_flags_go_before_usual_names_and_none_takes_none() -> None:
    one = table(file=["a"], label=["x"], finding=["y"], patient=["1"], view=["PA"])
    config = PrepareConfig(label_column=("Finding ",), patient_column="none", view_column="VIEW")
    assert choose_columns(one, config, FILES) == Columns("file", ("finding",), view="view")
    assert choose_columns(one, PrepareConfig(label_column=("none",)), FILES).label == ()


def test_a_column_that_is_not_there_is_told_with_the_nearest_one() -> None:
    with pytest.raises(XrganError, match=r"labels.csv has no column 'diagnose'.*Did you mean --label-column diagnosis"):
        choose_columns(table(file=["a"], diagnosis=["x"]), PrepareConfig(label_column=("diagnose",)), FILES)
    two = choose_columns(table(file=["a"]), PrepareConfig(label_column=("diagnosis",)), FILES, needed=False)
    assert two.label == ()


def test_the_column_of_files_is_the_one_whose_cells_fit() -> None:
    assert find_file_column(table(number=["0", "1"], what=["a.png", "b.png"]), FILES) == "what"
    assert find_file_column(table(x=["a.png", "b"], Image=["a.png", "b"]), FILES) == "Image"
    assert find_file_column(table(path=["a.png", *(f"{k}.jpg" for k in range(9))]), FILES) == "path"
    assert find_file_column(table(x=["a.png", *(f"{k}.jpg" for k in range(9))]), FILES) == ""


def test_a_table_of_other_images_is_told() -> None:
    with pytest.raises(XrganError, match="No column of labels.csv names images.*--file-column; the columns are x, y"):
        choose_columns(table(x=["p.png"], y=["q"]), PrepareConfig(), FILES)


def test_columns_as_flags() -> None:
    columns = Columns("image_name", ("No Finding", "Mass"), patient="pid")
    assert columns.flags() == "--file-column image_name --label-column 'No Finding,Mass' --patient-column pid"
    assert columns.named() == {"file": "image_name", "label": ["No Finding", "Mass"], "patient": "pid"}
