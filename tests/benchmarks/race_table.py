"""The figures of a race: rows of what `evaluate --json` said of each run, and their means and spreads as Markdown."""

import csv
import json
from pathlib import Path

import pandas as pd

ALL = "all"  # images of every class
EXTRACTORS = {"": "Inception", "lite1": "EfficientNet-Lite1"}  # as the keys of scores.yaml name them
FLOOR = " floor"
Cell = str | int | float | None

# score → its column, its factor, its digits
COLUMNS = {
    "clipped_coverage": ("clipped coverage", 1, 2),
    "clipped_density": ("clipped density", 1, 2),
    "coverage": ("coverage", 1, 2),
    "kid": ("KID × 1000", 1000, 1),
    "fid": ("FID", 1, 1),
}


def rows_of(answer: str, run: Path) -> list[dict[str, Cell]]:
    """Give one row per extractor and class of a run: the scores, and with FLOOR behind their names, real images'.

    Args:
        answer: what `xrgan evaluate --json` printed.
    """
    with (run / "losses.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    trained: dict[str, Cell] = {
        "images seen": int(float(last["images_seen"])),
        "minutes": round(float(last["seconds"]) / 60, 1),
    }
    scores = json.loads(answer)["metrics"]
    rows = []
    for key, extractor in EXTRACTORS.items():
        found = {name: scores[name + (f"@{key}" if key else "")] for name in COLUMNS}
        for of_class in [ALL, *found["fid"].get("per_class", {})]:
            row: dict[str, Cell] = {"extractor": extractor, "class": of_class}
            for name, score in found.items():
                part = score if of_class == ALL else score["per_class"][of_class]
                row |= {"n": part["n"], "n" + FLOOR: part["floor_n"], name: part["value"], name + FLOOR: part["floor"]}
            rows.append(row | trained)
    return rows


def markdown(scored: pd.DataFrame) -> str:
    """Make one table per extractor: mean ± standard deviation over the seeds, and below, what real images score."""
    return "\n\n".join(_table(extractor, of_one) for extractor, of_one in scored.groupby("extractor", sort=False))


def _table(extractor: object, scored: pd.DataFrame) -> str:
    columns = ["recipe", "class", "N", "seeds", "images seen", *(title for title, _, _ in COLUMNS.values())]
    lines = [columns, ["---"] * len(columns)]
    for (recipe, of_class), runs in scored.groupby(["recipe", "class"], sort=False):
        figures = [_spread(runs[name] * factor, digits) for name, (_, factor, digits) in COLUMNS.items()]
        n, seen = f"{runs['n'].mean():,.0f}", f"{runs['images seen'].mean():,.0f}"
        lines.append([str(recipe), str(of_class), n, str(len(runs)), seen, *figures])
    for of_class, runs in scored.groupby("class", sort=False):
        real = runs.head(1)  # the same ones beside every run
        figures = [_spread(real[name + FLOOR] * factor, digits) for name, (_, factor, digits) in COLUMNS.items()]
        lines.append(["real training images", str(of_class), f"{real['n' + FLOOR].item():,}", "", "", *figures])
    return f"{extractor}:\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(values: pd.Series, digits: int) -> str:
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {values.std():.{digits}f}"
