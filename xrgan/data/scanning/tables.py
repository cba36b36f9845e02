"""Any table that somebody made: which separator, which encoding, which column is what, and whose each row is."""

import ast
import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import pandas as pd

from xrgan import console
from xrgan.data.scanning.folder_names import split_of
from xrgan.errors import XrganError

SEPARATORS = ",;\t|"
UNKNOWN = {"", "nan", "null", "<na>", "n/a", "#n/a", "nat"}  # cells that say nothing, in lower case
NOBODY = UNKNOWN | {
    "none",
    "unknown",
    "anonymous",
    "anon",
    "anonymized",
    "anonymised",
    "?",
    "-",
    "xxx",
}  # no patient either
YES = {"1", "1.0", "true", "yes", "y", "positive", "present"}
NO = {"0", "0.0", "false", "no", "n", "negative", "absent"}
UNCERTAIN = {"-1", "-1.0", "uncertain"}
NO_FINDING = "No Finding"
LIST_CELL = ("[", "(")


@dataclass(frozen=True)
class Columns:
    """Which column of a table says what; "" = none does."""

    file: str = ""
    labels: tuple[str, ...] = ()
    patient: str = ""
    split: str = ""
    view: str = ""
    mask: str = ""


def read_table(file: Path) -> pd.DataFrame:
    """Read any table as text: separator and encoding are found out, cells that say nothing become "".

    Raises:
        XrganError: it is no table that can be read.
    """
    text = decode(file)
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]
    body = "".join(lines)
    separator = separator_of(body)
    try:
        found = pd.read_csv(io.StringIO(body), sep=separator, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (ValueError, csv.Error) as error:
        raise XrganError(f"{file} can't be read as CSV: {' '.join(str(error).split())}.") from error
    if not isinstance(found.index, pd.RangeIndex):  # pandas then takes the first column for names of rows
        if not _is_empty(found.iloc[:, -1]):
            raise XrganError(f"{file} has rows with more cells than its header.", "Quote the cells that hold commas.")
        found = found.reset_index().set_axis([*found.columns, ""], axis="columns")  # each line ends in a separator
    found.columns = [str(column).strip() for column in found.columns]
    return found.apply(lambda column: _cleaned(column))


def decode(file: Path) -> str:
    """The text of a file in UTF-8, UTF-16 or, where it is neither, Windows' Western code page.

    Raises:
        XrganError: it can't be read, or is no text.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise XrganError(f"{file} can't be read: {error.strerror or error}.") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise XrganError(f"{file} can't be read as CSV: it is no text.", "Save it as CSV in UTF-8.")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise AssertionError("Latin-1 takes every byte")


def is_utf8(file: Path) -> bool:
    """Whether a text is in UTF-8, or says with its first bytes that it is in UTF-16."""
    content = file.read_bytes()
    try:
        content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8")
    except UnicodeDecodeError:
        return False
    return True


def separator_of(text: str) -> str:
    """The separator of a table: what parts its header and as many cells of its next lines."""
    lines = [line for line in text.splitlines() if line.strip()][:20]
    counts = {mark: [len(next(csv.reader([line], delimiter=mark))) for line in lines] for mark in SEPARATORS}
    agreeing = {mark: (of[0] if of and of.count(of[0]) * 2 > len(of) else 1) for mark, of in counts.items()}
    return max(SEPARATORS, key=lambda mark: agreeing[mark])


class Finder:
    """Finds the images that the cells of a table name: by path, its last parts, name or stem, of any system."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files: dict[str, str] = {}
        self._ends: dict[str, set[str]] = defaultdict(set)
        for file in files:
            self._files[file] = file
            parts = PurePosixPath(file).parts
            for k in range(len(parts)):
                self._ends["/".join(parts[k:]).lower()].add(file)
            self._ends[_stem(parts[-1]).lower()].add(file)
            self._ends[PurePosixPath(file).with_suffix("").as_posix().lower()].add(file)

    def find(self, cell: str) -> str:
        """The one image that a cell names; "" = none, or more than one."""
        if cell in self._files:
            return cell
        parts = [part for part in _parts(cell) if part not in {".", ""}]
        for k in range(len(parts)):
            end = "/".join(parts[k:]).lower()
            for name in (end, _without_image_ending(end)):
                if len(found := self._ends.get(name, set())) == 1:
                    return next(iter(found))
        return ""


def find_file_column(rows: pd.DataFrame, finder: Finder) -> str:
    """The column that names most images; "" = none names any."""
    some = rows.head(200)
    hits = {column: sum(bool(finder.find(cell)) for cell in some[column] if cell) for column in rows}
    best = max(hits, key=lambda column: hits[column], default="")
    return str(best) if best != "" and hits[best] else ""


def labels_of(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """The label of each row, findings joined by `|`.

    One column: its cell, a list in it as its parts. Several: the names of those that say yes (1); `uncertain X` where
    one says −1; No Finding where all say no (0).
    """
    if len(columns) == 1 and not is_yes_or_no(rows[columns[0]]):
        return [_findings(cell) for cell in rows[columns[0]]]
    if not all(is_yes_or_no(rows[column]) for column in columns):
        return ["|".join(dict.fromkeys(_findings(cell) for cell in cells if cell)) for cells in _cells(rows, columns)]
    if len(columns) == 1:
        return [_number(cell) for cell in rows[columns[0]]]
    labels = []
    for cells in _cells(rows, columns):
        said = [cell.lower() for cell in cells]
        found = [column for column, cell in zip(columns, said, strict=True) if cell in YES]
        found += [f"uncertain {column}" for column, cell in zip(columns, said, strict=True) if cell in UNCERTAIN]
        labels.append("|".join(found) or (NO_FINDING if all(cell in NO for cell in said) else ""))
    return labels


def splits_of(cells: Iterable[str], file: Path) -> list[str]:
    """train, val, test or "" of each cell.

    Raises:
        XrganError: a cell names no split.
    """
    splits = []
    for cell in cells:
        split = split_of(cell) if cell and cell.lower() != "holdout" else ""
        if cell and not split:
            raise XrganError(f"{file} names a split {cell!r}.", "The splits are train, val and test.")
        splits.append(split)
    return splits


def patients_of(cells: Iterable[str]) -> list[str]:
    """The patient of each cell; "" where it names nobody."""
    return ["" if cell.lower() in NOBODY else _number(cell) for cell in cells]


def one_spelling(labels: Sequence[str], file: Path) -> list[str]:
    """Labels that differ in capitals or blanks alone are one: the spelling that most images have."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        spellings[" ".join(label.lower().split())][label] += 1
    usual = {key: of.most_common(1)[0][0] for key, of in spellings.items()}
    merged = {label for of in spellings.values() if len(of) > 1 for label in of}
    if merged:
        console.notice(f"{file.name}: {', '.join(sorted(map(repr, merged)))} are taken for one label each.")
    return [usual[" ".join(label.lower().split())] for label in labels]


def merge_rows(rows: pd.DataFrame, file: Path) -> pd.DataFrame:
    """One row per image: of several (a row per finding, reader or box) the findings are joined.

    Raises:
        XrganError: they name different patients or splits.
    """
    if not rows["file"].duplicated().any():
        return rows
    for column in ("patient", "split"):
        several = rows[rows[column] != ""].groupby("file")[column].nunique()
        if (several > 1).any():
            raise XrganError(f"{file} names several of {column} for {several[several > 1].index[0]}.", "Keep one.")
    merged = rows.groupby("file", sort=False, as_index=False).agg(
        {column: _joined if column in {"label", "mask"} else _first_known for column in rows if column != "file"}
    )
    different = int((rows.groupby("file", sort=False)["label"].nunique() > 1).sum())
    if different:
        console.notice(f"{file.name} has several labels for {different:,} images: they are joined by |.")
    return merged[list(rows.columns)]


def _joined(cells: pd.Series) -> str:
    return "|".join(dict.fromkeys(part for cell in cells for part in cell.split("|") if part))


def _first_known(cells: pd.Series) -> str:
    return next((cell for cell in cells if cell), "")


def _cells(rows: pd.DataFrame, columns: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return rows[list(columns)].itertuples(index=False, name=None)


def is_yes_or_no(column: pd.Series) -> bool:
    """Whether a column says nothing but yes, no and uncertain."""
    said = {cell.lower() for cell in column.unique()} - {""}
    return bool(said) and said <= YES | NO | UNCERTAIN


def _findings(cell: str) -> str:
    """A list in a cell, as Python writes it or parted by `|` or `;`: its parts joined by `|`."""
    if cell.startswith(LIST_CELL):
        try:
            parts = ast.literal_eval(cell)
            return "|".join(dict.fromkeys(text for part in parts if (text := str(part).strip())))
        except (ValueError, SyntaxError, TypeError):
            pass
    if "|" in cell or ";" in cell:
        return "|".join(dict.fromkeys(part.strip() for part in cell.replace(";", "|").split("|") if part.strip()))
    return _number(cell)


def _number(cell: str) -> str:
    """`3.0` is 3: spreadsheets write whole numbers so where a cell of the column is empty."""
    return cell[:-2] if cell.endswith(".0") and cell[:-2].isdigit() else cell


def _cleaned(column: pd.Series) -> pd.Series:
    stripped = column.astype(str).str.strip()
    return stripped.where(~stripped.str.lower().isin(UNKNOWN), "")


def _is_empty(column: pd.Series) -> bool:
    return bool(column.isna().all() or (column.astype(str).str.strip().isin({"", "nan"})).all())


def _parts(cell: str) -> tuple[str, ...]:
    return PureWindowsPath(cell).parts if "\\" in cell or cell[1:3] == ":/" else PurePosixPath(cell).parts


def _stem(name: str) -> str:
    return PurePosixPath(name).stem


def _without_image_ending(path: str) -> str:
    from xrgan.data.reading.kinds import EXTENSIONS

    suffix = PurePosixPath(path).suffix
    return path[: -len(suffix)] if suffix in EXTENSIONS | {".dcm", ".dicom", ".img"} else path
