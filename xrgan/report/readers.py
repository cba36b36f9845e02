"""What a report shows of a reader study: figures of each reader and class, and the ROC of how sure they were."""

from collections.abc import Mapping
from typing import Any

from xrgan.report.charts import Chart, DrawnChart, Line, draw


def readers_context(readers: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates take, of what readers/summary.yaml holds; all empty where nobody read."""
    if not readers:
        return {"readers": {}, "readers_rows": [], "readers_classes": [], "roc": None}
    return {
        "readers": readers,
        "readers_rows": [reader_row(one) for one in readers["readers"]],
        "readers_classes": [[name, *_share(one)] for name, one in readers["per_class"].items()],
        "roc": _roc(readers["roc"]) if readers.get("roc") else None,
    }


def reader_row(reader: Mapping[str, Any]) -> list[str]:
    """A reader as a row of a table."""
    shares = [_percent(reader.get(name)) for name in ("found", "suspected")]
    auc = "–" if reader["auc"] is None else f"{reader['auc']:.2f}"
    return [str(reader["reader"]), *_share(reader["accuracy"]), *shares, auc, _percent(reader.get("class_right"))]


def _share(share: Mapping[str, Any]) -> list[str]:
    low, high = share["interval"]
    return [f"{share['n']:,}", _percent(share["value"]), f"{100 * low:.0f} … {100 * high:.0f} %"]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _roc(roc: Mapping[str, Any]) -> DrawnChart | None:
    low, high = roc["interval"]
    chart = Chart(
        "ROC of how sure the readers were",
        "real images called synthetic",
        roc["false"],
        [Line("readers", roc["true"]), Line("guessing", roc["false"], is_floor=True)],
        f"Area {roc['auc']:.2f} (95 % interval {low:.2f} to {high:.2f}); guessing has 0.5.",
        (0, 1),
        y_label="synthetic called synthetic",
    )
    return draw(chart)
