"""`prepare --table FILE`: what the user's own tables say goes before what names and folders say."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired

import pandas as pd
from typing_extensions import TypedDict  # pydantic takes no other one below Python 3.12

from xrgan import console
from xrgan.config import AUTO, NONE, PrepareConfig
from xrgan.data.tables.columns import ROLES, Columns, choose_columns, listed, unusable_columns
from xrgan.data.tables.filling import fill
from xrgan.data.tables.labels import DECIDED, Labels, read_labels
from xrgan.data.tables.matching import Files, Matches
from xrgan.data.tables.reading import SEPARATORS, Table, read_table
from xrgan.errors import XrganError

EXAMPLES = 3  # that a sentence names


class TableFacts(TypedDict):
    """What dataset.yaml says of a table."""

    file: str  # its name
    sha256: str
    encoding: str
    separator: str
    columns: dict[str, str | list[str]]  # what is said → by which columns
    rows: int
    rows_without_an_image: int
    labels: NotRequired[str]  # how its columns say them
    uncertain: NotRequired[dict[str, int]]  # finding → images that it is uncertain in


@dataclass(frozen=True)
class Told:
    """What the user's tables gave: one fact sheet per table, and what they leave out."""

    facts: list[TableFacts]
    left_out: dict[str, int]
    with_labels: bool
    taken: dict[str, str]  # class, patient, split, view → the columns that say it, in words


def apply_tables(raw: Path, rows: pd.DataFrame, config: PrepareConfig) -> tuple[pd.DataFrame, Told]:
    """Let the tables of `config.table` say what they know of the images.

    Where a column says labels, the folders' classes don't count. A patient, split, view or mask goes before what was
    known, where the cell isn't empty. Images that no table names are left out.

    Args:
        rows: as `scan` gives them.

    Returns:
        The rows, with columns sex and age; and what is to be told.

    Raises:
        XrganError: a table isn't there or can't be read, a column isn't there, no row names an image, or a split is
            none.
    """
    files = Files(rows["file"])
    tables = [read_table(find_table(raw, name), files.names_one) for name in config.table]
    chosen = [choose_columns(table, config, files, needed=len(tables) == 1) for table in tables]
    for table in tables:
        if not table.encoding.startswith("UTF"):
            console.notice(
                f"{table.file.name} is no UTF-8, and read as {table.encoding}: if words look odd, save it as UTF-8."
            )
        for sentence in unusable_columns(table, config):
            console.notice(sentence)
    if len(tables) > 1:
        _require_columns(tables, chosen, config)
    cells = [cell for table, columns in zip(tables, chosen, strict=True) for cell in table.cells[columns.file]]
    matches = files.match(cells)
    named = " and ".join(table.file.name for table in tables)
    _say_unmatched(named, len(cells), matches, raw)
    kept = rows["file"].isin(set(matches.file_of.values()))
    left_out = {f"that {named} {'do' if len(tables) > 1 else 'does'}n't name": int((~kept).sum())}
    said = pd.concat([_said(*table, matches) for table in zip(tables, chosen, strict=True)], ignore_index=True)
    rows = fill(rows[kept].reset_index(drop=True), said, raw, named)
    facts = [_facts(*table, matches) for table in zip(tables, chosen, strict=True)]
    labels = _read_labels(tables, chosen, matches, config)
    if labels:
        rows["label"] = [labels.label_of.get(file, "") for file in rows["file"]]
        _say_labels(labels, config, named)
        facts[0]["labels"] = labels.kind
        if labels.uncertain:
            facts[0]["uncertain"] = labels.uncertain
    elif config.label_column == (AUTO,):
        columns = listed(list(dict.fromkeys(name for table in tables for name in table.columns)))
        console.notice(f"{named}: no column was taken for labels; --label-column names some of {columns}.")
    return rows, Told(facts, left_out, labels is not None, _taken(tables, chosen))


def find_table(raw: Path, name: str) -> Path:
    """The table of that path, in the current directory or below the source's folder.

    Raises:
        XrganError: it is in neither.
    """
    for file in (Path(name).expanduser(), raw / name):
        if file.is_file():
            return file
    below = sorted(path for path in raw.rglob(Path(name).name) if path.is_file()) if Path(name).name else []
    if len(below) == 1:
        return below[0]
    hint = f"Below {raw} there are {' and '.join(map(str, below[:EXAMPLES]))}." if below else "Check the path."
    raise XrganError(f"There is no table {name}, neither here nor in {raw}.", hint)


def table_rows(facts: TableFacts) -> list[str]:
    """What a reader sees of a table in the summary, beside what was taken from it: a line each."""
    shape = f"{facts['file']}: {facts['rows']:,} rows, {facts['encoding']}"
    said = [shape if facts["separator"] == "JSON" else f"{shape}, separated by {facts['separator']}"]
    if "labels" in facts:
        said[0] += f"; labels: {facts['labels']}"
    return said


def _taken(tables: list[Table], chosen: list[Columns]) -> dict[str, str]:
    taken: dict[str, list[str]] = {}
    for table, columns in zip(tables, chosen, strict=True):
        for role, column in columns.named().items():
            names = listed([column] if isinstance(column, str) else column)
            taken.setdefault("class" if role == "label" else role, []).append(f"{table.file.name}, column {names}")
    return {role: " and ".join(said) for role, said in taken.items()}


def _require_columns(tables: list[Table], chosen: list[Columns], config: PrepareConfig) -> None:
    """Of several tables each may lack a column that a flag names, but not all of them."""
    for name in config.label_column:
        if name.lower() != NONE and not any(
            name.strip().lower() in map(str.lower, columns.label) for columns in chosen
        ):
            _refuse(tables, name)
    for role in ROLES:
        name = getattr(config, f"{role}_column")
        if name not in {"", AUTO, NONE} and not any(getattr(columns, role) for columns in chosen):
            _refuse(tables, name)


def _refuse(tables: list[Table], name: str) -> None:
    columns = "; ".join(f"{table.file.name}: {listed(table.columns)}" for table in tables)
    raise XrganError(f"None of the {len(tables)} tables has a column {name!r}.", f"Their columns are {columns}.")


def _say_unmatched(named: str, rows: int, matches: Matches, raw: Path) -> None:
    """Say which rows name no image, or several; refuse tables none of whose rows names one."""
    if not matches.file_of:
        if matches.several:
            _say_several(named, matches)
        example = next(iter([*matches.missing, *matches.several]), "")
        raise XrganError(
            f"{named} names {rows:,} images such as {example!r}, and none of them can be told in {raw}.",
            "Is it the table of these images? --file-column names the column of their files.",
        )
    if matches.missing:
        console.warn(
            f"{len(matches.missing):,} images that {named} names are not here, such as {_examples(matches.missing)}."
        )
    if matches.several:
        _say_several(named, matches)


def _say_several(named: str, matches: Matches) -> None:
    cell, files = next(iter(matches.several.items()))
    console.warn(
        f"{len(matches.several):,} names in {named} fit several images each, such as {cell!r}: "
        f"{' and '.join(files[:EXAMPLES])}. They are left out; a column with the folders, too, tells them apart."
    )


def _said(table: Table, columns: Columns, matches: Matches) -> pd.DataFrame:
    """The rows of a table that name an image: column file, and those of ROLES that it says."""
    said = pd.DataFrame({"file": table.cells[columns.file].map(lambda cell: matches.file_of.get(cell, ""))})
    for role in ROLES:
        if getattr(columns, role):
            said[role] = table.cells[getattr(columns, role)]
    return said[said["file"] != ""]


def _read_labels(tables: list[Table], chosen: list[Columns], matches: Matches, config: PrepareConfig) -> Labels | None:
    """The labels that the tables say; None where no column of any says them."""
    parts = []
    for table, columns in zip(tables, chosen, strict=True):
        if columns.label:
            files = table.cells[columns.file].map(lambda cell: matches.file_of.get(cell, ""))
            parts.append(table.cells[list(columns.label)].set_axis(files, axis=0))
    if not parts:
        return None
    together = pd.concat(parts).fillna("")
    together = together[together.index != ""]
    return read_labels(together.index.to_list(), together, config.uncertain)


def _say_labels(labels: Labels, config: PrepareConfig, named: str) -> None:
    if labels.uncertain:
        counts = ", ".join(f"{finding} in {count:,} images" for finding, count in labels.uncertain.items())
        taken = {"drop": "left out of the class"}.get(config.uncertain, f"taken as {config.uncertain}")
        others = " or ".join(f"--uncertain {way}" for way in DECIDED if way != config.uncertain)
        console.notice(f"Uncertain (-1) in {named}: {counts}: {taken}; {others} decides otherwise.")
    if labels.disagreeing:
        how = "most of the rows decide" if "lists" not in labels.kind and labels.kind != "names" else "all are kept"
        console.notice(f"{labels.disagreeing:,} images stand in rows of {named} with different labels: {how}.")
    several = next((label for label in labels.label_of.values() if "|" in label), "")
    if several and config.map in {AUTO, NONE}:
        first = several.partition("|")[0]
        console.notice(
            f"Images with several findings are classes of their own, such as {several!r}; "
            f"--map '{first}={first},*=other' merges them."
        )
    for spelling, used in list(labels.respelt.items())[:EXAMPLES]:
        console.notice(f"The label {spelling!r} is taken for {used!r}, which differs in capitals alone.")


def _facts(table: Table, columns: Columns, matches: Matches) -> TableFacts:
    cells = table.cells[columns.file]
    return {
        "file": table.file.name,
        "sha256": hashlib.sha256(table.file.read_bytes()).hexdigest(),
        "encoding": table.encoding,
        "separator": SEPARATORS[table.separator],
        "columns": columns.named(),
        "rows": len(cells),
        "rows_without_an_image": int((~cells.isin(set(matches.file_of))).sum()),
    }


def _examples(names: list[str]) -> str:
    return ", ".join(repr(name) for name in names[:EXAMPLES])
