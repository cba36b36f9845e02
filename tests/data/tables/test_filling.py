"""What tables say of patients, splits, views, masks, sex and age goes into the rows."""

from pathlib import Path

import pandas as pd
import pytest

from xrgan.data.scanning.rows import table
from xrgan.data.tables.filling import fill
from xrgan.errors import XrganError


def filled(said: dict[str, list[str]], raw: Path = Path("nowhere"), **known: list[str]) -> pd.DataFrame:
    return fill(table(file=["a.png", "b.png"], **known), pd.DataFrame(said), raw, "t.csv")


def test_a_cell_goes_before_what_was_known_and_an_empty_one_leaves_it() -> None:
    said = {"file": ["a.png", "b.png"], "patient": ["P1", ""], "split": ["Validation", ""], "view": ["", "PA"]}
    rows = filled(said, patient=["x", "y"], split=["train", "train"], view=["AP", "AP"])
    assert rows["patient"].tolist() == ["P1", "y"]
    assert rows["split"].tolist() == ["val", "train"]
    assert rows["view"].tolist() == ["AP", "PA"]


def test_sex_and_age_are_written_in_one_way() -> None:
    rows = filled({"file": ["a.png", "b.png"], "sex": ["Female", "m"], "age": ["045Y", "45.0"]})
    assert rows["sex"].tolist() == ["F", "M"]
    assert rows["age"].tolist() == ["45", "45"]


def test_a_file_of_several_rows_has_one_patient(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"file": ["a.png", "a.png", "a.png", "b.png"], "patient": ["", "P1", "P1", "P2"]}
    assert filled(said)["patient"].tolist() == ["P1", "P2"]
    assert capsys.readouterr().err == ""


def test_rows_that_disagree_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"file": ["a.png", "a.png", "b.png"], "view": ["PA", "AP", "PA"]}
    assert filled(said)["view"].tolist() == ["PA", "PA"]
    told = capsys.readouterr().err.replace("\n", " ")
    assert "t.csv names several views for 1 images, such as a.png ('PA' and 'AP'): the first one counts" in told
    for role, cells in {"patient": ["p", "q", "p"], "split": ["train", "test", "train"]}.items():
        with pytest.raises(XrganError, match=f"t.csv names several {role}s for 1 images.*Keep one row"):
            filled({"file": said["file"], role: cells})


def test_what_is_no_split_is_refused() -> None:
    with pytest.raises(XrganError, match="t.csv names a split '1' and 'Paris'.*train, val and test"):
        filled({"file": ["a.png", "b.png"], "split": ["Paris", "1"]})


def test_masks_are_found_beside_and_never_among_the_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.png", "b.png", "masks/a.png", "heart/a_h.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    rows = filled({"file": ["a.png", "b.png"], "mask": ["a.png|a_h", "gone.png"]}, tmp_path)
    assert rows["mask"].tolist() == ["heart/a_h.png|masks/a.png", ""]
    assert "1 masks that the table names are not here" in capsys.readouterr().err.replace("\n", " ")
