"""Many files → squares, in their order, by as many processes as there are cores.

A file that can't be read is recorded with its reason and skipped.
"""

import hashlib
import os
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xrgan.data.preparing.resize import ImageFormat, read_masks, read_resized
from xrgan.errors import XrganError

FEW_IMAGES = 256  # fewer are decoded here: starting processes would take longer
CHUNK = 16  # images that a process takes at a time
CHUNKS_AHEAD = 4  # for each process: what waits to be written stays bounded


class Entry(NamedTuple):
    """What is to be decoded; the columns of `scan` of these names."""

    file: str
    mask: str
    boxes: str


class Fact(NamedTuple):
    """What became of a file: facts of the image, or the reason why there is none."""

    width: int = 0
    height: int = 0
    kind: str = ""
    content: str = ""  # hash of the image's own channels
    checksum: str = ""  # of all its bytes in images.npy; empty where there are none
    reason: str = ""


class Decoded(NamedTuple):
    """What a worker hands back of some files: the squares' bytes one after the other, and one fact per file."""

    pixels: bytes
    facts: list[Fact]


def decode_all(raw: Path, entries: Sequence[Entry], image_format: ImageFormat, workers: int) -> Iterator[Decoded]:
    """Decode every file below `raw`, in order, some at a time.

    Args:
        workers: processes; 0 = one per core that this one may use: a container or a batch job may have few of many.

    Raises:
        XrganError: a process was killed.
    """
    if not workers:
        from joblib import cpu_count  # here: the processes that decode have no use for it

        workers = cpu_count()
    task = partial(_decode_some, raw, image_format)
    chunks = (entries[start : start + CHUNK] for start in range(0, len(entries), CHUNK))
    if workers == 1 or len(entries) < FEW_IMAGES:
        yield from map(task, chunks)
        return
    # Forked children of a process with threads (rich's bar) can hang: start them fresh.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_the_parent) as pool:
        waiting: deque[Future[Decoded]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(task, chunk))
                if len(waiting) == CHUNKS_AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise XrganError(
                "A process that decodes images was killed, probably for want of memory.", "Try it with --workers 1."
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_the_parent() -> None:
    """A worker whose parent was killed would wait for ever for work."""
    parent = parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _decode_some(raw: Path, image_format: ImageFormat, entries: Sequence[Entry]) -> Decoded:
    decoded = [_decode(raw, image_format, entry) for entry in entries]
    return Decoded(b"".join(pixels for pixels, _ in decoded), [fact for _, fact in decoded])


def _decode(raw: Path, image_format: ImageFormat, entry: Entry) -> tuple[bytes, Fact]:
    if not _is_utf8(entry.file):
        return b"", Fact(reason="its name is not UTF-8")
    try:
        pixels, picture = read_resized(raw / entry.file, image_format)
        content = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
        if image_format.structures:
            files = [raw / file for file in entry.mask.split("|") if file]
            shown = read_masks(files, entry.boxes, image_format, picture.width, picture.height, raw)
            pixels = np.concatenate([pixels, shown])
    except ValueError as error:
        return b"", Fact(reason=str(error))
    except MemoryError:
        return b"", Fact(reason="it takes more memory than there is")
    whole = pixels.tobytes()
    return whole, Fact(picture.width, picture.height, picture.kind, content, f"{zlib.crc32(whole):08x}")


def _is_utf8(name: str) -> bool:
    """Python keeps foreign bytes of a file's name as lone surrogates, which index.csv could not hold."""
    return not any("\ud800" <= character <= "\udfff" for character in name)
