"""Columns that say what an image shows → one label per image: names, lists in cells, or a column per finding."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import or_

import pandas as pd

from xrgan.config import Uncertain
from xrgan.data.tables.cells import (
    JOINERS,
    LIST,
    MARKS,
    YES_OR_NO,
    are_marks,
    joiner_of,
    mark_of,
    split_list,
    without_point_zero,
)
from xrgan.errors import XrganError

# A column of that name holds names, even where they are 1 and 0; any other one of 1 and 0 alone is a finding.
HOLDS_NAMES = {"label", "labels", "class", "classes", "target", "y", "category", "category_id", "class_id", "label_id"}
NUMBER = re.compile(r"[-+−]?\d*[.,]?\d+(e[-+]?\d+)?", re.IGNORECASE)
NEGATIVE = "negative"  # the label of an image with a 0 and no 1
DECIDED = {"positive": 1, "negative": 0, "drop": None}


@dataclass
class Labels:
    """What the tables say that images show.

    Attributes:
        label_of: file → findings joined by `|`; "" = none known.
        kind: how the columns say it, in words.
        uncertain: column → images that it calls uncertain (-1).
        disagreeing: how many files stand in rows that say different things.
        respelt: spellings that differ in capitals or blanks alone → the one that is used.
    """

    label_of: dict[str, str]
    kind: str
    uncertain: dict[str, int] = field(default_factory=dict)
    disagreeing: int = 0
    respelt: dict[str, str] = field(default_factory=dict)


def read_labels(files: Sequence[str], columns: pd.DataFrame, uncertain: Uncertain) -> Labels:
    """Read the label of each file.

    Args:
        files: one per row; a file may stand in several.
        columns: those that say the labels, (rows, columns), all str.
        uncertain: what -1 becomes in a column per finding; drop = neither there nor not there.

    Raises:
        XrganError: some columns hold 1 and 0, others names.
    """
    several = columns.shape[1] > 1
    known = YES_OR_NO | MARKS if several else YES_OR_NO
    marked = [are_marks(columns[name].tolist(), known) for name in columns]
    empty = [not columns[name].any() for name in columns]
    if any(marked) and all(map(or_, marked, empty)) and (several or not _holds_names(columns)):
        return _from_marks(files, columns, uncertain, known)
    if several and (_are_numbers(columns) or any(are_marks(columns[name].tolist()) for name in columns)):
        _refuse_mixture(columns, known)
    return read_names(files, columns)


def _are_numbers(columns: pd.DataFrame) -> bool:
    """Whether all cells are numbers, as probabilities are: no names."""
    cells = {cell for name in columns for cell in columns[name].unique() if cell}
    return bool(cells) and all(NUMBER.fullmatch(cell) for cell in cells)


def _holds_names(columns: pd.DataFrame) -> bool:
    """Whether the only column names classes 1 and 0, and is no finding that is there or not."""
    name, cells = next((str(name).lower().replace(" ", "_"), cells) for name, cells in columns.items())
    return (name in HOLDS_NAMES or name.isdecimal()) and -1 not in {mark_of(cell) for cell in cells.unique()}


def _refuse_mixture(columns: pd.DataFrame, known: Mapping[str, int]) -> None:
    for name in columns:
        strange = next((cell for cell in columns[name] if cell and not are_marks([cell], known)), None)
        if strange is not None:
            raise XrganError(
                f"The column {name} holds {strange!r}; a column per finding holds 1, 0, -1 and empty cells alone.",
                "Name columns of one kind: one column per finding, or one with names.",
            )


def _from_marks(files: Sequence[str], columns: pd.DataFrame, uncertain: Uncertain, known: Mapping[str, int]) -> Labels:
    """A column per finding: where rows of one file disagree, most of them decide, and of equals those that see it."""
    votes: dict[str, dict[str, list[int]]] = {file: defaultdict(list) for file in files}
    unsure: dict[str, dict[str, None]] = {str(name): {} for name in columns}
    for name in map(str, columns):
        mark_by_cell = {cell: mark_of(cell, known) for cell in set(columns[name])}
        for file, cell in zip(files, columns[name], strict=True):
            mark = mark_by_cell[cell]
            if mark == -1:
                unsure[name][file] = None
                mark = DECIDED[uncertain]
            if mark is not None:
                votes[file][name].append(mark)
    label_of: dict[str, str] = {}
    for file, of_file in votes.items():
        there = {name: 2 * sum(marks) >= len(marks) for name, marks in of_file.items()}
        open_question = uncertain == "drop" and any(file in images for images in unsure.values())
        negative = NEGATIVE if there and not open_question else ""
        label_of[file] = "|".join(name.replace("|", "/") for name in map(str, columns) if there.get(name)) or negative
    disagreeing = sum(any(len(set(marks)) > 1 for marks in of_file.values()) for of_file in votes.values())
    counts = {name: len(images) for name, images in unsure.items() if images}
    return Labels(label_of, "one column per finding" if columns.shape[1] > 1 else "1 and 0", counts, disagreeing)


def read_names(files: Sequence[str], columns: pd.DataFrame, joiners: Sequence[str] = JOINERS) -> Labels:
    """Read the label of each file from names, one or several in a cell: what the rows of one file say is joined.

    Args:
        joiners: of lists in a cell, such as `|`, beside lists as Python and JSON write them.
    """
    rows: list[list[str]] = [[] for _ in files]
    used = set()
    for _, column in columns.items():
        cells = without_point_zero(column.tolist())
        joiner = joiner_of(cells, joiners)
        used.add(joiner)
        parts_of = {cell: split_list(cell, joiner) for cell in set(cells)}
        for row, cell in zip(rows, cells, strict=True):
            row += parts_of[cell]
    respelt = _one_spelling(finding for row in rows for finding in row)
    found: dict[str, dict[str, None]] = {file: {} for file in files}
    said: dict[str, set[tuple[str, ...]]] = {file: set() for file in files}
    for file, row in zip(files, rows, strict=True):
        findings = [respelt.get(finding, finding) for finding in row]
        found[file].update(dict.fromkeys(findings))
        said[file] |= {tuple(sorted(findings))} if findings else set()
    kinds = ["lists" if joiner == LIST else f"lists joined by {joiner}" for joiner in sorted(used - {""})]
    label_of = {file: "|".join(findings) for file, findings in found.items()}
    return Labels(label_of, " and ".join(kinds) or "names", {}, sum(len(rows) > 1 for rows in said.values()), respelt)


def _one_spelling(findings: Iterable[str]) -> dict[str, str]:
    """Spellings to replace → the most frequent one that differs in capitals or blanks alone."""
    counts = Counter(findings)
    best: dict[str, str] = {}
    for finding in sorted(counts, key=lambda finding: (-counts[finding], finding)):
        best.setdefault(_folded(finding), finding)
    return {finding: best[_folded(finding)] for finding in counts if best[_folded(finding)] != finding}


def _folded(finding: str) -> str:
    return " ".join(finding.casefold().split())
