from tests.readers.cases import SUMMARY
from xrgan.report.readers import reader_row, readers_context


def test_readers_are_rows_and_their_sureness_a_curve() -> None:
    context = readers_context(SUMMARY)
    assert context["readers_rows"] == [["Dr Who", "60", "80 %", "68 … 88 %", "70 %", "10 %", "0.90", "–"]]
    assert context["readers_classes"] == [["NORMAL", "30", "80 %", "60 … 90 %"]]
    assert [line.name for line in context["roc"].lines] == ["readers", "guessing"]
    assert "Area 0.90" in context["roc"].chart.meaning


def test_without_a_reader_all_is_empty() -> None:
    assert readers_context({}) == {"readers": {}, "readers_rows": [], "readers_classes": [], "roc": None}
    unasked = {**SUMMARY["readers"][0], "auc": None, "found": None}  # type: ignore[index,dict-item]
    assert reader_row(unasked)[4:] == ["–", "10 %", "–", "–"]
