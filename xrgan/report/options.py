"""How a run was trained: the options that differ from the defaults, and all others with their meaning."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import yaml

from xrgan.config import AUTO, Config, Section, all_keys, default, meaning

SECTIONS = ("model", "train")  # what made the networks


class Option(NamedTuple):
    """An option as a row of a table."""

    key: str
    value: str
    usual: str
    meaning: str


def options_of(config: Config) -> tuple[list[Option], list[Option], list[Option]]:
    """Sort a run's options: changed ones; those that `auto` stood for; those left as they were.

    A run records what `auto` became, and not whether somebody chose it: these are a group of their own.
    """
    changed: list[Option] = []
    automatic: list[Option] = []
    left: list[Option] = []
    for key in all_keys():
        if key.partition(".")[0] not in SECTIONS:
            continue
        value, usual = value_of(config, key), default(key)
        option = Option(key, plain(value), plain(usual), meaning(key))
        (left if value == usual else automatic if usual == AUTO else changed).append(option)
    return changed, automatic, left


def value_of(config: Config, key: str) -> object:
    """What a configuration says of a dotted key."""
    found: object = config
    for part in key.split("."):
        assert isinstance(found, Section)
        found = getattr(found, part)
    return found


def plain(value: object) -> str:
    """A value as it is typed: lists by commas, yes and no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(plain(part) for part in value) or "none"
    return "none" if value in ("", None) else str(value)


def settings_of(options: Sequence[Option], config: Config) -> list[str]:
    """Options as arguments of `--set`."""
    return [f"{option.key}={typed(value_of(config, option.key))}" for option in options]


def typed(value: object) -> str:
    """A value as `--set` reads it: lists by commas, texts as YAML."""
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value) or "none"
    return yaml.safe_dump(value, allow_unicode=True, width=math.inf).removesuffix("...\n").strip()
