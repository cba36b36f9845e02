"""JSON that holds a table: records, columns, file → label, or the dataset.json of StyleGAN's dataset_tool.py."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from xrgan.data.tables.cells import clean
from xrgan.errors import XrganError

KNOWN = "Known are a list of records, {file: label}, and StyleGAN's dataset.json."


def read_json(file: Path, text: str) -> pd.DataFrame:
    """The cells of a JSON table, all str; a list in a cell stays one, as JSON.

    Raises:
        XrganError: it is no JSON, or no table.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = _lines(file, text)
    records = _records(content)
    if not records:
        raise XrganError(f"{file} holds no table.", KNOWN)
    cells = pd.DataFrame([{str(key): _cell(value) for key, value in record.items()} for record in records], dtype=str)
    return cells.fillna("").map(clean)


def _lines(file: Path, text: str) -> list[Any]:
    """JSON Lines: a record in each line."""
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError) as error:
        raise XrganError(f"{file} can't be read as JSON: {error}.") from error


def _records(content: Any) -> list[dict[Any, Any]]:
    """One record per row; none where the content is no table."""
    if isinstance(content, list):
        records = [entry for entry in content if isinstance(entry, dict)]
        return records if len(records) == len(content) else _pairs(content)
    if not isinstance(content, dict):
        return []
    if "labels" in content and not isinstance(content["labels"], dict):
        return _records(content["labels"])  # None where StyleGAN's images have none
    lists = [value for value in content.values() if isinstance(value, list) and value and isinstance(value[0], dict)]
    if len(lists) == 1:
        return _records(lists[0])
    if content and all(isinstance(value, dict) for value in content.values()):
        return [{"file": name, **value} for name, value in content.items()]
    return [] if lists else _pairs(list(content.items()))


def _pairs(content: list[Any]) -> list[dict[Any, Any]]:
    """Rows of [file, label]; a vector of numbers as label is StyleGAN's, the place of its 1 is the class."""
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str) for pair in content):
        return []
    return [{"file": name, "label": _place_of_one(label)} for name, label in content]


def _place_of_one(label: Any) -> Any:
    if isinstance(label, list) and label and all(isinstance(part, int | float) for part in label):
        return label.index(1) if sorted(label)[-2:] in ([0, 1], [1]) else label
    return label


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)
