"""The CSVs that readers sent back: checked against the study's key."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from xrgan.errors import XrganError
from xrgan.files import no_such
from xrgan.readers.choice import REAL, SYNTHETIC

COLUMNS = ("study", "reader", "image", "answer", "sure", "class")
SUREST = 5


def read_answers(files: Sequence[Path], study: str, key: pd.DataFrame) -> pd.DataFrame:
    """Read all readers' answers: columns reader, image, answer, sure (1 to 5), class ("" = not asked), `is`, label.

    Args:
        study: the present study; answers of another one are refused.
        key: `choice.read_key`.

    Raises:
        XrganError: a file is none of this study, is damaged, or a reader is in two of them.
    """
    tables = [_read(file, study, key) for file in files]
    names = [str(table["reader"].iloc[0]) for table in tables]
    for name in names:
        if names.count(name) > 1:
            raise XrganError(f"{name} is the reader of several files.", "Name one file a reader.")
    answers = pd.concat(tables, ignore_index=True)
    return answers.join(key.rename(columns={"class": "label"})[["is", "label"]], on="image")


def _read(file: Path, study: str, key: pd.DataFrame) -> pd.DataFrame:
    if not file.is_file():
        raise no_such("file", file)
    try:
        text = file.read_text(encoding="utf-8-sig")
        separator = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
        table = pd.DataFrame(csv.DictReader(text.splitlines(), delimiter=separator), dtype=str)
        return _checked(table, study, key)
    except OSError as error:
        raise XrganError(f"{file} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise XrganError(f"{file} holds no reader's answers: {reason}.", "Ask the reader for another copy.") from error


def _checked(table: pd.DataFrame, study: str, key: pd.DataFrame) -> pd.DataFrame:
    """The answers; ValueError where they are none of this study."""
    if lacking := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"it has no column {lacking[0]}")
    if not len(table):
        raise ValueError("nothing was answered in it")
    if set(table["study"]) != {study}:
        raise ValueError(f"it is of the study {table['study'].iloc[0]}, and this one is {study}")
    if table["reader"].nunique() > 1:
        raise ValueError("it names several readers")
    table = table[list(COLUMNS[1:])].copy()
    table["image"], table["sure"] = table["image"].astype(int), table["sure"].astype(int)
    if not table["image"].isin(key.index).all() or table["image"].duplicated().any():
        raise ValueError("it answers an image that isn't there, or one twice")
    if not table["answer"].isin([REAL, SYNTHETIC]).all() or not table["sure"].between(1, SUREST).all():
        raise ValueError(f"an answer is neither {REAL} nor {SYNTHETIC}, or not from 1 to {SUREST} sure")
    return table
