"""data/raw/<source>/ → data/prepared/<name>/: gray, one size, one uint8 memory map, an index, splits by patient."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from xrgan import console
from xrgan.config import PrepareConfig
from xrgan.data.images import Pixels, read_square
from xrgan.data.packed import SPLITS
from xrgan.data.scan import assign_splits, patients_in_two_splits, scan
from xrgan.data.sources import SOURCES
from xrgan.data.staging import growing, locked
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

FEW_IMAGES = 256  # fewer are decoded here: starting processes would take longer
OTHERWISE = "Give the new one a name of its own with --name, or replace the old one with --force."
HEADER_BYTES = 128  # of a .npy file of four dimensions


@dataclass(frozen=True)
class Decoded:
    """What a worker hands back: the pixels, or the reason why there are none."""

    pixels: Pixels | None
    width: int = 0
    height: int = 0
    reason: str = ""


def prepare(raw: Path, prepared_root: Path, config: PrepareConfig, name: str = "", force: bool = False) -> Path:
    """Pack a folder of images; a second call with the same options and files does nothing.

    Args:
        raw: a fetched source, or any folder of images.
        name: of the dataset; `<source>_<size>` without one.
        force: replace a dataset of that name that was prepared otherwise.

    Returns:
        The dataset's folder.

    Raises:
        XrganError: there is no image, none can be read, the name is no folder's, or it is taken by another
            preparation or by something that is no dataset.
    """
    source = _source_of(raw)
    name = name or f"{source['name']}_{config.size}"
    if name != Path(name).name or name.startswith("."):
        raise XrganError(f"{name!r} can't be the name of a dataset.", "Give it the name of a folder with --name.")
    target = prepared_root / name
    console.notice(f"Looking through {raw} …")
    known = SOURCES.get(source["name"])
    patient_pattern, label_pattern = (known.patient_pattern, known.label_pattern) if known else ("", "")
    rows = scan(raw, config.patient_pattern or patient_pattern, label_pattern)
    wanted = _wish(source, rows, raw, config)
    with locked(target):
        if target.exists() and not force:
            return _keep(target, wanted)
        rows["split"] = assign_splits(rows, config.split, config.seed)
        rows = _subset(rows, config)
        with growing(target) as staging:
            packed, skipped = _pack(raw, rows, config, staging / "images.npy")
            packed.to_csv(staging / "index.csv", index=False, lineterminator="\n")
            write_yaml(staging / "dataset.yaml", _describe(wanted, packed, skipped, staging))
    _report(target, skipped)
    return target


def _source_of(raw: Path) -> dict[str, Any]:
    if (raw / "source.yaml").is_file():
        source = read_yaml(raw / "source.yaml")
        kept = {key: str(source[key]) for key in ("name", "licence", "citation", "archive_sha256") if source.get(key)}
        return {"name": raw.resolve().name} | kept
    return {"name": raw.resolve().name or "images"}


def _wish(source: dict[str, Any], rows: pd.DataFrame, raw: Path, config: PrepareConfig) -> dict[str, Any]:
    """What decides the result: the same wish gives the same dataset. How many workers decode it doesn't matter."""
    listing = hashlib.sha256()
    for file, *said in rows[["file", "label", "patient", "split"]].itertuples(index=False):
        size = (raw / file).stat().st_size if (raw / file).is_file() else -1
        listing.update("\0".join([file, *said, f"{size}\n"]).encode(errors="surrogateescape"))
    options = config.model_dump(mode="json", exclude={"workers"})
    return {"source": source, "options": options, "files": len(rows), "listing_sha256": listing.hexdigest()}


def _keep(target: Path, wanted: dict[str, Any]) -> Path:
    """The dataset that is there, if it is what was asked for."""
    if not (target / "dataset.yaml").is_file():
        raise XrganError(f"{target} is there already, and is no prepared dataset.", OTHERWISE)
    there = read_yaml(target / "dataset.yaml")
    for key, value in wanted["options"].items():
        had = there.get("options", {}).get(key)
        if had != value:
            raise XrganError(f"{target} was prepared with {key}: {had}, not {value}.", OTHERWISE)
    if there.get("listing_sha256") != wanted["listing_sha256"]:
        raise XrganError(f"The source's files or labels have changed since {target} was prepared.", OTHERWISE)
    console.notice(f"{target} is there already, prepared with the same options.")
    return target


def _subset(rows: pd.DataFrame, config: PrepareConfig) -> pd.DataFrame:
    """A random part of the images, each split and class keeping its share."""
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


def _pack(
    raw: Path, rows: pd.DataFrame, config: PrepareConfig, file: Path
) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """Decode every row into `file`, in the rows' order; memory holds a few images at a time.

    Returns:
        The rows that were packed, with width, height and hash; and what was skipped, with the reason.
    """
    packed, skipped = [], []
    shape = (config.channels, config.size, config.size)
    with file.open("wb") as out, console.progress("Preparing", len(rows)) as bar:
        _write_header(out, (len(rows), *shape))
        for row, decoded in zip(rows.to_dict("records"), _decode_all(raw, list(rows["file"]), config), strict=True):
            if decoded.pixels is None:
                skipped.append({"file": str(row["file"]), "reason": decoded.reason})
            else:
                out.write(decoded.pixels.tobytes())
                digest = hashlib.sha256(decoded.pixels.tobytes()).hexdigest()[:16]
                packed.append({**row, "width": decoded.width, "height": decoded.height, "hash": digest})
            bar.advance()
        out.seek(0)
        _write_header(out, (len(packed), *shape))
    if not packed:
        first = skipped[0]
        raise XrganError(f"None of the {len(rows)} images can be read; {first['file']}: {first['reason']}.")
    return pd.DataFrame(packed), skipped


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    """A .npy header; numpy pads it, so that the final one, with fewer images, takes the same place."""
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert out.tell() == HEADER_BYTES


def _decode_all(raw: Path, files: list[str], config: PrepareConfig) -> Iterator[Decoded]:
    decode = partial(_decode, raw, config.size, config.fit, config.channels)
    workers = config.workers or os.cpu_count() or 1
    if workers == 1 or len(files) < FEW_IMAGES:
        yield from map(decode, files)
        return
    # Forked children of a process with threads (rich's bar) can hang: start them fresh.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(decode, files, chunksize=16)
        except BrokenProcessPool:
            raise XrganError(
                "A process that decodes images was killed, probably for want of memory.", "Try it with --workers 1."
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _decode(raw: Path, size: int, fit: str, channels: int, file: str) -> Decoded:
    if not _is_utf8(file):
        return Decoded(None, reason="its name is not UTF-8")
    try:
        pixels, (width, height) = read_square(raw / file, size, fit, channels)
    except ValueError as error:
        return Decoded(None, reason=str(error))
    return Decoded(pixels, width, height)


def _is_utf8(name: str) -> bool:
    """Python keeps foreign bytes of a file's name as lone surrogates, which index.csv could not hold."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _describe(
    wanted: dict[str, Any], packed: pd.DataFrame, skipped: list[dict[str, str]], staging: Path
) -> dict[str, Any]:
    content = hashlib.sha256()
    for file in ("images.npy", "index.csv"):
        with (staging / file).open("rb") as opened:
            content.update(hashlib.file_digest(opened, "sha256").digest())
    splits = [split for split in SPLITS if (packed["split"] == split).any()]
    classes = sorted(set(packed["label"]) - {""})
    names = classes + ([""] if (packed["label"] == "").any() else [])
    counts = {
        split: {
            label or "no label": int(((packed["split"] == split) & (packed["label"] == label)).sum()) for label in names
        }
        for split in splits
    }
    return {
        **wanted,
        "images": len(packed),
        "patients": int(packed["patient"].nunique()),
        "patients_in_two_splits": patients_in_two_splits(packed),
        "classes": classes,
        "counts": counts,
        "skipped": skipped,
        "content_hash": content.hexdigest(),
    }


def _report(target: Path, skipped: list[dict[str, str]]) -> None:
    if skipped:
        console.warn(f"{len(skipped)} file(s) skipped; {target / 'dataset.yaml'} lists them, such as")
        for entry in skipped[:3]:
            console.warn(f"  {entry['file']}: {entry['reason']}")
    both = read_yaml(target / "dataset.yaml")["patients_in_two_splits"]
    if both:
        console.warn(
            f"{both} patients have images in more than one of the source's own splits: scores on test flatter."
        )


def table(target: Path) -> tuple[list[str], list[list[object]]]:
    """Columns and rows for the reader: images per split and class."""
    description = read_yaml(target / "dataset.yaml")
    counts = description["counts"]
    labels = list(next(iter(counts.values())))
    rows = [[split, *of_split.values(), sum(of_split.values())] for split, of_split in counts.items()]
    rows.append(["all", *(sum(counts[split][label] for split in counts) for label in labels), description["images"]])
    return ["split", *labels, "images"], rows
