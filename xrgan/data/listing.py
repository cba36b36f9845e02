"""What can be fetched, for `xrgan fetch --list`, and what is on this machine, as facts for `xrgan data`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xrgan.data.fetching.archives import amount
from xrgan.data.fetching.record import RECORD
from xrgan.data.packed import SPLITS
from xrgan.data.preparing.dataset_card import read_card
from xrgan.data.source import Source
from xrgan.data.sources import SOURCES
from xrgan.errors import XrganError
from xrgan.files import MEGABYTE, read_yaml

COLUMNS = ["name", "images", "GB on disk", "classes", "masks", "licence", "here"]
NONE = "–"
MOST_CLASSES = 4  # that are named
SOURCE_KEYS = ("source", "images", "megabytes", "from", "fetched", "licence")
DATASET_KEYS = (
    *("dataset", "source", "size", "channels", "masks", "classes"),
    *("train", "val", "test", "patients", "megabytes", "content_hash"),
)
Record = dict[str, Any]


def catalogue(raw_root: Path) -> tuple[list[str], list[list[object]]]:
    """What can be fetched and what was: the public sources, then the user's own folders, by name.

    Returns:
        columns and rows for `console.show_table`. Images and gigabytes are about what the source has; the last column
        says what is here of it.
    """
    rows = [_row(source, raw_root) for source in SOURCES.values()]
    own = (file.parent for file in sorted(raw_root.glob(f"*/{RECORD}")) if not file.parent.name.startswith("."))
    rows += [_own_row(folder) for folder in own if folder.name not in SOURCES]
    return COLUMNS, rows


def notes() -> list[str]:
    """What a user should know of the sources before use, a line each."""
    return [f"{source.name}: {source.note}" for source in SOURCES.values() if source.note]


def _row(source: Source, raw_root: Path) -> list[object]:
    return [
        ", ".join((source.name, *source.aliases)),
        f"{source.images:,}" if source.images else NONE,
        f"{source.gigabytes:g}" if source.gigabytes else NONE,
        _listed(source.classes),
        ", ".join(source.masks) or NONE,
        source.licence,
        _here(raw_root, source.name),
    ]


def _own_row(folder: Path) -> list[object]:
    licence = _read(folder).get("licence", NONE)
    return [folder.name, NONE, NONE, NONE, NONE, licence, _here(folder.parent, folder.name)]


def _listed(classes: Sequence[str]) -> str:
    if len(classes) > MOST_CLASSES:
        return f"{', '.join(classes[:MOST_CLASSES])}, … ({len(classes)})"
    return ", ".join(classes) or NONE


def _here(raw_root: Path, name: str) -> str:
    """What is here of a source: all of it, a part of its download, or nothing."""
    if (raw_root / name / RECORD).is_file():
        record = _read(raw_root / name)
        images, size = record.get("images"), record.get("bytes")
        said = [f"{images:,} images"] if isinstance(images, int) else []
        said += [amount(size)] if isinstance(size, int) else []
        return f"yes: {', '.join(said)}" if said else "yes"
    downloaded = sum(path.stat().st_size for path in (raw_root / ".downloads" / name).glob("*.zip"))
    return f"no: {amount(downloaded)} are downloaded" if downloaded else "no"


def _read(folder: Path) -> dict[str, Any]:
    """A folder's record; nothing where it was damaged: that is no reason to list no other."""
    try:
        return read_yaml(folder / RECORD)
    except XrganError:
        return {}


def fetched(folders: Sequence[Path]) -> list[Record]:
    """One record per fetched source, from its source.yaml: SOURCE_KEYS, and `damaged`."""
    return [_facts(folder, _source, SOURCE_KEYS) for folder in folders]


def prepared(folders: Sequence[Path]) -> list[Record]:
    """One record per prepared dataset, from its dataset.yaml: DATASET_KEYS, and `damaged`."""
    return [_facts(folder, _dataset, DATASET_KEYS) for folder in folders]


def source_row(record: Record) -> Record:
    """A fetched source as a row of a table: column → cell."""
    columns = {"source": _name(record), "images": record["images"], "MB": record["megabytes"], "from": record["from"]}
    return _dashed(columns | {"fetched": str(record["fetched"] or "")[:10], "licence": record["licence"]})


def dataset_row(record: Record) -> Record:
    """A prepared dataset as a row of a table: column → cell."""
    if record["damaged"]:
        columns = ("dataset", "source", "pixels", "channels", "masks", "classes", "train/val/test", "patients", "MB")
        return _dashed(dict.fromkeys((*columns, "hash")) | {"dataset": _name(record)})
    return _dashed(
        {
            "dataset": record["dataset"],
            "source": record["source"],
            "pixels": f"{record['size']}×{record['size']}",
            "channels": record["channels"],
            "masks": ", ".join(record["masks"]),
            "classes": ", ".join(record["classes"]),
            "train/val/test": "/".join(str(record[split]) for split in SPLITS),
            "patients": record["patients"],
            "MB": record["megabytes"],
            "hash": record["content_hash"][:8],
        }
    )


def _name(record: Record) -> str:
    """A damaged item is named as such."""
    return f"{next(iter(record.values()))}{' (damaged)' if record['damaged'] else ''}"


def _dashed(row: Record) -> Record:
    return {column: NONE if cell in (None, "") else cell for column, cell in row.items()}


def _facts(folder: Path, facts: Callable[[Path], list[Any]], keys: tuple[str, ...]) -> Record:
    """A damaged item must not hide the others."""
    try:
        return dict(zip(keys, [folder.name, *facts(folder)], strict=True)) | {"damaged": False}
    except (XrganError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return dict.fromkeys(keys) | {keys[0]: folder.name, "damaged": True}


def _source(folder: Path) -> list[Any]:
    source = read_yaml(folder / RECORD)
    size = round(float(source.get("bytes", 0)) / MEGABYTE, 1)
    return [source.get("images"), size, source.get("from"), source.get("fetched"), source.get("licence")]


def _dataset(folder: Path) -> list[Any]:
    card = read_card(folder)
    of_split = {split: sum(of_class.values()) for split, of_class in card["counts"].items()}
    return [
        card["source"]["name"],
        card["options"]["size"],
        card["channels"],
        list(card.get("masks", [])),
        list(card["classes"]),
        *(of_split.get(split, 0) for split in SPLITS),
        card["patients"],
        round((folder / "images.npy").stat().st_size / MEGABYTE, 1),
        card["content_hash"],
    ]
