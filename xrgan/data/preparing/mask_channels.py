"""Which masks become channels: what the user asks for, and what a source's first files show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from xrgan import console
from xrgan.config import AUTO, NONE
from xrgan.data.reading.masks import LUNGS, OPACITY, SIDES, UNNAMED, UnknownValuesError, in_file, plain
from xrgan.errors import XrganError
from xrgan.option_syntax import parse_mask_values

LOOKED_AT = 16  # mask files from which the structures of a source are told


def choose_mask_channels(
    asked_for: str, rows: pd.DataFrame, raw: Path, of_source: Sequence[str], mask_values: str = ""
) -> tuple[str, ...]:
    """The structures that become channels.

    Args:
        asked_for: `prepare.masks`.
        rows: columns mask and boxes.
        of_source: what the source is known to have masks of; empty = not known.
        mask_values: `prepare.mask_values`.

    Raises:
        XrganError: a structure is asked for that there is no mask of; or masks show several structures, and nothing
            says which gray value is which.
    """
    if asked_for == NONE:
        return ()
    found = _found(rows, raw, of_source, parse_mask_values(mask_values))
    if asked_for == AUTO:
        return _usual(found, rows)
    asked = [plain(name) for name in asked_for.split(",")]
    if len(asked) == 1 and found == {UNNAMED}:
        return (asked[0],)
    for name in asked:
        if name not in found:
            here = f"There are masks of {', '.join(sorted(found))}." if found else "There are no masks."
            raise XrganError(f"There is no mask of {name!r} here.", f"{here} --masks none goes without.")
    return tuple(dict.fromkeys(asked))


def _found(rows: pd.DataFrame, raw: Path, of_source: Sequence[str], values: Mapping[int, str]) -> set[str]:
    """What the source has masks of, told from its first files."""
    found: set[str] = set()
    reason = ""
    for cell in rows["mask"][rows["mask"] != ""].head(LOOKED_AT):
        for file in cell.split("|"):
            try:
                found |= set(in_file(raw / file, values, raw))
            except UnknownValuesError as error:
                raise _unknown_values(file, error.values) from error
            except ValueError as error:
                reason = f"{file}: {error}"
    if reason and not found:
        console.warn(f"Masks are named, but can't be read ({reason}): the images are packed without.")
    if found >= set(SIDES):
        found |= {LUNGS}
    organs = [structure for structure in of_source if structure != OPACITY]
    if found == {UNNAMED} and len(organs) == 1:
        found = set(organs)
    if (rows["boxes"] != "").any():
        found.add(OPACITY)
    return found


def _unknown_values(file: str, values: Sequence[int]) -> XrganError:
    names = ("right lung", "left lung", "heart", *(f"structure {k}" for k in range(4, len(values) + 1)))
    example = ",".join(f"{value}={name}" for value, name in zip(values, names, strict=False))
    shown = ", ".join(map(str, values))
    return XrganError(
        f"The masks show several structures, with the gray values {shown} ({file}), and nothing says which is which.",
        f'Say so, such as --mask-values "{example}"; or go without: --masks none.',
    )


def _usual(found: set[str], rows: pd.DataFrame) -> tuple[str, ...]:
    """What `auto` takes, where at least half of the images have masks: lungs and heart, else whatever there is."""
    usual = tuple(structure for structure in (LUNGS, "heart", UNNAMED) if structure in found)
    others = sorted(found - {*usual, *(SIDES if LUNGS in usual else ()), OPACITY})
    usual = usual or tuple(others)
    with_mask = int((rows["mask"] != "").sum())
    if usual and with_mask * 2 < len(rows):
        console.notice(
            f"Masks: {with_mask} of {len(rows)} images have one; --masks {','.join(usual)} packs those alone."
        )
        return ()
    if left_out := [structure for structure in others if structure not in usual]:
        console.notice(
            f"Masks of {', '.join(left_out)} are left out; --masks {','.join((*usual, *left_out))} packs them, too."
        )
    return usual
