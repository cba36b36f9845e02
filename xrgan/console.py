"""What the user sees: progress bars, tables and notices. No other module prints.

Results go to stdout, so that they can be piped; bars and notices go to stderr. Where stderr is no terminal,
a bar becomes a plain line now and then.
"""

import io
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.status import Status
from rich.table import Column, Table
from rich.text import Text

from xrgan.errors import XrganError

SECONDS_BETWEEN_PLAIN_LINES = 10.0
WIDE = 100  # columns of a terminal with room for a long bar
LONGEST_WORD = 40  # characters that a table's column keeps together
Item = TypeVar("Item")

_notices = Console(stderr=True, highlight=False, emoji=False)
_results = Console(highlight=False, emoji=False)
_quiet = False
_waiting: Status | None = None


def configure(quiet: bool) -> None:
    """Choose what is shown, once per command: `quiet` hides notices and bars, and leaves results and warnings."""
    global _quiet, _notices, _results
    stop_waiting()
    _quiet = quiet
    # Made anew, because a test (or a notebook) may have exchanged sys.stdout since the import.
    _notices = Console(stderr=True, highlight=False, emoji=False)
    _results = Console(highlight=False, emoji=False)


def take_any_stream() -> None:
    """Let stdout and stderr take every sentence: in ASCII or cp1252 "?" stands for what they lack; closed, nothing."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # `xrgan … >&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    configure(_quiet)


def flush() -> None:
    """Hand over what is still buffered of the results; OSError where the disk behind stdout refuses it."""
    sys.stdout.flush()


def write_nowhere() -> None:
    """Drop in silence what is still buffered for a reader that has gone."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def waiting(text: str) -> None:
    """Show what the user waits for, on a terminal alone, until the next thing is said: no silence while torch loads."""
    global _waiting
    stop_waiting()
    if not _quiet and _notices.is_terminal:
        _waiting = _notices.status(f"{escape(text)} …")
        _waiting.start()


def stop_waiting() -> None:
    """Take away what `waiting` shows."""
    global _waiting
    if _waiting is not None:
        _waiting.stop()
        _waiting = None


def notice(text: str) -> None:
    """Say what is being done, in one sentence."""
    if not _quiet:
        _say(_notices, escape(text))


def warn(text: str) -> None:
    _say(_notices, f"[yellow]Warning:[/yellow] {escape(text)}")


def show_sentence(text: str) -> None:
    """Print a result that is prose."""
    _say(_results, escape(text))


def _say(stream: Console, markup: str) -> None:
    """Print a line: on a terminal broken between words, elsewhere left whole."""
    stop_waiting()
    stream.print(markup, soft_wrap=not stream.is_terminal)


@contextmanager
def hint_when_interrupted() -> Iterator[None]:
    """Say, where the user stops the block, that the same command resumes it; for work that keeps what is finished."""
    try:
        yield
    except KeyboardInterrupt:
        warn("Stopped: the same command goes on where it stopped.")
        raise


def show_error(error: XrganError) -> None:
    _say(_notices, f"[red]Error:[/red] {escape(error.message)}")
    if error.hint:
        _say(_notices, escape(error.hint))


def show_text(text: str) -> None:
    """Print a result as it stands (YAML, a path, a CSV)."""
    stop_waiting()
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def show_json(content: Any) -> None:
    show_text(json.dumps(content, indent=2, ensure_ascii=False))


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], optional: Sequence[str] = ()
) -> None:
    """Print a table of results; numbers stand right. A narrow terminal gets whole words, and fewer columns.

    Args:
        optional: columns that are left out where there is no room, the first one first.
    """
    stop_waiting()
    cells = [[str(cell) for cell in row] for row in rows]
    # A file or a pipe has no width: rich would assume 80 columns and fold the figures.
    results = _results if _results.is_terminal else Console(file=sys.stdout, width=200, highlight=False, emoji=False)
    if title:  # on a line of its own: as the table's title it would be folded to the table's width
        _say(results, f"[bold]{escape(title)}[/bold]")
    texts = {name: [name, *(row[k] for row in cells)] for k, name in enumerate(columns)}
    left_out = _without_room(texts, optional, results.width)
    shown = {name: texts[name] for name in columns if name not in left_out}
    widths = _widths(shown, results.width)
    table = Table()
    for name, (_, *below) in shown.items():
        numeric = bool(below) and all(map(_is_numeric, below))
        justify = "right" if numeric else "left"
        table.add_column(escape(name), justify=justify, overflow="fold", width=widths.get(name))  # type: ignore[arg-type]
    for row in zip(*(below for _, *below in shown.values()), strict=True):
        table.add_row(*map(escape, row))
    results.print(table)
    if left_out:
        notice(f"No room for {', '.join(left_out)}: a wider terminal, or a file, shows all.")


def _least_width(texts: Sequence[str]) -> int:
    """The width at which a column breaks between words alone, if they aren't very long."""
    return min(LONGEST_WORD, max(len(word) for text in texts for word in text.split() or [""]))


def _room(columns: int, width: int) -> int:
    """What a table of that width leaves for the text of its columns: each has a line and two spaces beside it."""
    return width - 3 * columns - 1


def _without_room(texts: Mapping[str, Sequence[str]], optional: Sequence[str], width: int) -> list[str]:
    """The columns to leave out, so that the others keep their words whole, as far as `optional` allows."""
    least = {name: _least_width(column) for name, column in texts.items()}
    left_out: list[str] = []
    for name in [one for one in optional if one in least]:
        if sum(least.values()) <= _room(len(least), width):
            break
        del least[name]
        left_out.append(name)
    return left_out


def _widths(texts: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """The width of each column, so that words stay whole; none where all fit anyway, or words must be broken."""
    most = {name: max(map(len, column)) for name, column in texts.items()}
    least = {name: _least_width(column) for name, column in texts.items()}
    room = _room(len(texts), width)
    spare = room - sum(least.values())
    wanted = sum(most.values()) - sum(least.values())
    if sum(most.values()) <= room or spare < 0:
        return {}
    return {name: least[name] + spare * (most[name] - least[name]) // wanted for name in texts}


def _is_numeric(cell: str) -> bool:
    begins_so = cell.lstrip("+-−").replace(",", "")[:1].isdigit()
    return cell in {"", "–"} or (begins_so and not re.search("[a-z]{3}", cell))  # "5 pairs; higher than …" is prose


class Bar:
    """A running task: call `advance` as work is done; `describe` puts live figures behind the bar."""

    def __init__(self, description: str, total: float | None, unit: str, progress: Progress | None) -> None:
        self._description, self._total, self._unit = description, total, unit
        self._progress = progress
        self._task = progress.add_task(escape(description), total=total, figures="", end=None) if progress else None
        self._done = 0.0
        self._end: float | None = None
        self._figures = ""
        self._start = self._last_line = time.monotonic()

    def advance(self, count: float = 1) -> None:
        self._done += count
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, count)
        elif not _quiet and time.monotonic() - self._last_line > SECONDS_BETWEEN_PLAIN_LINES:
            self._plain_line()

    def describe(self, figures: str) -> None:
        self._figures = figures
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, figures=figures)

    def end_in(self, seconds: float) -> None:
        """Let the time left be that of a clock, and not of what is still to be done."""
        self._end = time.monotonic() + max(seconds, 0)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, end=self._end)

    def set_total(self, total: float) -> None:
        self._total = total
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=total)

    def finish(self) -> None:
        """Leave one plain line where the work took long enough to be worth one."""
        if self._progress is None and not _quiet and time.monotonic() - self._start > 1:
            self._plain_line()

    def _plain_line(self) -> None:
        self._last_line = time.monotonic()
        seconds = self._last_line - self._start
        rate = self._done / seconds if seconds > 0 else 0.0
        of_total = f"/{_amount(self._total, self._unit)}" if self._total else ""
        left = ""
        if self._end is not None and self._end > self._last_line:
            left = f", {_duration(self._end - self._last_line)} left"
        elif self._total and rate > 0 and self._done < self._total:
            left = f", {_duration((self._total - self._done) / rate)} left"
        figures = f" · {self._figures}" if self._figures else ""
        _notices.print(
            escape(
                f"{self._description}: {_amount(self._done, self._unit)}{of_total} {self._unit}"
                f" ({_amount(rate, self._unit)}/s{left}){figures}"
            ),
            soft_wrap=True,
        )


class _CountColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._unit = unit

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"/{_amount(task.total, self._unit)}"
        return Text(f"{_amount(task.completed, self._unit)}{total} {self._unit}")


class _RateColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__(Column(no_wrap=True))
        self._unit = unit

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or _speed(task)
        return Text(f"{_amount(rate, self._unit)}/s" if rate else "", style="dim")


class _LeftColumn(ProgressColumn):
    """The time left; of what is finished, the time that it took."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))

    def render(self, task: Task) -> Text:
        end, rate = task.fields["end"], _speed(task)
        if task.finished:
            return Text(_duration(task.finished_time or 0), style="dim")
        if end is not None:
            return Text(f"{_duration(max(end - time.monotonic(), 0))} left", style="cyan")
        if task.remaining is None or not rate:
            return Text("")
        return Text(f"{_duration(task.remaining / rate)} left", style="cyan")


class _FiguresColumn(ProgressColumn):
    """Live figures, in what the other columns leave: cut at the end where that is little."""

    def __init__(self) -> None:
        super().__init__(Column(overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        return Text(task.fields["figures"], no_wrap=True, overflow="ellipsis")


def _speed(task: Task) -> float | None:
    """Units a second, lately; since the beginning where a unit takes longer than rich remembers."""
    return task.speed or (task.completed / task.elapsed if task.completed and task.elapsed else None)


@contextmanager
def progress(description: str, total: float | None, unit: str = "images") -> Iterator[Bar]:
    """Show a bar with the count, the rate and the time left while the block runs.

    Args:
        total: how many units there are; None where nobody knows yet.
        unit: the plural name of what is counted; "MB" shows one decimal.
    """
    stop_waiting()
    if _quiet or not _notices.is_terminal:
        bar = Bar(description, total, unit, None)
        yield bar
        bar.finish()
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(24 if _notices.width >= WIDE else 8, table_column=Column(no_wrap=True)),
        _CountColumn(unit),
        _RateColumn(unit),
        _LeftColumn(),
        _FiguresColumn(),
    )
    with Progress(*columns, console=_notices) as live:
        yield Bar(description, total, unit, live)


def track(items: Sequence[Item], description: str, unit: str = "images") -> Iterator[Item]:
    """Iterate over `items` behind a progress bar."""
    with progress(description, len(items), unit) as bar:
        for item in items:
            yield item
            bar.advance()


def _amount(value: float, unit: str) -> str:
    if unit == "MB":
        return f"{value:,.1f}"
    if value == int(value) or value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
