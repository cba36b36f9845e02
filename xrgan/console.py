"""What the user sees: progress bars, tables and notices. No other module prints.

Results go to stdout, so that they can be piped; bars and notices go to stderr. Where stderr is no terminal,
a bar becomes a plain line now and then.
"""

import io
import json
import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.status import Status
from rich.table import Column, Table
from rich.text import Text

from xrgan import layout
from xrgan.errors import XrganError

SECONDS_BETWEEN_PLAIN_LINES = 10.0
WIDE = 100  # columns of a terminal with room for a long bar
SECONDS_OF_SILENCE = 1.0  # before a plain line says what is waited for, where there is no terminal
AT_WORK = "Working"  # what a terminal says where nothing else does
Item = TypeVar("Item")

_notices = Console(stderr=True, highlight=False, emoji=False)
_results = Console(highlight=False, emoji=False)
_quiet = False
_mute = False
_waiting: Status | None = None
_silence: threading.Timer | None = None


def configure(quiet: bool, mute: bool = False) -> None:
    """Choose what is shown, once per command.

    Args:
        quiet: hides notices and bars, and leaves results and warnings.
        mute: hides all but errors: another process says the same.
    """
    global _quiet, _mute, _notices, _results
    stop_waiting()
    _quiet, _mute = quiet or mute, mute
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
    """Show what the user waits for while nothing else is said: there is no silence while torch loads.

    On a terminal it stands below what is said next, until a result is shown; elsewhere it becomes a plain line,
    where nothing is said for a second.
    """
    global _waiting, _silence
    stop_waiting()
    if _quiet:
        return
    if _notices.is_terminal:
        _waiting = _notices.status(f"{escape(text)} …")
        _waiting.start()
    else:
        _silence = threading.Timer(SECONDS_OF_SILENCE, _notices.print, [escape(f"{text} …")], {"soft_wrap": True})
        _silence.daemon = True
        _silence.start()


def stop_waiting() -> None:
    """Take away what `waiting` shows."""
    global _waiting, _silence
    if _waiting is not None:
        _waiting.stop()
        _waiting = None
    if _silence is not None:
        _silence.cancel()
        _silence = None


def notice(text: str) -> None:
    """Say what is being done, in one sentence."""
    if not _quiet:
        _say(_notices, text)


def warn(text: str) -> None:
    if not _mute:
        _say(_notices, text, "Warning: ", "yellow")


def show_sentence(text: str) -> None:
    """Print a result that is prose."""
    if not _mute:
        _say(_results, text)


def _say(stream: Console, text: str, prefix: str = "", style: str = "") -> None:
    """Print a line: on a terminal broken between words, elsewhere left whole.

    Args:
        prefix: stands before the text, in that style.
    """
    goes_on = _waiting is not None and stream is _notices
    if not goes_on:
        stop_waiting()
    if _silence is not None:
        _silence.cancel()
    said = prefix + text
    line = Text("\n".join(layout.wrapped(said, stream.width)) if stream.is_terminal else said)
    line.stylize(style, 0, len(prefix))
    stream.print(line, soft_wrap=True)
    if goes_on and _waiting is not None:
        _waiting.update(f"{AT_WORK} …")


@contextmanager
def hint_when_interrupted() -> Iterator[None]:
    """Say, where the user stops the block, that the same command resumes it; for work that keeps what is finished."""
    try:
        yield
    except KeyboardInterrupt:
        warn("Stopped: the same command goes on where it stopped.")
        raise


def show_error(error: XrganError) -> None:
    stop_waiting()
    _say(_notices, error.message, "Error: ", "red")
    if error.hint:
        _say(_notices, error.hint)


def show_text(text: str) -> None:
    """Print a result as it stands (YAML, a path, a CSV)."""
    stop_waiting()
    if _mute:
        return
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def show_json(content: Any) -> None:
    """Print a result for programs; what is no finite number is null, since JSON has no NaN."""
    show_text(json.dumps(_finite(content), indent=2, ensure_ascii=False))


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    return [_finite(value) for value in content] if isinstance(content, list | tuple) else content


def show_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], optional: Sequence[str] = ()
) -> None:
    """Print a table of results; numbers stand right. A narrow terminal gets whole words, and fewer columns.

    Args:
        columns: their titles, each another one.
        optional: columns that are left out where there is no room, the first one first.
    """
    assert len(set(columns)) == len(columns), columns
    stop_waiting()
    if _mute:
        return
    cells = [[str(cell) for cell in row] for row in rows]
    # A file or a pipe has no width: rich would assume 80 columns and fold the figures.
    results = _results if _results.is_terminal else Console(file=sys.stdout, width=200, highlight=False, emoji=False)
    if title:  # on a line of its own: as the table's title it would be folded to the table's width
        _say(results, "", title, "bold")
    texts = {name: [name, *(row[k] for row in cells)] for k, name in enumerate(columns)}
    left_out = layout.columns_without_room(texts, optional, results.width)
    shown = {name: texts[name] for name in columns if name not in left_out}
    widths = layout.column_widths(shown, results.width)
    table = Table()
    for name, (_, *below) in shown.items():
        numeric = bool(below) and all(map(_is_numeric, below))
        justify = "right" if numeric else "left"
        width = widths.get(name)
        table.add_column(Text(_broken(name, width)), justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for row in zip(*(below for _, *below in shown.values()), strict=True):
        table.add_row(*(Text(_broken(cell, widths.get(name))) for name, cell in zip(shown, row, strict=True)))
    results.print(table)
    if left_out:
        notice(f"No room for {', '.join(left_out)}: a wider terminal, or a file, shows all.")


def _broken(cell: str, width: int | None) -> str:
    """A cell in lines that fit its column; as it is where that has no width of its own."""
    return cell if width is None else "\n".join(layout.wrapped(cell, width))


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
        self._done_by_then = 0.0  # when the last line was written

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

    def leave_out(self, since: float) -> None:
        """Leave the time since a moment of `time.monotonic()` out of the next line's rate: something else was done."""
        self._last_line += time.monotonic() - max(since, self._last_line)

    def set_total(self, total: float) -> None:
        self._total = total
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=total)

    def finish(self) -> None:
        """Leave one plain line where the work took long enough to be worth one."""
        if self._progress is None and not _quiet and time.monotonic() - self._start > 1:
            self._plain_line(overall=True)

    def _plain_line(self, overall: bool = False) -> None:
        """Write a line, with the rate since the one before (the first units are often slow ones), or overall."""
        before, self._last_line = self._last_line, time.monotonic()
        done = self._done - self._done_by_then
        if overall or not done:
            before, done = self._start, self._done
        self._done_by_then = self._done
        seconds = self._last_line - before
        rate = done / seconds if seconds > 0 else 0.0
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
    """The time left, which runs down between two steps, too; before the first one, and of what is finished, the time
    that it took.
    """

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))
        self._completed, self._since = 0.0, time.monotonic()  # what was done when, last

    def render(self, task: Task) -> Text:
        end, now = task.fields["end"], time.monotonic()
        if task.completed != self._completed:
            self._completed, self._since = task.completed, now
        since = now - self._since
        rate = _speed(task, since)
        if task.finished:
            return Text(_duration(task.finished_time or 0), style="dim")
        if end is not None:
            return Text(f"{_duration(max(end - now, 0))} left", style="cyan")
        if task.remaining is None or not rate:
            elapsed = task.elapsed or 0
            return Text(_duration(elapsed) if elapsed >= SECONDS_OF_SILENCE else "", style="dim")
        return Text(f"{_duration(max(task.remaining / rate - since, 0))} left", style="cyan")


class _FiguresColumn(ProgressColumn):
    """Live figures, in what the other columns leave: cut at the end where that is little."""

    def __init__(self) -> None:
        super().__init__(Column(overflow="ellipsis"))

    def render(self, task: Task) -> Text:
        return Text(task.fields["figures"], no_wrap=True, overflow="ellipsis")


def _speed(task: Task, since: float = 0) -> float | None:
    """Units a second, lately; since the beginning where a unit takes longer than rich remembers.

    Args:
        since: seconds after the last unit, which belong to the next one.
    """
    if task.speed:
        return task.speed
    elapsed = (task.elapsed or 0) - since
    return task.completed / elapsed if task.completed and elapsed > 0 else None


@contextmanager
def progress(description: str, total: float | None, unit: str = "images") -> Iterator[Bar]:
    """Show a bar with the count, the rate and the time left while the block runs.

    Args:
        total: how many units there are; None where nobody knows yet.
        unit: the plural name of what is counted; "MB" shows one decimal.
    """
    works_on = _waiting is not None
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
    if works_on:
        waiting(AT_WORK)


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
