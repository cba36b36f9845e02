"""The table that a scan makes: one row per image, with all that is said of it."""

from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd

from xrgan.data.reading.kinds import stem

COLUMNS = ("file", "label", "patient", "split", "view", "mask", "boxes")


def table(**columns: Sequence[str]) -> pd.DataFrame:
    """Rows of all COLUMNS; what is not given is not known."""
    n = len(columns["file"])
    return pd.DataFrame({column: list(columns.get(column, [""] * n)) for column in COLUMNS})


def stems(rows: pd.DataFrame) -> list[str]:
    """The names of the files, without folders and extension."""
    return [stem(PurePosixPath(file)) for file in rows["file"]]
