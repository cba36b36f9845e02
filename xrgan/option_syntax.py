"""Syntax of --window (gray values) and --map (classes)."""

import re
from fnmatch import fnmatchcase
from typing import NamedTuple

DICOM, MINMAX = "dicom", "minmax"
_PERCENTILES = re.compile(r"p(\d+(?:\.\d+)?)-p(\d+(?:\.\d+)?)")


class Rule(NamedTuple):
    """One `LABEL=class` of a map; the label may hold the wildcards * and ?."""

    label: str
    target: str


def parse_window(text: str) -> tuple[float, float]:
    """Parse a window: the percentiles between which gray values are spread; (0, 100) for `minmax` and `dicom`.

    Raises:
        ValueError: it is none of dicom, minmax and pA-pB with 0 ≤ A < B ≤ 100.
    """
    if text in {DICOM, MINMAX}:
        return 0.0, 100.0
    found = _PERCENTILES.fullmatch(text)
    if not found:
        raise ValueError("it is none of dicom, minmax and two percentiles such as p1-p99")
    low, high = float(found[1]), float(found[2])
    if not low < high <= 100:
        raise ValueError("the percentiles must rise and end at 100 or before")
    return low, high


def parse_map(text: str) -> tuple[Rule, ...]:
    """Parse a map such as `Lung Opacity=1,*=0` into its rules, in their order.

    Raises:
        ValueError: a rule lacks its label, its `=` or its class.
    """
    rules = []
    for part in text.split(","):
        label, separator, target = (piece.strip() for piece in part.rpartition("="))
        if not (label and separator and target):
            raise ValueError(f"{part.strip()!r} is no LABEL=class")
        rules.append(Rule(label, target))
    return tuple(rules)


def parse_mask_values(text: str) -> dict[int, str]:
    """The structures of `1=right lung,2=left lung,3=heart` by their gray values; several may be of one structure.

    Raises:
        ValueError: a part is no VALUE=structure.
    """
    values = {}
    for part in text.split(",") if text else ():
        value, separator, structure = (piece.strip() for piece in part.partition("="))
        if not (separator and structure and value.isdecimal()):
            raise ValueError(f"{part.strip()!r} is no VALUE=structure")
        values[int(value)] = " ".join(structure.lower().replace("_", " ").replace("-", " ").split())
    return values


def merged(label: str, rules: tuple[Rule, ...]) -> str:
    """The class of a label (several findings joined by `|`): that of the first rule that one of them matches.

    An image without a label keeps none, whatever `*` says; one that no rule matches gets "".
    """
    findings = label.split("|") if label else []
    return next((rule.target for rule in rules if any(fnmatchcase(found, rule.label) for found in findings)), "")
