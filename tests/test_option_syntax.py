"""Windows and maps of classes: what is right is parsed, what is wrong is a reason, and nothing else is raised."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.option_syntax import Rule, merged, parse_map, parse_window


@pytest.mark.parametrize(
    ("text", "percentiles"),
    [
        ("dicom", (0, 100)),
        ("minmax", (0, 100)),
        ("p1-p99", (1, 99)),
        ("p0.5-p99.5", (0.5, 99.5)),
        ("p0-p100", (0, 100)),
    ],
)
def test_a_window_is_two_percentiles(text: str, percentiles: tuple[float, float]) -> None:
    assert parse_window(text) == percentiles


@pytest.mark.parametrize(
    "text", ["", "p1", "p99-p1", "p5-p5", "p1-p101", "1-99", "p1-p99 ", "P1-P99", "p-1-p5", "p.5-p9"]
)
def test_what_is_no_window_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="percentiles"):
        parse_window(text)


@given(st.text(max_size=12) | st.from_regex(r"p[0-9.]{1,4}-p[0-9.]{1,4}", fullmatch=True))
def test_any_text_is_a_window_or_a_reason(text: str) -> None:
    try:
        low, high = parse_window(text)
    except ValueError:
        return
    assert 0 <= low < high <= 100


def test_a_map_keeps_the_order_of_its_rules() -> None:
    assert parse_map("Lung Opacity=1, *=0") == (Rule("Lung Opacity", "1"), Rule("*", "0"))
    assert parse_map("a=b=c") == (Rule("a=b", "c"),)


@pytest.mark.parametrize("text", ["", "a", "a=", "=b", "a=1,,b=2", "a=1,b"])
def test_what_is_no_map_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="is no LABEL=class"):
        parse_map(text)


names = st.text(st.characters(categories=("L", "N"), include_characters=" /-"), min_size=1, max_size=8).map(str.strip)


@given(st.lists(st.tuples(names.filter(bool), names.filter(bool)), min_size=1, max_size=5))
@pytest.mark.slow
def test_what_a_map_says_is_what_is_parsed(rules: list[tuple[str, str]]) -> None:
    assert parse_map(",".join(f"{label}={target}" for label, target in rules)) == tuple(Rule(*rule) for rule in rules)


@pytest.mark.parametrize(
    ("label", "target"),
    [
        ("Lung Opacity", "1"),
        ("Normal", "0"),
        ("", ""),  # nobody knows: `*` doesn't make a healthy chest of it
        ("Edema|Lung Opacity", "1"),
        ("Edema|Mass", "0"),
    ],
)
def test_the_first_rule_that_a_finding_matches_decides(label: str, target: str) -> None:
    assert merged(label, parse_map("Lung Opacity=1,*=0")) == target


def test_wildcards_and_labels_that_no_rule_names() -> None:
    rules = parse_map("Lung*=lung,heart?=heart")
    assert [merged(label, rules) for label in ("Lung Mass", "heart2", "heart", "lung")] == ["lung", "heart", "", ""]
