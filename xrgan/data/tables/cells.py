"""What a cell of a table means: nothing, a list, yes or no, a split, a sex, an age."""

import ast
import json
import re
from collections.abc import Mapping, Sequence

from xrgan.data.scanning.folder_names import split_of as split_of_folder

UNKNOWN = {"", "nan", "none", "null", "n/a", "n.a.", "na", "<na>", "#n/a", "nat", "-", "--", "?", "unknown", "missing"}
NOBODY = {"anonymous", "anon", "anonymized", "anonymised", "xxx"}
YES_OR_NO = {"true": 1, "false": 0, "yes": 1, "no": 0}
# In a column per finding, beside others: words that would be names of classes in a column of its own.
MARKS = {
    **dict.fromkeys(("x", "✓", "✔", "+", "y", "p", "pos", "positive", "present"), 1),
    **dict.fromkeys(("n", "neg", "negative", "absent"), 0),
    **dict.fromkeys(("u", "uncertain", "maybe", "possible"), -1),
}
JOINERS = ("|", ";", ",")  # of a list in a cell, the first that occurs in a column
LIST = "list"
LONGEST_LIST = 10_000  # characters: a longer one is no list of findings
SEXES = {"female": "F", "f": "F", "woman": "F", "w": "F", "male": "M", "m": "M", "man": "M"}
PEOPLE = ("sex", "age")  # columns that index.csv has only where something says them
AGE = re.compile(r"0*(\d{1,3})(?:\.\d+)?\s*(?:y|yr|yrs|years?)?", re.IGNORECASE)


def clean(cell: str) -> str:
    """The cell without blanks around it; "" where it says that nothing is known (NaN, None, NULL, N/A)."""
    stripped = cell.strip()
    return "" if stripped.lower() in UNKNOWN else stripped


def joiner_of(cells: Sequence[str], joiners: Sequence[str] = JOINERS) -> str:
    """How the cells of a column join their findings: LIST (as Python or JSON writes lists), one of `joiners`, or ""."""
    if any(cell.startswith("[") and cell.endswith("]") for cell in cells):
        return LIST
    return next((joiner for joiner in joiners if any(joiner in cell for cell in cells)), "")


def split_list(cell: str, joiner: str) -> list[str]:
    """The findings of a cell, each once, cleaned, in their order."""
    parts = _literal(cell) if joiner == LIST else cell.split(joiner) if joiner else [cell]
    found = (clean(part).replace("|", "/") for part in parts)  # the index joins them by |
    return list(dict.fromkeys(part for part in found if part))


def mark_of(cell: str, known: Mapping[str, int] = YES_OR_NO) -> int | None:
    """1 (there), 0 (not there) or -1 (uncertain); None where the cell is empty.

    Args:
        known: words for them, in lower case.

    Raises:
        ValueError: it is none of them.
    """
    if not cell:
        return None
    if cell.lower() in known:
        return known[cell.lower()]
    try:
        number = float(cell.replace("−", "-"))
    except ValueError:
        number = float("nan")
    if number not in (1, 0, -1):
        raise ValueError(f"{cell!r} is none of 1, 0, -1 and empty")
    return int(number)


def are_marks(cells: Sequence[str], known: Mapping[str, int] = YES_OR_NO) -> bool:
    """Whether a column holds nothing but 1, 0, -1 (or `known` words) and empty cells, and not only those."""
    try:
        marks = {mark_of(cell, known) for cell in set(cells)}
    except ValueError:
        return False
    return marks != {None} and bool(marks)


def split_of(cell: str) -> str | None:
    """train, val or test, however it is written (Train, validation, test_set); "" = open; None where it is no split."""
    if not cell:
        return ""
    return None if cell.lower() == "holdout" else split_of_folder(cell) or None


def patient_of(cell: str) -> str:
    """The patient; "" where the cell names nobody."""
    return "" if cell.lower() in UNKNOWN | NOBODY else cell


def sex_of(cell: str) -> str:
    """F or M, however it is written; any other word as it is."""
    return SEXES.get(cell.lower(), cell)


def age_of(cell: str) -> str:
    """Whole years, from 45, 45.0, 045Y and the like; "" where it is none."""
    found = AGE.fullmatch(cell)
    return str(int(found[1])) if found else ""


def without_point_zero(cells: Sequence[str]) -> list[str]:
    """Whole numbers as they were before a program made 3.0 of 3, since cells of the column were empty."""
    if all(re.fullmatch(r"-?\d+\.0", cell) for cell in cells if cell):
        return [cell.removesuffix(".0") for cell in cells]
    return list(cells)


def _literal(cell: str) -> list[str]:
    """The parts of a list as Python or JSON writes it, of numpy's (without commas) too; else the cell itself."""
    if not (cell.startswith("[") and cell.endswith("]")) or len(cell) > LONGEST_LIST:
        return [cell]
    for parse in (json.loads, ast.literal_eval):
        try:
            parsed = parse(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(parsed, list) and "' '" not in cell:
            return [str(part) for part in parsed]
    quoted = re.findall(r"'([^']*)'|\"([^\"]*)\"", cell)
    return [one or other for one, other in quoted] if quoted else cell[1:-1].split(",")
