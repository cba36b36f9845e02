from pathlib import Path

from tests.cards.cases import known, unknown
from xrgan.cards.datasheet import datasheet


def test_the_flow_adds_up_and_names_nobody(tmp_path: Path) -> None:
    text = datasheet(known(tmp_path))
    assert "| images found | 110 |" in text  # 100 packed, 7 left out, 3 skipped
    assert "| left out: of another view | − 7 |" in text and "| skipped: no image | − 2 |" in text
    assert "| **packed** | **100** |" in text
    assert "mueller" not in text and "anna" not in text
    assert "CC BY 4.0" in text and "80 patients" in text and "**3 patients stand in more than one split**" in text
    assert "*open*" in text


def test_a_dataset_that_is_elsewhere(tmp_path: Path) -> None:
    assert "isn't here" in datasheet(unknown(tmp_path))
