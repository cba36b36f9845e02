"""MODEL_CARD.md and DATASHEET.md: written into a run, or beside an export."""

from pathlib import Path

from xrgan.cards.datasheet import datasheet
from xrgan.cards.facts import Facts
from xrgan.cards.model_card import model_card
from xrgan.files import write_text

MODEL_CARD, DATASHEET = "MODEL_CARD.md", "DATASHEET.md"


def write_cards(facts: Facts, folder: Path) -> None:
    """Write both cards; of a dataset that isn't here, an earlier datasheet stays."""
    write_text(folder / MODEL_CARD, model_card(facts))
    earlier = facts.run.path / DATASHEET
    if facts.dataset is not None or not earlier.is_file():
        write_text(folder / DATASHEET, datasheet(facts))
    elif folder != facts.run.path:
        write_text(folder / DATASHEET, earlier.read_text(encoding="utf-8"))
