"""The table that a scan makes."""

from xrgan.data.scanning.rows import COLUMNS, stems, table


def test_what_is_not_given_is_not_known() -> None:
    rows = table(file=["a/b.png", "c.dcm"], label=["x", ""])
    assert tuple(rows.columns) == COLUMNS
    assert rows.loc[0].tolist() == ["a/b.png", "x", "", "", "", "", ""]
    assert stems(rows) == ["b", "c"]
