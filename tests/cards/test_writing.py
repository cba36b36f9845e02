from pathlib import Path

from tests.cards.cases import known, unknown
from xrgan.cards.writing import write_cards


def test_a_datasheet_stays_where_the_dataset_is_gone(tmp_path: Path) -> None:
    facts = known(tmp_path)
    write_cards(facts, facts.run.path)
    before = (facts.run.path / "DATASHEET.md").read_text()
    gone = unknown(tmp_path).__class__(**(vars(facts) | {"dataset": None}))
    write_cards(gone, facts.run.path)
    write_cards(gone, tmp_path / "export")
    assert (facts.run.path / "DATASHEET.md").read_text() == before == (tmp_path / "export/DATASHEET.md").read_text()
    write_cards(unknown(tmp_path), tmp_path / "other")
    assert "isn't here" in (tmp_path / "other/DATASHEET.md").read_text()
