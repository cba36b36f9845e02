import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xrgan.report.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, Line, draw, short, thinned, ticks


def chart(x: list[float], *lines: Line, joined: bool = True) -> Chart:
    return Chart("Losses", "epoch", x, lines, joined=joined)


def test_points_lie_where_their_values_are() -> None:
    drawn = draw(chart([0, 5, 10], Line("a", [0.0, 1.0, 2.0])))
    assert drawn is not None
    left, right, bottom, top = LEFT, WIDTH - RIGHT, HEIGHT - BOTTOM, TOP
    places = [(left, bottom), ((left + right) / 2, (bottom + top) / 2), (right, top)]
    assert list(drawn.lines[0].markers) == places
    assert drawn.lines[0].path == "M62.0 226.0 L244.0 119.0 L426.0 12.0"
    assert drawn.x_ticks[0].text == "0" and drawn.x_ticks[-1].text == "10"
    assert drawn.summary == "Losses: a from 0 to 2."


def test_a_gap_interrupts_no_line_and_counts_as_nothing() -> None:
    drawn = draw(chart([1, 2, 3], Line("a", [1.0, None, float("nan")]), Line("b", [None, None, None])))
    assert drawn is not None and [line.name for line in drawn.lines] == ["a"]
    assert drawn.rows == [["1", "1"], ["2", "–"], ["3", "–"]]
    points = json.loads(drawn.data)["points"]
    assert [len(point["y"]) for point in points] == [1, 0, 0]


def test_nothing_measured_is_no_chart() -> None:
    assert draw(chart([1, 2], Line("a", [None, None]))) is None


def test_lines_differ_without_colour() -> None:
    drawn = draw(chart([1, 2], *(Line(str(k), [0.0, float(k)]) for k in range(4))))
    assert drawn is not None
    assert len({line.dash for line in drawn.lines}) == len({line.marker for line in drawn.lines}) == 4


def test_single_points_are_not_joined_and_all_are_marked() -> None:
    drawn = draw(chart([0.2, 0.4], Line("a", [0.5, None]), Line("b", [None, 0.7]), joined=False))
    assert drawn is not None
    assert [line.path for line in drawn.lines] == ["", ""] and [len(line.markers) for line in drawn.lines] == [1, 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=900))
def test_whatever_the_values_they_stay_inside(values: list[float]) -> None:
    drawn = draw(chart([float(k) for k in range(len(values))], Line("a", list(values))))
    assert drawn is not None and len(drawn.rows) <= 25
    for point in json.loads(drawn.data)["points"]:
        assert LEFT - 0.1 <= point["at"] <= WIDTH - RIGHT + 0.1
        assert all(TOP - 0.1 <= up <= HEIGHT - BOTTOM + 0.1 for _, _, up in point["y"])


def test_ticks_enclose_the_range() -> None:
    for low, high in ((0.3, 17.2), (-1, -1), (0, 0), (1e-9, 2e-9)):
        found = ticks(low, high, 5)
        assert found[0] <= low and found[-1] >= high and found == sorted(set(found))


def test_thinned_keeps_both_ends() -> None:
    assert thinned(range(1000), 5) == [0, 250, 500, 749, 999]
    assert thinned(range(3), 5) == [0, 1, 2]


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (3.0, "3"), (12345.6, "12,346"), (0.123456, "0.1235")])
def test_figures_are_short(value: float | None, text: str) -> None:
    assert short(value) == text
