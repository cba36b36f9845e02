"""The race's table: means and spreads over the seeds, of each extractor and class by itself, beside the floor."""

import json
from pathlib import Path

import pandas as pd
from race_table import COLUMNS, markdown, rows_of


def answer(value: float) -> str:
    """What `evaluate --json` says of a run all of whose scores are `value`, and twice that by the second extractor."""

    def score(of: float) -> dict[str, object]:
        part = {"value": of + 1, "floor": 0.25, "n": 4, "floor_n": 5}
        return {"value": of, "floor": 0.5, "n": 10, "floor_n": 10, "per_class": {"NORMAL": part}}

    scores = {name: score(value) for name in COLUMNS}
    return json.dumps({"metrics": scores | {f"{name}@lite1": score(2 * value) for name in COLUMNS}})


def test_seeds_are_summed_up_by_recipe_and_class(tmp_path: Path) -> None:
    (tmp_path / "losses.csv").write_text("images_seen,seconds\n100,60\n2000,600.0\n")
    rows = [
        {"recipe": "mine", "seed": seed, **row}
        for seed, value in enumerate((1.0, 2.0, 3.0))
        for row in rows_of(answer(value), tmp_path)
    ]
    first, second = markdown(pd.DataFrame(rows)).split("\n\nEfficientNet-Lite1:\n\n")
    assert first.startswith("Inception:\n\n| recipe | class | N | seeds | images seen | clipped coverage |")
    assert "| mine | all | 10 | 3 | 2,000 | 2.00 ± 1.00 | 2.00 ± 1.00 | 2.00 ± 1.00 | 2000.0 ± 1000.0 |" in first
    assert "| mine | NORMAL | 4 | 3 | 2,000 | 3.00 ± 1.00 |" in first
    assert "| real training images | NORMAL | 5 |  |  | 0.25 | 0.25 | 0.25 | 250.0 | 0.2 |" in first
    assert "| mine | all | 10 | 3 | 2,000 | 4.00 ± 2.00 |" in second
    assert "±" not in markdown(pd.DataFrame(rows[:4]))  # one seed has no spread
