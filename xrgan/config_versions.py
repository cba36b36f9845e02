"""A config.yaml that another version wrote: its format, and the keys that are retired.

Without a retired key a run trains as it did with the value that stands here; with another value it can be opened, but
no more resumed.
"""

from pathlib import Path
from typing import Any

from xrgan.config import FORMAT
from xrgan.errors import XrganError

RETIRED: dict[str, object] = {"train.beta2": 0.999, "train.horizontal_flip": False}
"""Dotted key → the value with which a training is what it is without the key."""


def check_format(content: dict[str, Any], file: Path) -> None:
    """Raise XrganError where a later version wrote the file; a file without a format is of the first one."""
    written = content.get("format", FORMAT)
    if isinstance(written, int) and written > FORMAT:
        raise XrganError(f"{file} was made by a newer xrgan: its format is {written}.", "Update xrgan to open it.")


def with_what_was_done_before(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a run's file with the option that it doesn't know yet, where `auto` means something new.

    The last checkpoint drew, whether or not training scored them, but for runs that stop early.
    """
    sample, train = content.get("sample", {}), content.get("train", {})
    if not isinstance(sample, dict) or not isinstance(train, dict) or "checkpoint" in sample or train.get("patience"):
        return content
    return content | {"sample": sample | {"checkpoint": "last"}}


def take_out_retired(content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, object]]:
    """The content of a file without its retired keys, and those of them whose value can't be had any more."""
    kept, changed = dict(content), dict[str, object]()
    for key, as_now in RETIRED.items():
        section, _, name = key.rpartition(".")
        if key in kept:
            value = kept.pop(key)
        elif isinstance(kept.get(section), dict) and name in kept[section]:
            kept[section] = {inner: value for inner, value in kept[section].items() if inner != name}
            value = content[section][name]
        else:
            continue
        if value != as_now:
            changed[key] = value
    return kept, changed
