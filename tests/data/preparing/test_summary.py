"""What a user sees of a prepared dataset: tables, warnings, a contact sheet."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import write_image
from tests.data.conftest import Ask
from xrgan.data.preparing.summary import facts_table, table


def test_the_table_sums_up_what_there_is(ask: Ask) -> None:
    columns, rows = table(ask(split=(0.6, 0.2, 0.2)))
    assert columns == ["split", "ILL", "NORMAL", "images"]
    assert rows == [["train", 6, 12, 18], ["val", 2, 4, 6], ["test", 2, 4, 6], ["all", 10, 20, 30]]


def test_patients_in_two_of_the_sources_own_splits_are_warned_of(
    tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, split in enumerate(("train", "train", "val", "test")):
        write_image(tmp_path / "leaky" / split / "NORMAL" / f"p{k // 2}_{k}.png", seed=k)
    ask(source=tmp_path / "leaky", patient_pattern=r"^(p\d+)_")
    assert "1 patients have images in more than one of the source's own splits" in capsys.readouterr().err
    ask(source=tmp_path / "leaky", name="another")
    assert "more than one" not in capsys.readouterr().err


@pytest.mark.slow
def test_the_preview_shows_every_class_and_the_masks(phantoms: Path, ask: Ask) -> None:
    plain = Image.open(ask("plain", source=phantoms, masks="none") / "preview.png")
    masked = Image.open(ask("masked", source=phantoms) / "preview.png")
    assert (plain.mode, masked.mode) == ("L", "RGB")
    assert np.asarray(plain).std() > 20
    coloured = np.ptp(np.asarray(masked).astype(int), axis=2) > 30
    assert 0.02 < coloured.mean() < 0.5


def test_the_facts_say_what_the_files_were(raw: Path, ask: Ask) -> None:
    (raw / "NORMAL" / "n00.png").write_bytes(b"torn")
    rows = dict(facts_table(ask())[1])
    assert rows["packed"] == "16², 1 channel"
    assert rows["width before"] == "20 to 43 px, median 29"
    assert rows["kinds of file"] == "L 24, RGB 5"
    assert rows["skipped"] == "1 × no image"


def test_a_split_without_an_image_is_told(tmp_path: Path, ask: Ask, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(6):
        write_image(tmp_path / "one" / f"anonymous_{k}.png", seed=k)
    ask(source=tmp_path / "one", patient_pattern="^(anonymous)_")
    assert "There is no image for val and test" in capsys.readouterr().err
