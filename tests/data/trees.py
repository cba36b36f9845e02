"""Trees of empty files, and what a scan says of them, for tests."""

from pathlib import Path

import pandas as pd


def plant(folder: Path, *names: str) -> Path:
    """Empty files: scan reads names only."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def said(rows: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """File → split and label."""
    return {row.file: (row.split, row.label) for row in rows.itertuples()}


def masks(rows: pd.DataFrame) -> dict[str, str]:
    """The masks of every image that has any."""
    return {row.file: row.mask for row in rows.itertuples() if row.mask}
