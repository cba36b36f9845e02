"""Which column of a table says what: as the flags name it, else by usual names, where only one column has one."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from xrgan.config import AUTO, NONE, PrepareConfig
from xrgan.data.tables.cells import are_marks, sex_of, split_of
from xrgan.data.tables.matching import Files
from xrgan.data.tables.reading import Table
from xrgan.errors import XrganError
from xrgan.layout import first_few

# In lower case, without blanks and signs.
USUAL = {
    "label": {
        *("label", "labels", "class", "classname", "category", "diagnosis", "dx", "finding", "findings", "target"),
        *("findinglabel", "findinglabels", "pathology", "disease"),
    },
    "patient": {"patient", "patientid", "pid", "subject", "subjectid", "patientnumber"},
    "split": {"split", "set", "subset", "partition", "dataset"},
    "view": {"view", "viewposition", "projection", "appa", "frontallateral"},
    "mask": {"mask", "masks", "maskfile", "maskpath", "maskfilename"},
    "sex": {"sex", "gender", "patientsex", "patientgender"},
    "age": {"age", "patientage", "ageyears", "ageinyears"},
}
# What every cell of a column must be that is taken by its name alone.
CAN_BE: dict[str, Callable[[str], object]] = {"split": split_of, "sex": lambda cell: sex_of(cell) in {"F", "M"}}
USUAL_FILE = ("file", "filename", "path", "filepath", "image", "imagepath", "imagefile", "imagename", "imageid")
ROLES = ("patient", "split", "view", "mask", "sex", "age")
ENOUGH = 0.5  # of a column's cells that name images: it is the column of files
SAMPLE = 2000  # rows by which the column of files is found
MOST_NAMED = 30  # columns that a message lists


@dataclass(frozen=True)
class Columns:
    """The names of a table's columns by what they say; "" = no column says it."""

    file: str
    label: tuple[str, ...] = ()
    patient: str = ""
    split: str = ""
    view: str = ""
    mask: str = ""
    sex: str = ""
    age: str = ""

    def named(self) -> dict[str, str | list[str]]:
        """What is said by a column → its name, or names."""
        several = {"label": self.label[0] if len(self.label) == 1 else list(self.label)} if self.label else {}
        return {"file": self.file, **several, **{role: getattr(self, role) for role in ROLES if getattr(self, role)}}

    def flags(self) -> str:
        """The flags that name these columns, as a user would type them."""
        typed = [f"--file-column {_quoted(self.file)}"]
        typed += [f"--label-column {_quoted(','.join(self.label))}"] if self.label else []
        typed += [f"--{role}-column {_quoted(getattr(self, role))}" for role in ROLES if getattr(self, role)]
        return " ".join(typed)


def choose_columns(table: Table, config: PrepareConfig, files: Files, needed: bool = True) -> Columns:
    """Say which column is which.

    Args:
        needed: whether a column that a flag names must be there; of several tables one may lack it.

    Raises:
        XrganError: a column isn't there, or none can be told to name the files.
    """
    find = _Finder(table, needed)
    file = find(config.file_column, "file") or find_file_column(table, files)
    if not file:
        raise XrganError(
            f"No column of {table.file} names images that are here.",
            f"Name it with --file-column; the columns are {listed(table.columns)}.",
        )
    taken = {file}
    if config.label_column == (AUTO,):
        labels = [guess(table, "label", taken)]
    else:
        labels = [find(name, "label") for name in config.label_column]
    taken |= set(labels)
    asked = {role: str(getattr(config, f"{role}_column")) for role in ROLES}
    found = {role: guess(table, role, taken) if name == AUTO else find(name, role) for role, name in asked.items()}
    return Columns(file, tuple(label for label in labels if label), **found)


def guess(table: Table, role: str, taken: set[str]) -> str:
    """The only column that is usually called so; "" where there is none, or a choice."""
    usual = [column for column in table.columns if plain(column) in USUAL[role] and column not in taken]
    if len(usual) != 1:
        return ""
    cells = [cell for cell in table.cells[usual[0]].unique() if cell]
    return usual[0] if cells and all(map(CAN_BE.get(role, bool), cells)) else ""


def unusable_columns(table: Table, config: PrepareConfig) -> list[str]:
    """Say of columns with usual names that they hold something else, so that nobody waits for them: a sentence each."""
    sentences = []
    for role, can_be in CAN_BE.items():
        usual = [column for column in table.columns if plain(column) in USUAL[role]]
        if len(usual) != 1 or getattr(config, f"{role}_column") != AUTO:
            continue
        strange = next((cell for cell in table.cells[usual[0]].unique() if cell and not can_be(cell)), "")
        if strange:
            sentences.append(f"{table.file.name}: its column {usual[0]} is not used, since {strange!r} is no {role}.")
    return sentences


def find_file_column(table: Table, files: Files) -> str:
    """The column most of whose cells name images; of equals the one with a usual name; "" where there is none."""
    found: dict[str, tuple[int, float, int]] = {}
    for column in table.columns:
        cells = [cell for cell in table.cells[column].drop_duplicates().head(SAMPLE) if cell]
        matches = files.match(cells)
        named = len(matches.file_of) + len(matches.several)
        usual = USUAL_FILE.index(plain(column)) if plain(column) in USUAL_FILE else len(USUAL_FILE)
        if cells and named >= (ENOUGH * len(cells) if usual == len(USUAL_FILE) else 1):
            found[column] = (len(matches.file_of), named / len(cells), -usual)
    return max(found, key=lambda column: found[column], default="")


def likely_columns(table: Table, files: Files) -> Columns:
    """The columns as `choose_columns` takes them; where it takes no labels, what most likely are some.

    Raises:
        XrganError: no column names images.
    """
    columns = choose_columns(table, PrepareConfig(), files)
    if columns.label:
        return columns
    others = [column for column in table.columns if column not in columns.named().values()]
    findings = [column for column in others if are_marks(table.cells[column].tolist())]
    likely = [column for column in others if any(word in plain(column) for word in USUAL["label"])]
    return replace(columns, label=tuple(findings if len(findings) > 1 else likely[:1]))


def plain(column: str) -> str:
    """A column's name in lower case, letters and digits alone: `Patient ID` is patientid."""
    return re.sub(r"[^a-z0-9]", "", column.lower())


def listed(columns: Sequence[str]) -> str:
    """The columns for a sentence."""
    return first_few(columns, MOST_NAMED)


class _Finder:
    """Finds a column that a flag names, whatever its capitals and the blanks around it."""

    def __init__(self, table: Table, needed: bool) -> None:
        self._table, self._needed = table, needed
        self._by_lower: Mapping[str, str] = {column.strip().lower(): column for column in table.columns}

    def __call__(self, name: str, role: str) -> str:
        """The column of that name; "" where none is asked for.

        Raises:
            XrganError: it is not there.
        """
        if not name or name.lower() in {AUTO, NONE}:
            return ""
        if name in self._table.columns:
            return name
        found = self._by_lower.get(name.strip().lower(), "")
        if not found and self._needed:
            near = difflib.get_close_matches(name, self._table.columns, n=1, cutoff=0.6)
            guessed = f"Did you mean --{role}-column {_quoted(near[0])}? " if near else ""
            raise XrganError(
                f"{self._table.file} has no column {name!r}.",
                f"{guessed}The columns are {listed(self._table.columns)}.",
            )
        return found


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w.,/+-]+", text) else f"'{text}'"
