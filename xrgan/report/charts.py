"""Line charts and scatters as geometry that a template draws as SVG; every line has its own dash and marker."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440, 270  # of the view box; letters of 14 stay legible where it is shown 300 pixels wide
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 12, 44  # margins
FRAME = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM}
MOST_POINTS = 400  # of a line
MOST_MARKERS = 12
MOST_ROWS = 25  # of the table below a chart
TICKS_ACROSS, TICKS_UP = 4, 5  # parts of an axis, at most
DASHES = ("", "7 4", "2 4", "10 3 2 3")
MARKERS = ("circle", "square", "triangle", "diamond")

Values = Sequence[float | None]


@dataclass(frozen=True)
class Line:
    """Values over x; None where nothing was measured."""

    name: str
    y: Values
    is_floor: bool = False
    """what real images score: thin, without markers"""


@dataclass(frozen=True)
class Chart:
    """What is drawn, in the data's own units."""

    title: str
    x_label: str
    x: Sequence[float]
    lines: Sequence[Line]
    meaning: str = ""
    y_range: tuple[float, float] | None = None
    joined: bool = True
    """lines; False = single points (each line is a group of its own)"""
    y_label: str = ""


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class DrawnLine:
    name: str
    path: str
    dash: str
    marker: str
    markers: Sequence[tuple[float, float]]
    is_floor: bool
    number: int


@dataclass(frozen=True)
class DrawnChart:
    """A chart in the view box's units."""

    chart: Chart
    lines: Sequence[DrawnLine]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    data: str
    """JSON for the script that shows figures: x and its place, and of each line its values and places"""
    rows: Sequence[Sequence[str]]
    """of the table below it, the first column x"""
    summary: str
    """alternative text"""


def draw(chart: Chart) -> DrawnChart | None:
    """Lay a chart out; None where it has no point."""
    kept = thinned(range(len(chart.x)), MOST_POINTS)
    x = [chart.x[k] for k in kept]
    lines = [Line(line.name, [_finite(line.y[k]) for k in kept], line.is_floor) for line in chart.lines]
    lines = [line for line in lines if any(value is not None for value in line.y)]
    if not lines:
        return None
    values = [value for line in lines for value in line.y if value is not None]
    x_ticks = ticks(min(x), max(x), TICKS_ACROSS)
    y_ticks = ticks(*(chart.y_range or (min(values), max(values))), TICKS_UP)
    across, up = Scale(x_ticks, FRAME["left"], FRAME["right"]), Scale(y_ticks, FRAME["bottom"], FRAME["top"])
    places = [(across(one), [None if (y := line.y[k]) is None else up(y) for line in lines]) for k, one in enumerate(x)]
    drawn = [_line(chart, line, number, places) for number, line in enumerate(lines)]
    return DrawnChart(
        chart,
        drawn,
        [Tick(across(one), short(one)) for one in x_ticks],
        [Tick(up(one), short(one)) for one in y_ticks],
        _data(chart, x, lines, places),
        [[short(x[k]), *(short(line.y[k]) for line in lines)] for k in thinned(range(len(x)), MOST_ROWS)],
        _in_words(chart, lines),
    )


def thinned(indices: Sequence[int], most: int) -> list[int]:
    """At most so many of them, evenly, the first and the last among them."""
    count = len(indices)
    if count <= most:
        return list(indices)
    return sorted({indices[round(k * (count - 1) / (most - 1))] for k in range(most)})


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round values that enclose a range: matplotlib's."""
    from matplotlib.ticker import MaxNLocator

    if low == high:
        low, high = (low - 0.5, high + 0.5) if low else (0.0, 1.0)
    return [float(one) for one in MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)]


def short(value: float | None) -> str:
    """A figure with four significant digits, at most; – where there is none."""
    if value is None:
        return "–"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


@dataclass(frozen=True)
class Scale:
    """Data → view box: the first tick lies at `start`, the last one at `end`."""

    ticks: Sequence[float]
    start: float
    end: float

    def __call__(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return round(self.start + (value - low) / (high - low) * (self.end - self.start), 1)


Places = Sequence[tuple[float, Sequence[float | None]]]


def _line(chart: Chart, line: Line, number: int, places: Places) -> DrawnLine:
    points = [(across, up[number]) for across, up in places]
    parts, pen = [], "M"
    for across, up in points:
        if up is not None:
            parts.append(f"{pen}{across} {up}")
            pen = "L"
    there = [(across, up) for across, up in points if up is not None]
    marked = [there[k] for k in thinned(range(len(there)), MOST_MARKERS)] if chart.joined else there
    return DrawnLine(
        line.name,
        " ".join(parts) if chart.joined else "",
        DASHES[number % len(DASHES)],
        MARKERS[number % len(MARKERS)],
        [] if line.is_floor and chart.joined else marked,
        line.is_floor,
        number,
    )


def _data(chart: Chart, x: Sequence[float], lines: Sequence[Line], places: Places) -> str:
    content: Mapping[str, object] = {
        "x": chart.x_label,
        "points": [
            {
                "at": across,
                "x": short(x[k]),
                "y": [[line.name, short(line.y[k]), up[n]] for n, line in enumerate(lines) if up[n] is not None],
            }
            for k, (across, up) in enumerate(places)
        ],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _in_words(chart: Chart, lines: Sequence[Line]) -> str:
    """What somebody hears who doesn't see it: where each line begins and ends."""
    said = []
    for line in lines:
        values = [value for value in line.y if value is not None]
        if line.is_floor or len(values) == 1:
            said.append(f"{line.name} {short(values[-1])}")
        else:
            said.append(f"{line.name} from {short(values[0])} to {short(values[-1])}")
    return f"{chart.title}: {'; '.join(said)}."
