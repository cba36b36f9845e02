"""Figures of a study as they stand in tables and sentences, and as plain values for YAML, where NaN is null."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")  # no −0.000


def between(interval: Sequence[float | None], form: Any = number) -> str:
    return f"{form(interval[0])} … {form(interval[1])}"


def share(fraction: float) -> str:
    return f"{100 * fraction:g} %"


def p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def with_holm(p: float, p_holm: float) -> str:
    """`p = 0.012, with Holm 0.024`."""
    said = p_value(known(p))
    return f"p {said if said.startswith('<') else f'= {said}'}, with Holm {p_value(known(p_holm))}"


def known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def pair(values: Sequence[float]) -> list[float | None]:
    return [known(value) for value in values]


def mean_of(values: Any) -> float:
    mean = float(np.mean(list(values)))
    return int(mean) if mean.is_integer() else round(mean, 1)


def setting_of(options: Mapping[str, Any]) -> str:
    """Folds and trainings of a study, in words."""
    folds = f"{options['k_folds']} folds by patient" if options["k_folds"] else "the dataset's own split"
    return f"{folds}, {options['seeds']} training{'s' if options['seeds'] > 1 else ''} each"
