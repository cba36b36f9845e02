"""What the user sees: progress bars, tables and notices. No other module prints.

Results go to stdout, so that they can be piped; bars and notices go to stderr. Where stderr is no terminal,
a bar becomes a plain line now and then.
"""

import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from xrgan.errors import XrganError

SECONDS_BETWEEN_PLAIN_LINES = 10.0
Item = TypeVar("Item")

_notices = Console(stderr=True, highlight=False, emoji=False)
_results = Console(highlight=False, emoji=False)
_quiet = False


def configure(quiet: bool) -> None:
    """Choose what is shown, once per command: `quiet` hides notices and bars, and leaves results and warnings."""
    global _quiet, _notices, _results
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


def notice(text: str) -> None:
    """Say what is being done, in one sentence."""
    if not _quiet:
        _notices.print(escape(text), soft_wrap=True)


def warn(text: str) -> None:
    _notices.print(f"[yellow]Warning:[/yellow] {escape(text)}", soft_wrap=True)


@contextmanager
def hint_when_interrupted() -> Iterator[None]:
    """Say, where the user stops the block, that the same command resumes it; for work that keeps what is finished."""
    try:
        yield
    except KeyboardInterrupt:
        warn("Stopped: the same command goes on where it stopped.")
        raise


def show_error(error: XrganError) -> None:
    _notices.print(f"[red]Error:[/red] {escape(error.message)}", soft_wrap=True)
    if error.hint:
        _notices.print(escape(error.hint), soft_wrap=True)


def show_text(text: str) -> None:
    """Print a result as it stands (YAML, a path, a CSV)."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def show_json(content: Any) -> None:
    show_text(json.dumps(content, indent=2, ensure_ascii=False))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table of results; numbers stand right."""
    cells = [[str(cell) for cell in row] for row in rows]
    table = Table()
    for index, column in enumerate(columns):
        numeric = bool(cells) and all(_is_numeric(row[index]) for row in cells)
        table.add_column(escape(column), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(escape(cell) for cell in row))
    # A file or a pipe has no width: rich would assume 80 columns and fold the figures.
    results = _results if _results.is_terminal else Console(file=sys.stdout, width=200, highlight=False, emoji=False)
    if title:  # on a line of its own: as the table's title it would be folded to the table's width
        results.print(f"[bold]{escape(title)}[/bold]", soft_wrap=True)
    results.print(table)


def _is_numeric(cell: str) -> bool:
    return cell in {"", "–"} or cell.lstrip("+-−").replace(",", "")[:1].isdigit()


class Bar:
    """A running task: call `advance` as work is done; `describe` puts live figures behind the bar."""

    def __init__(self, description: str, total: float | None, unit: str, progress: Progress | None) -> None:
        self._description, self._total, self._unit = description, total, unit
        self._progress = progress
        self._task = progress.add_task(escape(description), total=total, figures="") if progress else None
        self._done = 0.0
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
            self._progress.update(self._task, figures=escape(figures))

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
        if self._total and rate > 0 and self._done < self._total:
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
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"/{_amount(task.total, self._unit)}"
        return Text(f"{_amount(task.completed, self._unit)}{total} {self._unit}")


class _RateColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        rate = task.finished_speed or task.speed
        return Text(f"{_amount(rate, self._unit)}/s" if rate else "", style="dim")


@contextmanager
def progress(description: str, total: float | None, unit: str = "images") -> Iterator[Bar]:
    """Show a bar with the count, the rate and the time left while the block runs.

    Args:
        total: how many units there are; None where nobody knows yet.
        unit: the plural name of what is counted; "MB" shows one decimal.
    """
    if _quiet or not _notices.is_terminal:
        bar = Bar(description, total, unit, None)
        yield bar
        bar.finish()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        _CountColumn(unit),
        _RateColumn(unit),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[figures]}"),
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
