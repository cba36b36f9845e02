"""What scores.yaml holds, and how it is shown; no torch, so that a list of runs can show it."""

from pathlib import Path
from typing import Any

from xrgan.errors import XrganError
from xrgan.files import read_yaml

Scores = dict[str, Any]
Figure = dict[str, Any]
COLUMNS = ("metric", "value", "95 %", "real vs real", "ratio", "N", "note")
INCEPTION = "inception-v3-compat"  # torch-fidelity's name of the network that FID is defined on
# metric of the command line → its figures
FIGURES = {
    "fid": ("fid",),
    "kid": ("kid",),
    "is": ("is",),
    "prdc": ("precision", "recall", "density", "coverage"),
    "ssim": ("ssim_diversity", "ssim_random"),
    "ms-ssim": ("ms_ssim",),
    "memorisation": ("memorisation",),
}
TITLES = {
    "fid": "FID",
    "kid": "KID",
    "precision": "Precision",
    "recall": "Recall",
    "density": "Density",
    "coverage": "Coverage",
    "memorisation": "Suspected copies",
    "is": "Inception Score",
    "ssim_diversity": "SSIM within the set",
    "ssim_nearest": "SSIM to the nearest training image",
    "ssim_random": "SSIM of random pairs",
    "ms_ssim": "MS-SSIM within the set",
}
MEANINGS = {
    "precision": "synthetic images that lie among real ones",
    "recall": "real images that lie among synthetic ones",
    "density": "as precision, by how many; can pass 1",
    "coverage": "real images with a synthetic one close by",
    "is": "says little: ImageNet has no X-ray",
    "ssim_diversity": "higher than real = less diverse",
    "ssim_nearest": "higher than real = copies",
    "ssim_random": "says little: the pairs are unrelated",
    "ms_ssim": "higher than real = less diverse",
}
DIGITS = {"fid": 2, "kid": 4, "is": 2}


def key_of(name: str, figure: Figure) -> str:
    """The figure's key in scores.yaml: scores of different extractors never share one."""
    extractor = figure.get("extractor", INCEPTION)
    return name if extractor == INCEPTION else f"{name}@{extractor}"


def of_one_extractor(figures: dict[str, Figure]) -> dict[str, Figure]:
    """Name → figure, of the default extractor where there are any of it, else of another one."""
    extractors = sorted({key.partition("@")[2] for key in figures})
    chosen = next((name for name in extractors if f"precision@{name}".rstrip("@") in figures), extractors[0])
    return {key.partition("@")[0]: figure for key, figure in figures.items() if key.partition("@")[2] in ("", chosen)}


def read_earlier(path: Path, about: Scores) -> dict[str, Figure]:
    """The figures of an earlier scores.yaml on the same images with the same settings; other ones are left behind."""
    try:
        earlier = read_yaml(path)
    except XrganError:
        return {}
    same = all(earlier.get(key) == about[key] for key in ("xrgan", "reference", "settings", "images"))
    metrics = earlier.get("metrics")
    return metrics if same and isinstance(metrics, dict) else {}


def rows(scores: Scores) -> list[tuple[str, ...]]:
    """One row a figure and class, for a table with COLUMNS; KID leads where N is too small for FID."""
    figures: dict[str, Figure] = scores["metrics"]
    order = list(TITLES)
    if "warning" in figures.get("fid", {}):
        order[:2] = ["kid", "fid"]
    lines = []
    for key in sorted(figures, key=lambda key: ("@" in key, key.partition("@")[2], order.index(key.partition("@")[0]))):
        figure, name = figures[key], key.partition("@")[0]
        lines.append(_row(name, _title(key), figure))
        per_class = figure.get("per_class", {})
        lines += [_row(name, f"– {of_class}", part, "") for of_class, part in per_class.items()]
    return lines


def headline(scores: Scores) -> str:
    """FID and KID with their floors and N, in one line; the first figure where there is neither."""
    figures: dict[str, Figure] = scores["metrics"]
    shown = [key for key in ("fid", "kid") if key in figures] or list(figures)[:1]
    parts = [
        f"{_title(key)} {_value(key, figures[key])}"
        + (f" (real vs real {floor})" if (floor := _floor(key, figures[key])) != "–" else "")
        for key in shown
    ]
    against = " · against the TRAINING images" if scores.get("reference") == "train" else ""
    return " · ".join([*parts, f"N = {scores['images']['n']}"]) + against


def _title(key: str) -> str:
    name, _, extractor = key.partition("@")
    return f"{TITLES[name]}, {extractor}" if extractor else TITLES[name]


def _row(name: str, title: str, figure: Figure, note: str | None = None) -> tuple[str, ...]:
    ratio = "–" if figure.get("ratio") is None else f"{figure['ratio']:.2f}"
    note = _note(name, figure) if note is None else note
    n = str(figure.get("n", ""))
    return title, _value(name, figure), _interval(name, figure), _floor(name, figure), ratio, n, note


def _note(name: str, figure: Figure) -> str:
    if "note" in figure:
        return str(figure["note"])
    if "pairs" in figure:
        return f"{figure['pairs']} pairs; {MEANINGS[name]}"
    if name in MEANINGS:
        return MEANINGS[name]
    note = f"layer {figure['layer']}, {figure['resize'].partition(',')[0]}"
    return f"{note}; biased at this N" if "warning" in figure else note


def _value(name: str, figure: Figure) -> str:
    # An interval says more than the spread of the subsets, which papers quote and which is in scores.yaml.
    return _shown(name, figure["value"], None if "interval" in figure else figure.get("std"))


def _interval(name: str, figure: Figure) -> str:
    if "interval" not in figure:
        return "–"
    low, high = (_shown(name, end) for end in figure["interval"])
    return f"{low} … {high}"


def _floor(name: str, figure: Figure) -> str:
    if figure.get("floor") is None:
        return "–"
    shown = _shown(name, figure["floor"], None if "interval" in figure else figure.get("floor_std"))
    return shown if figure.get("floor_n", figure.get("n")) == figure.get("n") else f"{shown} (N = {figure['floor_n']})"


def _shown(name: str, value: float, std: float | None = None) -> str:
    if name == "memorisation":
        return f"{100 * value:.1f} %"
    digits = DIGITS.get(name.partition("@")[0], 3)
    spread = "" if std is None else f" ± {std:.{digits}f}"
    return f"{value:.{digits}f}{spread}"
