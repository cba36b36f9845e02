"""Atomic writes and checked reads of plain files: a reader never meets half of one."""

import csv
import difflib
import errno
import functools
import hashlib
import io
import itertools
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from xrgan.errors import XrganError
from xrgan.temporary_names import is_abandoned, temporary_beside

Number = TypeVar("Number", int, float)
MEGABYTE = 1e6  # bytes
WRITE_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}  # of a disk, whatever is written


@contextmanager
def replacing(path: Path, sync: bool = True) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well, sync it to disk and rename it to `path`.

    A reader, or a run after a power cut, finds the old file or the new one, never a torn one.

    Args:
        sync: False spares the wait for the disk, for thousands of small files that can be drawn again.

    Raises:
        OSError: the disk is full or fails, or `path` is a folder; it names `path`, whatever the library that wrote made
            of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path.parent)
    temporary = temporary_beside(path, "tmp")
    try:
        yield temporary
        if sync:
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    except Exception as error:
        failed = error if isinstance(error, IsADirectoryError) else failed_write(error)
        if failed is None:
            raise
        raise OSError(failed.errno, failed.strerror, str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def naming(place: Path) -> Iterator[None]:
    """Say where a disk refused what the block wrote, if the error doesn't: a file that is open knows no name.

    Raises:
        OSError: with the name of a file, or else `place`.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in WRITE_ERRORS or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(place)) from error


@functools.cache
def _sweep(folder: Path) -> None:
    """Once per process and folder, remove what killed processes left half written."""
    for path in folder.glob(".*.tmp"):
        if is_abandoned(path):
            path.unlink(missing_ok=True)


def failed_write(error: BaseException | None) -> OSError | None:
    """The disk's refusal that an exception comes from; None where it comes from anything else.

    Libraries hide it: torch.save raises what its own clean-up met afterwards, with the disk's error as its context.
    """
    while error is not None and not isinstance(error, XrganError):
        if isinstance(error, OSError) and error.errno in WRITE_ERRORS:
            return error
        error = error.__cause__ or error.__context__
    return None


def no_such(what: str, path: Path, hint: str = "Check the path.") -> XrganError:
    """Make the error about a path that isn't there, or is something else.

    Its hint is the nearest name beside it, else `hint`.
    """
    try:
        beside = [] if path.exists() else [other.name for other in path.absolute().parent.iterdir()]
    except OSError:  # its folder isn't there either
        beside = []
    near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.7)
    return XrganError(f"There is no {what} {path}.", f"Did you mean {path.with_name(near[0])}?" if near else hint)


def existing_file(name: str, hint: str) -> Path:
    """Find the file that the user names; `~` is the home.

    Raises:
        XrganError: it isn't there, as `no_such` says it.
    """
    file = Path(name).expanduser()
    if not file.is_file():
        raise no_such("file", file, hint)
    return file


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, the names of the columns first; quoted where a cell holds a comma, a quote or a line break."""
    cells = [[str(cell) for cell in row] for row in rows]
    # By itself, the csv module quotes a \n, but not a \r, which readers take for a line's end too.
    odd = any("\r" in cell for row in cells for cell in row)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL).writerows(cells)
    write_text(path, text.getvalue())


def write_yaml(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


class _EachKeyOnce(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys, and loses what stands below the first one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        times = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [key for key, count in times.items() if count > 1]:
            raise ValueError(f"{twice[0]} stands there twice")
        return super().construct_mapping(node, deep)


def parse_yaml(text: str) -> Any:
    """Parse a YAML text.

    Raises:
        ValueError: it is no YAML, or has a key twice; the message is one line.
    """
    try:
        return yaml.load(text, _EachKeyOnce)
    except Exception as error:  # of odd scalars (2024-99-99) PyYAML lets ValueError, KeyError, RecursionError … through
        raise ValueError(" ".join(str(error).split())) from error


def read_yaml(path: Path, shape: type[BaseModel] | None = None, next_step: str = "") -> dict[str, Any]:
    """Read a YAML mapping.

    Args:
        shape: the types of the keys that the caller relies on; others are let through as they are.
        next_step: what to do where it is damaged.

    Raises:
        XrganError: the file is absent, is no YAML, or holds something else than `key: value` lines of that shape.
    """
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise no_such("file", path) from None
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        raise XrganError(f"{path} can't be read as YAML: {reason}.", next_step) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise XrganError(f"{path} holds no `key: value` lines.", next_step)
    if shape is not None:
        try:
            check_shape(content, shape)
        except ValueError as error:
            raise XrganError(f"{path} is damaged: {error}.", next_step) from None
    return content


def check_shape(content: Mapping[str, Any], shape: type[BaseModel]) -> None:
    """Check that the keys of a shape are there, with values of its types; other keys are let through.

    Raises:
        ValueError: the first key that isn't so, and why, on one line.
    """
    try:
        shape.model_validate(content, strict=True)
    except ValidationError as error:
        raise ValueError(first_reason(error)) from None


def first_reason(error: ValidationError) -> str:
    """What doesn't fit first, and why, on one line."""
    first = error.errors()[0]
    reason = " ".join(first["msg"].split())
    return f"{'.'.join(map(str, first['loc']))}: {reason[:1].lower()}{reason[1:]}"


def bytes_below(folder: Path) -> int:
    """What the files below a folder take on the disk; one of two names counts once, a link not at all."""
    found = (file.stat() for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum({(status.st_dev, status.st_ino): status.st_size for status in found}.values())


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that a new one can have its name and nothing is lost: its new path."""
    names = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    aside = next(
        place for end in names if not (place := path.with_name(f"{path.stem}-damaged{end}{path.suffix}")).exists()
    )
    return path.rename(aside)


def as_number(cell: object, where: str, kind: Callable[[Any], Number]) -> Number:
    """Parse a table's cell as `kind`, int or float.

    Args:
        where: says whose it is, as "line 3's step".

    Raises:
        ValueError: it is no such number.
    """
    try:
        return kind(cell)
    except (TypeError, ValueError):
        whole = "whole " if kind is int else ""
        raise ValueError(f"{where} is {str(cell)[:40]!r}, no {whole}number") from None


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
