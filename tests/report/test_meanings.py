from xrgan.evaluation.metric_table import displays
from xrgan.report.meanings import MEANINGS, meanings


def test_every_score_has_a_meaning() -> None:
    assert MEANINGS.keys() == displays().keys()


def test_only_what_was_measured_is_explained() -> None:
    assert [title for title, _ in meanings(["kid", "unheard-of"])] == ["real vs real", "95 %", "KID"]
