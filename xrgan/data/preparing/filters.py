"""Which images of a source become a dataset, and as which class: by label, map, view, and at random."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd

from xrgan import console
from xrgan.config import AUTO, NONE, PrepareConfig
from xrgan.errors import XrganError
from xrgan.layout import first_few
from xrgan.option_syntax import Rule, merged, parse_map

MOST_NAMED = 20  # labels that a message lists


def apply_filters(rows: pd.DataFrame, config: PrepareConfig, source_map: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep what `labels`, `map` and `view` ask for.

    Args:
        rows: columns label (findings joined by `|`), view, … as `scan` gives them.
        source_map: the map of `map: auto`, "" = none.

    Returns:
        The rows kept, label being the class; and how many were left out, by reason.

    Raises:
        XrganError: a label or view is asked for that no image has.
    """
    left_out: dict[str, int] = {}
    if config.view:
        rows = _of_view(rows, config.view, left_out)
    if config.labels:
        rows = _with_labels(rows, config.labels, left_out)
    text = map_of(config, source_map)
    if text and (rows["label"] != "").any():
        rows = _mapped(rows, text, asked=config.map != AUTO, left_out=left_out)
    return rows.reset_index(drop=True), left_out


def map_of(config: PrepareConfig, source_map: str) -> str:
    """The map that is used, "" = none: the source's is not, where the user names labels."""
    usual = "" if config.labels else source_map
    return usual if config.map == AUTO else "" if config.map == NONE else config.map


def subsample(rows: pd.DataFrame, config: PrepareConfig) -> pd.DataFrame:
    """A random part of the images (`fraction`, `limit`), each split and class keeping its share."""
    keep = round(len(rows) * config.fraction)
    if config.limit:
        keep = min(keep, config.limit)
    if keep == len(rows):
        return rows
    order = np.random.default_rng(config.seed).permutation(len(rows))
    # One of each group, then through the shuffled groups in step: a small subset still has every split and class.
    place = rows.iloc[order].groupby(["split", "label"]).cumcount()
    size = rows.iloc[order].groupby(["split", "label"])["file"].transform("size")
    chosen = ((place + 0.5) / size).where(place > 0, 0).sort_values(kind="stable").index[: max(keep, 1)]
    return rows.loc[sorted(chosen)].reset_index(drop=True)


def _of_view(rows: pd.DataFrame, views: Sequence[str], left_out: dict[str, int]) -> pd.DataFrame:
    wanted = {view.strip().upper() for view in views}
    known = set(rows["view"].str.upper())
    _require_known(wanted, known, "a view", "views")
    kept = rows["view"].str.upper().isin(wanted)
    left_out["of another view"] = int((~kept & (rows["view"] != "")).sum())
    left_out["of unknown view"] = int((rows["view"] == "").sum())
    return rows[kept]


def _with_labels(rows: pd.DataFrame, labels: Sequence[str], left_out: dict[str, int]) -> pd.DataFrame:
    wanted = {label.strip() for label in labels}
    _require_known(wanted, findings_of(rows), "a label", "labels")
    chosen = rows["label"].map(lambda label: "|".join(found for found in label.split("|") if found in wanted))
    left_out["of other labels"] = int(((chosen == "") & (rows["label"] != "")).sum())
    left_out["without a label"] = int((rows["label"] == "").sum())
    return rows.assign(label=chosen)[chosen != ""]


def _mapped(rows: pd.DataFrame, text: str, asked: bool, left_out: dict[str, int]) -> pd.DataFrame:
    rules = parse_map(text)
    if asked:
        _require_matches(rules, findings_of(rows))
    else:
        console.notice(f"Classes: {text}, this source's usual task; --map none keeps its labels.")
    merge = {label: merged(label, rules) for label in rows["label"].unique()}
    label = rows["label"].map(merge)
    lost = (label == "") & (rows["label"] != "")
    left_out["of labels that --map doesn't name"] = int(lost.sum())
    return rows.assign(label=label)[~lost]


def _require_matches(rules: Sequence[Rule], findings: set[str]) -> None:
    for rule in rules:
        if not any(fnmatchcase(found, rule.label) for found in findings):
            raise XrganError(f"--map: no image is labelled {rule.label!r}.", f"The labels here: {_some(findings)}.")


def _require_known(wanted: set[str], known: set[str], one: str, several: str) -> None:
    for name in sorted(wanted - known):
        here = _some(known - {""})
        raise XrganError(f"No image has {one} {name!r}.", f"The {several} here: {here}." if here else "")


def findings_of(rows: pd.DataFrame) -> set[str]:
    """Every label there is, those joined by `|` one by one."""
    return {found for label in rows["label"].unique() if label for found in label.split("|")}


def _some(names: set[str]) -> str:
    return first_few(sorted(names), MOST_NAMED)
