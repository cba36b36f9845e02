"""A file that holds a table → its cells, whatever its encoding, its separator and its kind: CSV, text or JSON."""

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from charset_normalizer import from_bytes

from xrgan.data.tables.cells import clean
from xrgan.data.tables.json_tables import read_json
from xrgan.errors import XrganError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", r"\s+": "spaces", "": "JSON"}
TRIED_LINES = 200  # by which the separator is found out
# Where a text is no UTF-8: those that tell themselves apart. Each of the others would read as one of these, too.
ENCODINGS = ["cp1252", "cp1251", "shift_jis", "gb18030", "big5", "euc_kr"]
UTF_16 = ["utf_16", "utf_16_le", "utf_16_be"]  # the only ones that hold bytes of 0
SAMPLE = 200_000  # bytes from the first one that isn't ASCII, by which the encoding is found out
SPELT = {"utf_8": "UTF-8", "utf_16": "UTF-16", "utf_16_le": "UTF-16", "utf_16_be": "UTF-16"}
FOREIGN = re.compile(rb"[\x80-\xff]+")
Row = list[str]


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file.

    Attributes:
        cells: all str without blanks around them, "" where nothing is known; the columns by their names, or by their
            numbers ("1" …) where the table has no header.
        encoding: of the file, as a reader would spell it.
        separator: one of SEPARATORS.
    """

    file: Path
    cells: pd.DataFrame
    encoding: str = "UTF-8"
    separator: str = ","

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.cells.columns)


def read_table(file: Path, names_image: Callable[[str], bool] = lambda _: False) -> Table:
    """Read a table; encoding and separator are found out.

    Args:
        file: CSV, TSV, text or JSON, as it is or compressed by gzip.
        names_image: whether a cell names one of the images. A first row that does is no header.

    Raises:
        XrganError: the file isn't there, or holds no table.
    """
    text, encoding = _decode(file, _read_bytes(file))
    if not text.strip():
        raise XrganError(f"{file} is empty: it can't be read as CSV.")
    if text.lstrip().startswith(("{", "[")):
        return Table(file, read_json(file, text), encoding, "")
    text = _without_comments(text)
    separator = find_separator(text)
    rows = _without_title(_parse(file, text, separator))
    first, second = (rows.iloc[k] for k in (0, min(1, len(rows) - 1)))
    header = not (any(map(names_image, first)) and any(map(names_image, second)))
    if header:
        _refuse_cells_beyond(file, rows)
        rows = rows.set_axis(_unique_names(rows.iloc[0].tolist()), axis=1).iloc[1:]
        rows = rows.loc[:, [bool(name) for name in rows]]
    else:
        rows = rows.set_axis([str(number) for number in range(1, rows.shape[1] + 1)], axis=1)
    return Table(file, rows.map(clean).reset_index(drop=True), encoding, separator)


def find_separator(text: str) -> str:
    """The separator by which most of the first lines have as many cells as the first one: one of SEPARATORS.

    csv.Sniffer and pandas' sep=None look at one line or at frequent letters, and take `e` for one. Of equals, that
    which gives more columns is right; spaces count only where nothing else separates.
    """
    lines = text.splitlines()[:TRIED_LINES]
    best, found = (0.5, 1), ","
    for separator in SEPARATORS:
        if len(separator) == 1:
            share, columns = _regularity(list(csv.reader(lines, delimiter=separator, skipinitialspace=True)))
            if columns > 1 and (share, columns) > best:
                best, found = (share, columns), separator
    if best == (0.5, 1) and _regularity([line.split() for line in lines])[1] > 1:
        share, _ = _regularity([line.split() for line in lines])
        return r"\s+" if share > 0.5 else found
    return found


def _regularity(rows: list[Row]) -> tuple[float, int]:
    """The share of rows that fill the first one's columns, and not more; and how many columns those are."""
    rows = [row for row in rows if any(row)]
    if not rows:
        return 0.0, 0
    columns = len(rows[0])
    return sum(len(row) >= columns and not any(row[columns:]) for row in rows) / len(rows), columns


def _read_bytes(file: Path) -> bytes:
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise XrganError(f"{file} can't be read: {reason}.") from error


def _decode(file: Path, content: bytes) -> tuple[str, str]:
    """The text and its encoding. UTF-8 is tried first: no other text passes for it by chance."""
    if content.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0", b"PAR1", b"%PDF")):
        raise XrganError(f"{file} is no text: xrgan reads CSV, TSV, text and JSON.", "Save it as CSV.")
    try:
        if b"\0" not in content:
            return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    encoding = "cp1252"
    if b"\0" in content or _has_foreign_words(content):
        start = 0 if b"\0" in content else max(_first_foreign(content) - 100, 0)
        known = UTF_16 if b"\0" in content else ENCODINGS
        best = from_bytes(content[start : start + SAMPLE], cp_isolation=known).best()
        encoding = best.encoding if best else encoding
    if b"\0" in content and not encoding.startswith("utf_16"):
        raise XrganError(f"{file} is no text: xrgan reads CSV, TSV, text and JSON.", "Save it as CSV.")
    return content.decode(encoding, errors="replace").lstrip("\ufeff"), SPELT.get(encoding, encoding)


def _first_foreign(content: bytes) -> int:
    found = FOREIGN.search(content)
    return found.start() if found else 0


def _has_foreign_words(content: bytes) -> bool:
    """Whether most bytes that aren't ASCII stand beside one another: in Western words, letters with accents don't.

    Of a word or two, an encoding can't be told by their letters: `ía` is a Chinese character, too.
    """
    start = _first_foreign(content)
    runs = FOREIGN.findall(content[start : start + SAMPLE])
    return sum(len(run) for run in runs if len(run) > 1) > sum(len(run) == 1 for run in runs)


def _without_comments(text: str) -> str:
    """The text without lines at its top that are empty or begin with #."""
    lines = text.splitlines(keepends=True)
    while len(lines) > 1 and (not lines[0].strip() or lines[0].startswith("#")):
        del lines[0]
    return "".join(lines)


def _parse(file: Path, text: str, separator: str) -> pd.DataFrame:
    """The rows, the first one included, all str; rows that are too short end in empty cells."""
    lines = io.StringIO(text, newline="")
    rows = (line.split() for line in lines) if separator == r"\s+" else csv.reader(lines, delimiter=separator)
    try:
        columns = max(map(len, rows), default=0)
        parsed = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=separator,
            header=None,
            names=range(columns),
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except (csv.Error, ValueError) as error:
        raise XrganError(f"{file} can't be read as CSV separated by {SEPARATORS[separator]}: {error}.") from error
    return parsed.fillna("")


def _without_title(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows without those at the top that fill one cell, where the next fills several: an office program's title."""
    filled = rows.astype(bool).sum(axis=1)
    titles = int(filled.le(1).cumprod().sum())
    return rows.iloc[titles:].reset_index(drop=True) if titles < len(rows) else rows


def _refuse_cells_beyond(file: Path, rows: pd.DataFrame) -> None:
    """Refuse rows that go on, not only in empty cells, where the header has ended."""
    named = [place for place, name in enumerate(rows.iloc[0]) if name.strip()]
    beyond = rows.iloc[:, max(named, default=-1) + 1 :]
    if any(str(cell).strip() for cell in beyond.to_numpy().ravel()):
        raise XrganError(f"{file} has rows with more cells than its header.", "Quote the cells that hold commas.")


def _unique_names(header: Row) -> list[str]:
    """The names of the columns; a second one of a name gets a number behind it, and "" stays without a name."""
    names: list[str] = []
    for name in map(str.strip, header):
        names.append(name if not name or name not in names else f"{name} {header.count(name)}")
    return names
