"""What a report shows of a study: its conclusion first, arms, comparisons, what to keep in mind, pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xrgan.downstream.wording import between, number, share, signed
from xrgan.report.pictures import Picture, embedded

TITLES = {"classify": "Classifiers", "segment": "Segmenters"}
LEADING = {"classify": ("auroc", "AUROC"), "segment": ("dice", "Dice")}
PICTURES = {  # file → what it shows
    "curves.png": "Training loss and validation score over epochs",
    "folds.png": "Each training's figures on the test split",
    "roc.png": "ROC curves on the test split",
    "confusion.png": "Confusion matrices on the test split",
    "gain.png": "The score against the share of real training images",
    "overlays.png": "Test X-rays with true and predicted masks",
}
SHOW_PATIENTS = {"overlays.png"}


@dataclass(frozen=True)
class Study:
    name: str
    title: str
    conclusion: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    sentences: Sequence[str]
    caveats: Sequence[str]
    pictures: Sequence[Picture]


def studies(found: Mapping[str, Mapping[str, Any]], run: Path, public: bool) -> list[Study]:
    """Read what the studies of a run left.

    Args:
        found: name → what its summary.yaml holds.
        public: without pictures that show patients.
    """
    return [_study(name, summary, run / name, public) for name, summary in found.items()]


def _study(name: str, summary: Mapping[str, Any], folder: Path, public: bool) -> Study:
    key, label = LEADING[name]
    verdicts = {(one["arm"], one["fraction"]): one for one in summary.get("comparisons", ())}
    baseline = summary.get("baseline")
    rows = [_row(one, key, verdicts.get((one["arm"], one["fraction"])), baseline) for one in summary.get("results", ())]
    columns = ["arm", "real data", "real", "synthetic", label, "95 %", f"Δ {label}", "95 % of Δ", "verdict"]
    shown = [file for file in PICTURES if (folder / file).is_file() and not (public and file in SHOW_PATIENTS)]
    pictures = [embedded(folder / file, f"{TITLES[name]}: {PICTURES[file]}", PICTURES[file]) for file in shown]
    return Study(
        name,
        TITLES[name],
        str(summary.get("conclusion", "")),
        columns,
        rows,
        [str(one["sentence"]) for one in summary.get("comparisons", ())],
        [str(one) for one in summary.get("caveats", ())],
        pictures,
    )


def _row(one: Mapping[str, Any], key: str, against: Mapping[str, Any] | None, baseline: object) -> list[str]:
    figure = one["test"][key]
    cells = [str(one["arm"]), share(one["fraction"]), f"{one['n_real']:,}", f"{one['n_synthetic']:,}"]
    cells += [number(figure["mean"]), between(figure["interval"])]
    if against is None:
        return [*cells, "–", "–", "baseline"]
    effect = against["effect"]
    other = against.get("against", baseline)
    beside = "" if other == baseline else f" (against {other})"
    return [*cells, signed(effect["mean"]), between(effect["interval"], signed), f"{against['verdict']}{beside}"]
