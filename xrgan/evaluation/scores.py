"""What scores.yaml holds, and how it is shown; no torch, so that a list of runs can show it."""

from pathlib import Path
from typing import Any

from xrgan.errors import XrganError
from xrgan.files import read_yaml

Scores = dict[str, Any]
COLUMNS = ("metric", "value", "real vs real", "ratio", "N", "note")
TITLES = {
    "fid": "FID",
    "kid": "KID",
    "ssim_diversity": "SSIM within the set",
    "ssim_nearest": "SSIM to the nearest training image",
    "ssim_random": "SSIM of random pairs",
}
MEANINGS = {
    "ssim_diversity": "higher than real = less diverse",
    "ssim_nearest": "higher than real = copies",
    "ssim_random": "says little: the pairs are unrelated",
}


def keep_earlier(path: Path, scores: Scores) -> Scores:
    """Add to `scores` what an earlier scores.yaml holds on the same images; other images' figures are left behind."""
    try:
        earlier = read_yaml(path)
    except XrganError:
        return scores
    same = earlier.get("images") == scores["images"] and isinstance(earlier.get("metrics"), dict)
    return scores | {"metrics": earlier["metrics"] | scores["metrics"]} if same else scores


def rows(scores: Scores) -> list[tuple[str, str, str, str, str, str]]:
    """One row a figure and class, for a table with COLUMNS; KID leads where N is too small for FID."""
    figures: dict[str, Any] = scores["metrics"]
    biased = "warning" in figures.get("fid", {})
    order = ["kid", "fid"] if biased else ["fid", "kid"]
    lines = []
    for key in [*order, "ssim_diversity", "ssim_nearest", "ssim_random"]:
        if key in figures:
            lines.append(_row(key, TITLES[key], figures[key], figures[key]["n"]))
            per_class = figures[key].get("per_class", {})
            lines += [_row(key, f"– {name}", figure, "") for name, figure in per_class.items()]
    return lines


def headline(scores: Scores) -> str:
    """FID and KID with their floors and N, in one line; SSIM where there is nothing else."""
    figures: dict[str, Any] = scores["metrics"]
    shown = [key for key in ("fid", "kid") if key in figures] or list(figures)[:1]
    parts = [f"{TITLES[key]} {_value(key, figures[key])} (real vs real {_floor(key, figures[key])})" for key in shown]
    return " · ".join([*parts, f"N = {scores['images']['n']}"])


def _row(key: str, title: str, figure: dict[str, Any], n: object) -> tuple[str, str, str, str, str, str]:
    ratio = "–" if figure["ratio"] is None else f"{figure['ratio']:.2f}"
    return title, _value(key, figure), _floor(key, figure), ratio, str(n), _note(key, figure)


def _note(key: str, figure: dict[str, Any]) -> str:
    if key.startswith("ssim"):
        return f"{figure['pairs']} pairs; {MEANINGS[key]}"
    note = f"layer {figure['layer']}, {figure['resize'].partition(',')[0]}"
    return f"{note}; biased at this N" if "warning" in figure else note


def _value(key: str, figure: dict[str, Any]) -> str:
    return _shown(key, figure["value"], figure.get("std"))


def _floor(key: str, figure: dict[str, Any]) -> str:
    return _shown(key, figure["floor"], figure.get("floor_std"))


def _shown(key: str, value: float, std: float | None) -> str:
    digits = {"fid": 2, "kid": 4}.get(key, 3)
    spread = "" if std is None else f" ± {std:.{digits}f}"
    return f"{value:.{digits}f}{spread}"
