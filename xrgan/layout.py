"""Where the lines of sentences and tables break, and which columns fit: plain text, which console.py prints."""

import re
import textwrap
from collections.abc import Mapping, Sequence

LONGEST_WORD = 40  # characters that a table's column keeps together
GLUE = "\N{NO-BREAK SPACE}"  # textwrap breaks at plain spaces alone
TOGETHER = re.compile(r"(?<=^–) | (?=±)|(?<=±) | (?=…)| (?=%)|(?<=N) (?== \d)|(?<=N =) (?=\d)")
"""The spaces at which no line breaks: in 0.636 ± 0.088, before …, in 80 %, in N = 81, and after a row's "– "."""


def wrapped(text: str, width: int) -> list[str]:
    """Break text into lines of at most `width` characters, between words alone and never within a figure.

    A word (a path) that is longer than a line stands on a line of its own.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        glued = TOGETHER.sub(GLUE, line)
        lines += textwrap.wrap(glued, max(width, 1), break_long_words=False, break_on_hyphens=False) or [""]
    return [line.replace(GLUE, " ") for line in lines]


def first_few(names: Sequence[str], most: int) -> str:
    """Names for a sentence, at most so many: "a, b, c and 4 more"."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def columns_without_room(texts: Mapping[str, Sequence[str]], optional: Sequence[str], width: int) -> list[str]:
    """The columns to leave out of a table, so that the others keep their words whole, as far as `optional` allows.

    Args:
        texts: column → its title and cells.
        optional: columns that may be left out, the first one first.
        width: characters of the terminal.
    """
    least = {name: _least_width(column) for name, column in texts.items()}
    left_out: list[str] = []
    for name in [one for one in optional if one in least]:
        if sum(least.values()) <= _room(len(least), width):
            break
        del least[name]
        left_out.append(name)
    return left_out


def column_widths(texts: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """The width of each column, so that words stay whole; none where all fit anyway, or words must be broken.

    Args:
        texts: column → its title and cells.
        width: characters of the terminal.
    """
    most = {name: max(map(len, column)) for name, column in texts.items()}
    least = {name: _least_width(column) for name, column in texts.items()}
    room = _room(len(texts), width)
    spare = room - sum(least.values())
    wanted = sum(most.values()) - sum(least.values())
    if sum(most.values()) <= room or spare < 0:
        return {}
    return {name: least[name] + spare * (most[name] - least[name]) // wanted for name in texts}


def _least_width(texts: Sequence[str]) -> int:
    """The width at which a column breaks between words alone, if they aren't very long."""
    words = (word for text in texts for word in TOGETHER.sub(GLUE, text).split(" "))
    return min(LONGEST_WORD, max(map(len, words), default=0))


def _room(columns: int, width: int) -> int:
    """What a table of that width leaves for the text of its columns: each has a line and two spaces beside it."""
    return width - 3 * columns - 1
