"""Lines break between words and never within a figure; tables lose the columns that they can do without."""

import hypothesis
from hypothesis import strategies as st

from xrgan.layout import column_widths, columns_without_room, first_few, wrapped


def test_a_line_never_breaks_within_a_figure() -> None:
    assert wrapped("0.616 ± 0.108", 6) == ["0.616 ± 0.108"]
    assert wrapped("0.0757 … 0.1126", 9) == ["0.0757 …", "0.1126"]
    assert wrapped("46.39 (N = 39)", 8) == ["46.39", "(N = 39)"]
    assert wrapped("– Lung Opacity", 8) == ["– Lung", "Opacity"]
    assert wrapped("that of 80 % good images", 10) == ["that of", "80 % good", "images"]


def test_paths_and_flags_stay_whole() -> None:
    assert wrapped("see runs/a-long-name/report.md or --every-checkpoint", 12) == [
        "see",
        "runs/a-long-name/report.md",
        "or",
        "--every-checkpoint",
    ]


@hypothesis.given(st.text(st.sampled_from("ab…±%N= \n–."), max_size=60), st.integers(1, 30))
def test_wrapping_keeps_every_word_in_its_order(text: str, width: int) -> None:
    assert " ".join(wrapped(text, width)).split() == text.split()


def test_columns_go_in_their_order_and_only_as_many_as_must() -> None:
    texts = {"a": ["a", "x" * 20], "b": ["b", "y" * 20], "c": ["c", "z" * 20]}
    assert columns_without_room(texts, ["c", "b"], 80) == []
    assert columns_without_room(texts, ["c", "b"], 60) == ["c"]
    assert columns_without_room(texts, ["c", "b", "absent"], 30) == ["c", "b"]


def test_widths_share_what_is_left_and_are_none_where_all_fits_or_nothing_does() -> None:
    texts = {"a": ["a", "two words"], "b": ["b", "some more words here"]}
    assert column_widths(texts, 80) == {} == column_widths(texts, 10)
    widths = column_widths(texts, 30)
    assert widths["a"] >= 5 and widths["b"] >= 5 and sum(widths.values()) <= 30 - 7


def test_of_many_names_a_sentence_has_the_first_few() -> None:
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few([str(k) for k in range(2003)], 3) == "0, 1, 2 and 2,000 more"
