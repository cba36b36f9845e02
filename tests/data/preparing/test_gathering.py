"""Which images become a dataset, and as what: what is said of it, and patients that known names tell."""

from pathlib import Path

import pytest

from tests.conftest import write_image
from tests.data.conftest import Ask
from xrgan.data.preparing.summary import facts_table
from xrgan.files import read_yaml


def test_names_of_a_known_source_tell_the_patients(
    tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(12):
        write_image(tmp_path / "own" / "PNEUMONIA" / f"person{k // 3}_virus_{k}.jpeg", seed=k)
    folder = ask(source=tmp_path / "own")
    card = read_yaml(folder / "dataset.yaml")
    assert card["patients"] == 4
    assert card["taken_from"]["patient"] == "names, as in kermany"
    assert "xrgan fetch kermany --folder" in capsys.readouterr().err.replace("\n", " ")


def test_the_table_says_what_was_taken_as_what_and_what_was_not_read(tmp_path: Path, ask: Ask) -> None:
    for k in range(12):
        write_image(tmp_path / "own" / ("NORMAL", "ILL")[k % 2] / f"patient{k // 4}" / f"{k}.png", seed=k)
    (tmp_path / "own" / "volume.raw.gz").write_bytes(b"volume")
    facts = dict(facts_table(ask(source=tmp_path / "own"))[1])
    assert facts["class from"] == "folders, level 1 of 2 (else --label-pattern or --table)"
    assert facts["patient from"] == "folders, level 2 of 2 (else --patient-pattern or --table)"
    assert facts["not read"] == ".raw.gz 1: no images that xrgan reads"


def test_a_table_that_nobody_read_is_warned_of(tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(4):
        write_image(tmp_path / "own" / f"{k}xyz.png", seed=k)
    lines = [f"{k}xyz.png,{('well', 'ill')[k % 2]},p{k // 2}" for k in range(4)]
    (tmp_path / "own" / "labels.csv").write_text("\n".join(["image,diagnosis,patient", *lines]))
    ask("without", source=tmp_path / "own")
    assert "labels.csv was not read" in capsys.readouterr().err
    options = {"table": "labels.csv", "label_column": ["diagnosis"], "patient_column": "patient"}
    card = read_yaml(ask("with", source=tmp_path / "own", **options) / "dataset.yaml")
    assert (card["classes"], card["patients"]) == (["ill", "well"], 2)
    assert card["taken_from"]["class"] == "labels.csv, column diagnosis"
