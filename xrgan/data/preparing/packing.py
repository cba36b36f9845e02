"""Rows → images.npy and what became of each, written as they come: an interrupted packing is resumed.

It grows in one folder: images.npy, journal.csv (one line per row), wish.yaml (the inputs).
"""

import csv
import io
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.preparing.dataset_card import Inputs
from xrgan.data.preparing.decoding import Decoded, Entry, Fact, decode_all
from xrgan.data.preparing.duplicates import perceptual_hash
from xrgan.data.preparing.resize import ImageFormat
from xrgan.data.staging import remove
from xrgan.errors import XrganError
from xrgan.files import read_yaml, write_yaml

IMAGES, JOURNAL, INPUTS = "images.npy", "journal.csv", "wish.yaml"
HEADER_BYTES = 128  # of a .npy file of four dimensions
BLOCK = 1024  # images copied at a time


def pack(
    raw: Path, rows: pd.DataFrame, image_format: ImageFormat, workers: int, folder: Path, inputs: Inputs
) -> pd.DataFrame:
    """Decode every row into folder/images.npy, in the rows' order; memory holds a few images at a time.

    Args:
        rows: columns file, mask and boxes.
        inputs: what decides the result: what `folder` holds of the same inputs is kept, of others thrown away.

    Returns:
        A row for each of `rows`: width, height, kind, content, perceptual, and reason ("" = packed).

    Raises:
        XrganError: a process was killed.
    """
    if not _can_go_on(folder, inputs):
        _start(folder, inputs)
    done = _resume(folder, _bytes_of(image_format))
    if done:
        console.notice(f"Going on where an earlier preparation was interrupted: {done:,} of {len(rows):,} are done.")
    entries = [Entry(*cells) for cells in rows[["file", "mask", "boxes"]].iloc[done:].itertuples(index=False)]
    with (
        (folder / IMAGES).open("ab") as images,
        (folder / JOURNAL).open("a", newline="", encoding="utf-8") as journal,
        console.progress("Preparing", len(rows)) as bar,
    ):
        bar.advance(done)
        write = csv.writer(journal, lineterminator="\n").writerows
        for decoded in decode_all(raw, entries, image_format, workers):
            images.write(decoded.pixels)
            write(_lines(decoded, image_format))
            bar.advance(len(decoded.facts))
    return _read_journal(folder).drop(columns="checksum")


def finish(folder: Path, image_format: ImageFormat, keep: NDArray[np.bool_]) -> None:
    """Make images.npy a whole .npy file of the images to keep, (sum(keep), C + M, size, size)."""
    file = folder / IMAGES
    if not keep.all():
        _cut_out(file, _bytes_of(image_format), keep)
    with file.open("r+b") as opened:
        _write_header(opened, (int(keep.sum()), *_shape_of(image_format)))


def read_xray(folder: Path, image_format: ImageFormat, number: int) -> NDArray[np.uint8]:
    """One X-ray of those packed so far, (C, size, size); not by a memory map: its pages would count as memory."""
    size = _bytes_of(image_format)
    pixels = np.fromfile(folder / IMAGES, np.uint8, size, offset=HEADER_BYTES + number * size)
    return pixels.reshape(_shape_of(image_format))[: image_format.channels]


def _can_go_on(folder: Path, inputs: Inputs) -> bool:
    """Whether an earlier preparation of the same inputs left what can be read."""
    if not all((folder / name).is_file() for name in (INPUTS, IMAGES, JOURNAL)):
        return False
    try:
        _read_journal(folder)
        return read_yaml(folder / INPUTS) == inputs
    except (XrganError, ValueError):  # damaged: what is lost is time
        return False


def _start(folder: Path, inputs: Inputs) -> None:
    remove(folder)
    folder.mkdir(parents=True)
    (folder / IMAGES).write_bytes(b"\0" * HEADER_BYTES)
    (folder / JOURNAL).touch()
    write_yaml(folder / INPUTS, inputs)


def _resume(folder: Path, size: int) -> int:
    """How many rows are done; both files are cut back to where they agree, as a power cut may have torn either."""
    whole = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(whole[: whole.rfind(b"\n") + 1])
    done = packed = 0
    with (folder / IMAGES).open("r+b") as images:
        images.seek(HEADER_BYTES)
        for checksum in _read_journal(folder)["checksum"]:
            if checksum and f"{zlib.crc32(images.read(size)):08x}" != checksum:
                break
            done, packed = done + 1, packed + bool(checksum)
        images.truncate(HEADER_BYTES + packed * size)
    lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
    (folder / JOURNAL).write_bytes(b"".join(lines[:done]))
    return done


def _lines(decoded: Decoded, image_format: ImageFormat) -> list[tuple[object, ...]]:
    """The facts, each with the perceptual hash: made here and not by the workers, that start sooner without SciPy."""
    pixels = np.frombuffer(decoded.pixels, np.uint8).reshape(-1, *_shape_of(image_format))
    xrays = iter(pixels[:, : image_format.channels])
    return [(*fact, "" if fact.reason else perceptual_hash(next(xrays))) for fact in decoded.facts]


def _read_journal(folder: Path) -> pd.DataFrame:
    text = (folder / JOURNAL).read_text(encoding="utf-8")
    return pd.read_csv(io.StringIO(text), names=[*Fact._fields, "perceptual"], dtype=str, keep_default_na=False)


def _cut_out(file: Path, size: int, keep: NDArray[np.bool_]) -> None:
    """Close the gaps that images which are not kept would leave, in place."""
    pixels = np.memmap(file, np.uint8, "r+", HEADER_BYTES, (len(keep), size))
    kept = np.flatnonzero(keep)
    for start in range(0, len(kept), BLOCK):
        part = kept[start : start + BLOCK]
        pixels[start : start + len(part)] = pixels[part]
    pixels.flush()
    del pixels
    with file.open("r+b") as opened:
        opened.truncate(HEADER_BYTES + len(kept) * size)


def _write_header(out: BinaryIO, shape: tuple[int, ...]) -> None:
    """A .npy header; numpy pads it, so that it takes the place that was kept for it."""
    np.lib.format.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert out.tell() == HEADER_BYTES


def _shape_of(image_format: ImageFormat) -> tuple[int, int, int]:
    return image_format.channels + len(image_format.structures), image_format.size, image_format.size


def _bytes_of(image_format: ImageFormat) -> int:
    return int(np.prod(_shape_of(image_format)))
