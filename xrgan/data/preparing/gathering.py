"""Which images of a folder become a dataset, as what, in which split, under which name."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from xrgan import console
from xrgan.config import NONE, PrepareConfig
from xrgan.data.packed import SPLITS
from xrgan.data.preparing.dataset_card import Choices
from xrgan.data.preparing.filters import apply_filters, findings_of, map_of
from xrgan.data.preparing.headers import add_headers
from xrgan.data.preparing.hidden_names import hide_names
from xrgan.data.preparing.pseudonyms import pseudonymise
from xrgan.data.preparing.splits import assign_splits
from xrgan.data.reading.kinds import count_others
from xrgan.data.scan import Hints, Scan, scan_folder
from xrgan.data.scanning.rows import stems
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.data.tables.user_tables import Told, apply_tables


def gather(
    raw: Path, prepared_root: Path, source: Source | None, config: PrepareConfig
) -> tuple[pd.DataFrame, Choices]:
    """The images that are asked for, with class, patient and split; and what dataset.yaml shall say of the choice.

    Returns:
        Rows as `scan_folder` gives them, with columns `own_split` (the source's, "" = none) and `name`: what a dataset
        calls the file; its own name, but of one's own files another one where theirs may be people's.
    """
    scanned, told = find_rows(raw, source, config)
    for sentence in scanned.unread:
        console.warn(sentence)
    rows = _with_known_patients(scanned.rows, scanned.taken) if source is None else scanned.rows
    rows = rows.assign(is_hidden=rows["file"].isin(scanned.people) & (source is None))
    if rows["is_hidden"].any():
        console.warn(
            "Folders here may be called after people: they are not taken as classes, and their names are left out. "
            "--label-pattern says what is a class, or --table."
        )
    rows = add_headers(rows, raw, bool(config.view), scanned.taken if source is None else None)
    usual_map = usual_map_of(source, told)
    if not (told and told.with_labels):
        _check_labels(rows, source)
    rows, left_out = apply_filters(rows, config, usual_map)
    left_out = (told.left_out if told else {}) | left_out
    rows = rows.assign(own_split=rows["split"], split=assign_splits(rows, config.split, config.seed))
    choices: Choices = {
        "left_out": {reason: count for reason, count in left_out.items() if count},
        "splits": "",  # `origin_of_splits`, of the images that are kept
        "classes_merged_by": map_of(config, usual_map) or NONE,
        "taken_from": scanned.taken,
        "not_images": count_others(raw),
    }
    if told:
        choices["tables"] = told.facts
    return hide_names(pseudonymise(rows, prepared_root)), choices


def find_rows(raw: Path, source: Source | None, config: PrepareConfig) -> tuple[Scan, Told | None]:
    """Scan a folder, and let the user's own tables say more of its images; None where none is named."""
    scanned = scan_folder(raw, source, _hints(config))
    if not config.table:
        return scanned, None
    rows, told = apply_tables(raw, scanned.rows, config)
    return replace(scanned, rows=rows, taken=scanned.taken | told.taken, unread=[]), told


def usual_map_of(source: Source | None, told: Told | None) -> str:
    """How a source's usual task merges its labels; "" where it is nobody's, or where a table says the labels."""
    return source.label_map if source and not (told and told.with_labels) else ""


def _hints(config: PrepareConfig) -> Hints:
    return Hints(config.patient_pattern, config.label_pattern, config.mask_pattern, own_tables=bool(config.table))


def _with_known_patients(rows: pd.DataFrame, taken: dict[str, str]) -> pd.DataFrame:
    """Patients by the pattern of a known source, whose files these seem to be by all their names."""
    if not rows["patient"].eq(rows["file"]).all():
        return rows
    names = stems(rows)
    for source in SOURCES.values():
        matches = [re.search(source.patient_pattern, name) if source.patient_pattern else None for name in names]
        if all(matches):
            patients = [match[1] for match in matches if match]
            if len(set(patients)) == len(patients):  # they would say nothing
                return rows
            taken["patient"] = f"names, as in {source.name}"
            console.notice(
                f"The files are named as those of {source.name}: patients are told by that. "
                f"`xrgan fetch {source.name} --folder …` knows more of them."
            )
            return rows.assign(patient=patients)
    return rows


def origin_of_splits(rows: pd.DataFrame) -> str:
    """Say whose the splits are.

    Args:
        rows: columns of `gather`.
    """
    own, splits = rows["own_split"], rows["split"]
    known = rows["patient"].ne(rows["name"]).any()
    drawn = "drawn by patient" if known else "drawn by image, since no patient is known"
    if (own == "").all():
        return drawn
    said = "the source's own"
    if count := int((own == "").sum()):
        said += f"; {drawn} for the {count:,} images that it leaves open"
    changed = (own != "") & (own != splits)
    for split in SPLITS:
        if count := int((changed & (splits == split)).sum()):
            said += f"; {count:,} images of its train became {split}, where it has none or hardly any"
    return said


def _check_labels(rows: pd.DataFrame, source: Source | None) -> None:
    """Files that were fetched under a source's name may be somebody else's."""
    found = findings_of(rows)
    if source and source.classes and found and found.isdisjoint(source.classes):
        here, there = (", ".join(sorted(labels)[:5]) for labels in (found, source.classes))
        console.warn(f"The labels here are {here}, those of {source.name} are {there}: are these its images?")
