import pytest

from xrgan.evaluation.metric_table import displays
from xrgan.report.meanings import MEANINGS, meanings


def test_every_score_has_a_meaning() -> None:
    assert MEANINGS.keys() == displays().keys()


def test_a_score_that_nobody_explained_says_what_its_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new metric needs its record alone."""
    monkeypatch.delitem(MEANINGS, "diversity")
    assert meanings(["diversity"])[-1] == ("Diversity", displays()["diversity"].meaning)


def test_only_what_was_measured_is_explained() -> None:
    assert [title for title, _ in meanings(["kid", "unheard-of"])] == ["real vs real", "95 %", "KID"]
