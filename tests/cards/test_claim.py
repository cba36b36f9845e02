from pathlib import Path

from tests.cards.cases import known, unknown
from xrgan.cards.claim import claim_table, open_items


def test_all_items_are_there_and_what_nobody_knows_is_open(tmp_path: Path) -> None:
    rows = claim_table(known(tmp_path)).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [str(k) for k in range(1, 45)]
    for item in (2, 5, 11, 18, 33, 36, 44):  # ethics, readers, other hospitals, funding …
        assert "*open*" in rows[item - 1], rows[item - 1]
    assert "by patient" in rows[19] and "xrgan 0.1.0, python 3.12.1, torch 2.9" in rows[22]
    assert "FID 90.25" in rows[36] and "Nothing shown." in rows[37]


def test_the_less_is_known_the_more_is_open(tmp_path: Path) -> None:
    assert open_items(known(tmp_path)) < open_items(unknown(tmp_path)) < 44
