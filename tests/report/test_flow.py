from pathlib import Path

from tests.cards.cases import known, unknown
from xrgan.report.flow import flow


def test_nothing_vanishes_between_two_boxes(tmp_path: Path) -> None:
    found, packed, learned, drawn, compared = flow(known(tmp_path), 40)
    assert found.count == 110 and sum(count for count, _ in found.beside) == 10
    assert found.count - sum(count for count, _ in found.beside) == packed.count == sum(n for n, _ in packed.parts)
    assert learned.count == 80 and "1,000 views" in learned.title
    assert drawn.count == 40 and compared.count == 20
    assert not any("mueller" in reason for _, reason in found.beside)


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    assert [station.title for station in flow(unknown(tmp_path), 0)] == ["Synthetic images drawn"]
