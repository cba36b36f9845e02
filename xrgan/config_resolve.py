"""Build, read and write a configuration.

It is built from the bottom up: the defaults of config.py (or the run's own config.yaml), then `--config FILE`, then
each `--set section.key=value`, then the command's flags. Unknown keys and impossible values are refused.
"""

import difflib
import functools
import math
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from xrgan import console
from xrgan.config import Config, Section, all_keys, meaning
from xrgan.config_versions import check_format, take_out_retired, with_what_was_done_before
from xrgan.errors import XrganError
from xrgan.files import parse_yaml, read_yaml, write_text

FIRST_LINE = "# The options of a run of xrgan; the last line of the file says that it is whole."
LAST_LINE = "# end"
MAY_NAME_FILES = (
    ("train", "perceptual_weights"),
    ("evaluate", "weights"),
    ("evaluate", "extractor"),
    ("classify", "weights"),
)
"""Sections and keys of options whose value may be a file."""
AS_PRINTED = "Write it as `xrgan train --dry-run` prints one: `key: value`, indented by blanks and not by tabs."
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 100


def resolve(
    base: Config | None = None,
    file: Path | None = None,
    settings: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
) -> Config:
    """Build the configuration of one command.

    Args:
        base: a run's own configuration; the defaults without one.
        file: `--config FILE`, a YAML file that may name some of the keys only.
        settings: `--set` arguments, each `section.key=value` with the value in YAML.
        flags: dotted key → value of the command's flags; None = the flag was not given.

    Raises:
        XrganError: an unknown key, a wrong type or an impossible value; the message names key, value and the
            nearest key.
    """
    tree = (base or Config()).model_dump()
    if file is not None:
        content, retired = _read(file, AS_PRINTED)
        for key, value in retired.items():
            raise XrganError(f"{file}: {key} = {value} can't be had any more.", f"Leave {key} out of it.")
        _merge(tree, content, where=str(file))
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not separator:
            raise XrganError(f"--set {setting} has no value.", "Write --set section.key=value.", exit_code=2)
        _set(tree, key.strip(), _parse_value(setting, value), where="--set")
    for key, given in (flags or {}).items():
        if given is not None:
            _set(tree, key, given, where="the flags")
    return _validate(tree)


def read_config(path: Path) -> Config:
    """Read a run's config.yaml; a retired key is no more than a warning.

    Raises:
        XrganError: as `resolve`; or it was cut short.
    """
    _check_whole(path)
    content, retired = _read(path)
    for key, value in retired.items():
        _warn_of_retired(path, f"{key} = {value}")
    tree = Config().model_dump()
    _merge(tree, with_what_was_done_before(content), where=str(path))
    return _validate(tree)


def refuse_retired(path: Path) -> None:
    """Raise XrganError where a run's config.yaml holds an option that can't be had any more."""
    for key, value in _read(path)[1].items():
        raise XrganError(
            f"{path.parent} was trained with {key} = {value}, which can't be had any more: it can't go on as it began.",
            "Start a new run: `xrgan train --run NEW`.",
        )


@functools.cache
def _warn_of_retired(path: Path, option: str) -> None:
    """Warn once per command, however often the file is read."""
    console.warn(f"{path}: {option} can't be had any more; the run can be used, but no more resumed.")


def _read(file: Path, next_step: str = "") -> tuple[dict[str, Any], dict[str, object]]:
    """The content of a configuration without its retired keys, and those of them that can't be had any more."""
    content = read_yaml(file, next_step=next_step)
    check_format(content, file)
    return take_out_retired(content)


def _check_whole(path: Path) -> None:
    """Refuse a run's config.yaml that was cut short: what it no longer says would be other values, unnoticed."""
    text = path.read_bytes().strip() if path.is_file() else b"absent"  # which is said by who reads it
    # Older versions wrote no such lines, and no comment on the first one.
    if not text or (text.startswith(b"#") and not text.endswith(LAST_LINE.encode())):
        lacks = f"its last line is not `{LAST_LINE}`"
        raise XrganError(f"{path} was cut short: {lacks}.", "Take it from a copy of the run.")


def write_config(path: Path, config: Config, leave_out: Sequence[str] = ()) -> None:
    """Write a run's config.yaml, between a first and a last line that tell a whole one from one that was cut.

    Files in the user's home are named by `~`: the run may be mailed, and the home may have the user's name.
    """
    write_text(path, f"{FIRST_LINE}\n{to_yaml(_from_home(config), leave_out)}{LAST_LINE}\n")


def _from_home(config: Config) -> Config:
    home = Path.home()
    for section, key in MAY_NAME_FILES:
        options: Section = getattr(config, section)
        file = Path(getattr(options, key))
        if file.is_absolute() and file.is_relative_to(home):
            shorter = options.model_copy(update={key: f"~/{file.relative_to(home).as_posix()}"})
            config = config.model_copy(update={section: shorter})
    return config


def to_yaml(config: Config, leave_out: Sequence[str] = ()) -> str:
    """The whole configuration as YAML, each key with its meaning behind it."""
    lines: list[str] = []
    for name, field in Config.model_fields.items():
        if name in leave_out:
            continue
        value = getattr(config, name)
        if isinstance(value, Section):
            lines += ["", f"{name}:"]
            fields = type(value).model_fields.items()
            lines += [_line("  ", key, getattr(value, key), field.description) for key, field in fields]
        else:
            lines.append(_line("", name, value, field.description))
    return "\n".join(lines) + "\n"


def _line(indent: str, key: str, value: Any, description: str | None) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    # In double quotes a line break is written as \n: a key takes one line.
    texts = plain if isinstance(plain, list) else [value]
    style = '"' if any(isinstance(text, str) and not text.isprintable() for text in texts) else None
    dumped = yaml.safe_dump(plain, default_flow_style=True, default_style=style, allow_unicode=True, width=math.inf)
    text = f"{indent}{key}: {dumped.removesuffix('...' + chr(10)).strip()}"
    return f"{text:<32}  # {description}"


def _parse_value(setting: str, value: str) -> Any:
    try:
        return parse_yaml(value)
    except ValueError:
        raise XrganError(f"--set {setting}: the value is no YAML.", "Quote it.", exit_code=2) from None


def _merge(tree: dict[str, Any], over: Mapping[Any, Any], where: str, prefix: str = "") -> None:
    for key, value in over.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, dict) and isinstance(tree.get(key), dict):
            _merge(tree[key], value, where, f"{dotted}.")
        elif value is None and isinstance(tree.get(key), dict):
            continue  # a section whose lines are all commented out
        else:
            _set(tree, key, value, where, prefix)


def _set(tree: dict[str, Any], key: Any, value: Any, where: str, prefix: str = "") -> None:
    dotted = f"{prefix}{key}"
    if dotted not in all_keys():
        raise XrganError(f"Unknown key {dotted!r} in {where}.", _nearest(dotted, sorted(all_keys())))
    *sections, name = str(key).split(".")
    for section in sections:
        tree = tree[section]
    tree[name] = value


def _nearest(key: str, known: Sequence[str]) -> str:
    inside = [name for name in known if name.startswith(f"{key}.")]
    if inside:
        return f"It is a section: its keys are {', '.join(inside)}."
    same_name = [name for name in known if name.rpartition(".")[2] == key.rpartition(".")[2]]
    near = same_name or difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "`xrgan train --dry-run` prints every key."


def _validate(tree: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        names = [str(part) for part in first["loc"] if isinstance(part, str) and part in _names()]
        key = ".".join(names)
        reason = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
        description = meaning(key) if key in all_keys() else ""
        raise XrganError(
            f"{key} = {_shown(tree, key)} can't be: {reason[0].lower() + reason[1:]}.",
            f"{key}: {description}." if description else "",
        ) from None


def _names() -> set[str]:
    return {part for key in all_keys() for part in key.split(".")}


def _shown(tree: Mapping[str, Any], key: str) -> str:
    value: Any = tree
    for name in key.split("."):
        value = value[name]
    try:
        return _short.repr(value)
    except ValueError:  # Python writes out no int of more than 4300 digits
        return "a number of thousands of digits"
