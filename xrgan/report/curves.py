"""The figures of a report, from the files that exist: losses.csv, over_time.csv, scores.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xrgan.cards.facts import Facts
from xrgan.errors import XrganError
from xrgan.report.answers import best_score
from xrgan.report.charts import Chart, DrawnChart, Line, draw

SETTING = ["split", "n", "seed", "extractor", "layer"]  # columns of over_time.csv; only rows of one compare
OVER_TIME = {  # column → title and meaning
    "fid": ("FID over the training", "Lower is better; without markers: what as many real images score."),
    "kid": ("KID over the training", "Lower is better, and unbiased where images are few."),
    "clipped_coverage": (
        "Clipped coverage over the training",
        "Variety: higher is better. Where it falls while FID falls, variety is being lost.",
    ),
}
FLOOR = "real vs real, all"
CLIPPED = ("clipped_density", "clipped_coverage")  # across, and up
CLIPPED_LABELS = ("realism (clipped density)", "variety (clipped coverage)")


def training_curves(facts: Facts) -> list[DrawnChart]:
    """Losses, D(x) and D(G(z)), health: whatever of them losses.csv holds."""
    rows = facts.losses
    if not rows:
        return []
    x = [row["epoch"] for row in rows]

    def lines(**names: str) -> list[Line]:
        return [Line(title, [row.get(name) for row in rows]) for name, title in names.items()]

    charts = [
        Chart(
            "Losses",
            "epoch",
            x,
            lines(discriminator_loss="discriminator", generator_loss="generator"),
            "Of two opponents: neither tells how good images are.",
        ),
        Chart(
            "What the discriminator says",
            "epoch",
            x,
            lines(d_real="D(x), real", d_fake="D(G(z)), synthetic"),
            "1 = real. Both near 0.5: it can't tell them apart; far apart: it can.",
            (0, 1),
        ),
        Chart(
            "Health",
            "epoch",
            x,
            lines(diversity="diversity", overfitting="overfitting"),
            "Diversity of drawn images: 1 = as real ones. Overfitting of the discriminator: 0 = none, 1 = whole.",
        ),
    ]
    return [drawn for chart in charts if (drawn := draw(chart))]


def scores_over_time(evaluation: Path) -> list[DrawnChart]:
    """FID, KID and clipped coverage of the checkpoints, of the setting that was used last.

    Raises:
        XrganError: over_time.csv was damaged.
    """
    import pandas as pd

    file = evaluation / "over_time.csv"
    if not file.is_file():
        return []
    try:
        table = pd.read_csv(file)
        latest = table[(table[SETTING] == table[SETTING].iloc[-1]).all(axis=1)].sort_values("step")
        x = [float(value) for value in latest["images_seen"]]
        charts = [
            Chart(
                title,
                "images seen",
                x,
                [
                    Line("synthetic", [float(value) for value in latest[name]]),
                    Line("real vs real", [float(value) for value in latest[f"{name}_floor"]], is_floor=True),
                ],
                f"{meaning} {latest['n'].iloc[-1]:,} images a checkpoint, of {latest['split'].iloc[-1]}.",
            )
            for name, (title, meaning) in OVER_TIME.items()
            if name in latest and f"{name}_floor" in latest
        ]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise XrganError(f"{file} is damaged: {' '.join(str(error).split())}.", "Move it away.") from error
    return [drawn for chart in charts if (drawn := draw(chart))]


def realism_and_variety(facts: Facts) -> DrawnChart | None:
    """Clipped density against clipped coverage, or precision against recall: all images, each class, real ones."""
    for across, up, x_label, y_label in (
        (*CLIPPED, *CLIPPED_LABELS),
        ("precision", "recall", "precision", "recall"),
    ):
        x_score, y_score = best_score(facts, across), best_score(facts, up)
        if x_score is not None and y_score is not None:
            meaning = "Up and to the right is better; real images against other real ones show how far one can get."
            return draw(scatter(_points(x_score, y_score), x_label, y_label, meaning, FLOOR))
    return None


def _points(x_score: Mapping[str, Any], y_score: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    points = [("synthetic, all", float(x_score["value"]), float(y_score["value"]))]
    if x_score.get("floor") is not None and y_score.get("floor") is not None:
        points.append((FLOOR, float(x_score["floor"]), float(y_score["floor"])))
    of_x, of_y = x_score.get("per_class", {}), y_score.get("per_class", {})
    both = [name for name in of_x if name in of_y]
    points += [(f"synthetic, {name}", float(of_x[name]["value"]), float(of_y[name]["value"])) for name in both]
    return points


def scatter(
    points: Sequence[tuple[str, float, float]], x_label: str, y_label: str, meaning: str, floor: str = ""
) -> Chart:
    """Single points (name, across, up), each with a marker of its own; `floor` names that of real images."""
    x = [point[1] for point in points]
    lines = [
        Line(name, [y if k == number else None for k in range(len(points))], is_floor=name == floor)
        for number, (name, _, y) in enumerate(points)
    ]
    top = max(1.0, *(y for _, _, y in points))
    return Chart("Realism and variety", x_label, x, lines, meaning, (0, top), joined=False, y_label=y_label)
