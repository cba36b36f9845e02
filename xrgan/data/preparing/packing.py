"""Rows → images.npy and what became of each, written as they come: an interrupted packing goes on where it stopped.

It grows in one folder: images.npy, journal.csv (a line a row), wish.yaml (what the rows and options were).
"""

import csv
import io
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan import console
from xrgan.data.preparing.decoding import Decoded, Entry, Fact, decode_all
from xrgan.data.preparing.fingerprint import perceptual_hash
from xrgan.data.preparing.squares import Square
from xrgan.data.staging import remove
from xrgan.files import read_yaml, write_yaml

IMAGES, JOURNAL, WISH = "images.npy", "journal.csv", "wish.yaml"
HEADER_BYTES = 128  # of a .npy file of four dimensions
BLOCK = 1024  # images copied at a time


def pack(
    raw: Path, rows: pd.DataFrame, square: Square, workers: int, folder: Path, wish: dict[str, Any]
) -> pd.DataFrame:
    """Decode every row into folder/images.npy, in the rows' order; memory holds a few images at a time.

    Args:
        rows: columns file, mask and boxes.
        wish: names the rows and options: what `folder` holds of the same wish is kept, of another one thrown away.

    Returns:
        A row for each of `rows`: width, height, kind, content, perceptual, and reason ("" = packed).

    Raises:
        XrganError: a process was killed.
    """
    whole = all((folder / name).is_file() for name in (WISH, IMAGES, JOURNAL))
    if not whole or read_yaml(folder / WISH) != wish:
        _start(folder, wish)
    done = _resume(folder, _bytes_of(square))
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
        for decoded in decode_all(raw, entries, square, workers):
            images.write(decoded.pixels)
            write(_lines(decoded, square))
            bar.advance(len(decoded.facts))
    return _read_journal(folder).drop(columns="checksum")


def finish(folder: Path, square: Square, keep: NDArray[np.bool_]) -> None:
    """Make images.npy a whole .npy file of the images to keep, (sum(keep), C + M, size, size)."""
    file = folder / IMAGES
    if not keep.all():
        _cut_out(file, _bytes_of(square), keep)
    with file.open("r+b") as opened:
        _write_header(opened, (int(keep.sum()), *_shape_of(square)))


def read_xray(folder: Path, square: Square, number: int) -> NDArray[np.uint8]:
    """One X-ray of those packed so far, (C, size, size); not by a memory map: its pages would count as memory."""
    size = _bytes_of(square)
    pixels = np.fromfile(folder / IMAGES, np.uint8, size, offset=HEADER_BYTES + number * size)
    return pixels.reshape(_shape_of(square))[: square.channels]


def _start(folder: Path, wish: dict[str, Any]) -> None:
    remove(folder)
    folder.mkdir(parents=True)
    (folder / IMAGES).write_bytes(b"\0" * HEADER_BYTES)
    (folder / JOURNAL).touch()
    write_yaml(folder / WISH, wish)


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


def _lines(decoded: Decoded, square: Square) -> list[tuple[object, ...]]:
    """The facts, each with the perceptual hash: made here and not by the workers, that start sooner without SciPy."""
    xrays = iter(np.frombuffer(decoded.pixels, np.uint8).reshape(-1, *_shape_of(square))[:, : square.channels])
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


def _shape_of(square: Square) -> tuple[int, int, int]:
    return square.channels + len(square.structures), square.size, square.size


def _bytes_of(square: Square) -> int:
    return int(np.prod(_shape_of(square)))
