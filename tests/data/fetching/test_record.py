"""What source.yaml says of each folder that was fetched."""

from pathlib import Path

import pytest

from tests.data import evil
from tests.data.test_listing import listed
from xrgan.data.fetch import fetch
from xrgan.data.fetching.record import read_record
from xrgan.data.sources import SOURCES
from xrgan.errors import XrganError
from xrgan.files import read_yaml


def test_note_is_shown_and_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "covid.zip").write_bytes(evil.zipped({"COVID-19_Radiography_Dataset/Normal/images/a.png": b"1"}))
    target = fetch("covid", tmp_path / "raw", archive=tmp_path / "covid.zip")
    assert SOURCES["covid"].note
    assert SOURCES["covid"].note in capsys.readouterr().err
    assert read_yaml(target / "source.yaml")["note"] == SOURCES["covid"].note


def test_folder_that_is_not_laid_out_as_the_source_is_fetched_all_the_same(tmp_path: Path) -> None:
    """`prepare` says what is wrong with it; here, the number of images is left out."""
    table = b"Image Index,Finding Labels\nb.png,Hernia\n"
    (tmp_path / "nih.zip").write_bytes(evil.zipped({"a.png": b"1", "Data_Entry_2017.csv": table}))
    record = read_yaml(fetch("nih", tmp_path / "raw", archive=tmp_path / "nih.zip") / "source.yaml")
    assert record["files"] == 2
    assert "images" not in record
    assert str(listed(tmp_path / "raw")["nih"]["here"]).startswith("yes: 0.0 MB")


@pytest.mark.parametrize("content", ["images: many", "bytes: [1]", "- 1", "a: [", "name: 3"])
def test_a_damaged_record_is_one_sentence_with_the_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "source.yaml").write_text(content)
    with pytest.raises(XrganError, match=r"source\.yaml .*--force"):
        read_record(tmp_path)
