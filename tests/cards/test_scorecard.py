from pathlib import Path

from tests.cards.cases import known, unknown
from xrgan.cards.scorecard import lowest_coverage, seven_cs


def test_seven_rows_with_what_was_measured(tmp_path: Path) -> None:
    text = seven_cs(known(tmp_path))
    rows = text.splitlines()[2:]
    assert [row.split(":")[0].strip("| ") for row in rows] == [
        *("Congruence", "Coverage", "Constraint", "Completeness", "Compliance", "Comprehension", "Consistency")
    ]
    assert "FID 90.25 (real images 60.5, N = 20)" in rows[0] and "lowest in NORMAL: 0.31" in rows[1]
    assert "no suspect is no proof" in rows[4] and "CC BY 4.0" in rows[4] and "*open*" in rows[4]


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    text = seven_cs(unknown(tmp_path))
    assert text.count("not measured; `xrgan evaluate` does") == 3
    assert lowest_coverage(unknown(tmp_path)) is None
