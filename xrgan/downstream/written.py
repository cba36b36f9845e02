"""What every study leaves in its folder, beside its pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xrgan.files import write_text, write_yaml


def write(folder: Path, scores: pd.DataFrame, report: str, summary: Mapping[str, Any]) -> None:
    """scores.csv, a row a training; report.md; and last summary.yaml: where it is, the rest is whole."""
    write_text(folder / "scores.csv", scores.to_csv(index=False, lineterminator="\n"))
    write_text(folder / "report.md", report)
    write_yaml(folder / "summary.yaml", dict(summary))
