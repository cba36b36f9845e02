"""What there is on this machine: the fetched sources and the prepared datasets, as facts for `xrgan data`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xrgan.errors import XrganError
from xrgan.files import read_yaml

MEGABYTE = 1e6
SOURCE_COLUMNS = ("source", "images", "MB", "from", "fetched", "licence")
OF_DATASET = "dataset source pixels channels masks classes train/val/test patients MB hash"
Record = dict[str, Any]


def fetched(folders: Sequence[Path]) -> list[Record]:
    """One record a fetched source, from its source.yaml."""
    return [_read(folder, _source, SOURCE_COLUMNS) for folder in folders]


def prepared(folders: Sequence[Path]) -> list[Record]:
    """One record a prepared dataset, from its dataset.yaml."""
    return [_read(folder, _dataset, tuple(OF_DATASET.split())) for folder in folders]


def _read(folder: Path, facts: Callable[[Path], list[Any]], columns: tuple[str, ...]) -> Record:
    """A damaged item is named as such: it must not hide the others."""
    try:
        return dict(zip(columns, [folder.name, *facts(folder)], strict=True))
    except (XrganError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return dict.fromkeys(columns) | {columns[0]: f"{folder.name} (damaged)"}


def _source(folder: Path) -> list[Any]:
    source = read_yaml(folder / "source.yaml")
    size = round(float(source.get("bytes", 0)) / MEGABYTE, 1)
    return [source.get("images"), size, source.get("from"), str(source.get("fetched", ""))[:10], source.get("licence")]


def _dataset(folder: Path) -> list[Any]:
    facts = read_yaml(folder / "dataset.yaml")
    of_split = {split: sum(of_class.values()) for split, of_class in facts["counts"].items()}
    masks = facts.get("masks", [])
    return [
        facts["source"]["name"],
        f"{facts['options']['size']}×{facts['options']['size']}",
        facts["channels"],
        ", ".join(masks) or None,
        ", ".join(facts["classes"]) or None,
        "/".join(str(of_split.get(split, 0)) for split in ("train", "val", "test")),
        facts["patients"],
        round((folder / "images.npy").stat().st_size / MEGABYTE, 1),
        facts["content_hash"][:8],
    ]
