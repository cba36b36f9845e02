"""Images → features of a network, extracted once and kept: in blocks, so that an interrupted extraction resumes."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xrgan import console, ranks
from xrgan.downloads import cache_dir
from xrgan.evaluation.extractors import Extractor, Network
from xrgan.files import replacing
from xrgan.hardware import upload

BATCH_IMAGES = 32  # bounds the memory: 0.4 GB of float32 at 1024²
BLOCK_IMAGES = 256  # one file each in the cache: sets that begin with the same images share their blocks
CACHE_BYTES = 2_000_000_000  # 12 kB per image: about 160,000 images

Features = dict[int, NDArray[np.float32]]
Batches = list[NDArray[np.uint8]]

_is_shared: ContextVar[bool] = ContextVar("is_shared", default=False)


def extract(images: NDArray[np.uint8], extractor: Extractor, description: str) -> Features:
    """Extract the features of every image, or read them from the cache where these images were seen before.

    Args:
        images: uint8 (N, C, H, W), C = 1 or 3, N ≥ 1, any H and W.
        description: what the progress bar calls the images.

    Returns:
        layer → float32 (N, layer) for every layer of the extractor, from one pass.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be uint8 (N, 1 or 3, H, W), not {images.dtype} {images.shape}")
    blocks = [images[start : start + BLOCK_IMAGES] for start in range(0, len(images), BLOCK_IMAGES)]
    files = [cache_dir() / "features" / f"{_key(block, extractor)}.npz" for block in blocks]
    found = [_read(file, len(block), extractor.layers) for file, block in zip(files, blocks, strict=True)]
    missing = [k for k, joined in enumerate(found) if joined is None]
    if missing:
        network, kept = extractor.load(), True
        at_once = ranks.size() if _is_shared.get() else 1
        with console.progress(description, sum(len(blocks[k]) for k in missing)) as bar:
            for first in range(0, len(missing), at_once):
                some = missing[first : first + at_once]
                for k, block in zip(some, _run(network, [blocks[k] for k in some], extractor, bar), strict=True):
                    found[k] = block
                    kept = kept and _write(files[k], block)
    joined = np.concatenate([block for block in found if block is not None])
    return dict(zip(extractor.layers, np.split(joined, np.cumsum(extractor.layers)[:-1], axis=1), strict=True))


def content_hash(images: NDArray[np.uint8]) -> str:
    """Compute the SHA-256 of the pixels and their shape; reads a memory map piece by piece."""
    digest = hashlib.sha256(repr(images.shape).encode())
    for start in range(0, len(images), BATCH_IMAGES):
        digest.update(images[start : start + BATCH_IMAGES].tobytes())
    return digest.hexdigest()


def _key(images: NDArray[np.uint8], extractor: Extractor) -> str:
    """What a block's features are found by; a GPU's differ in their last bits from those of a CPU."""
    on = "" if extractor.device.type == "cpu" else f" {extractor.device.type}"
    return hashlib.sha256(f"{extractor.identity} {content_hash(images)}{on}".encode()).hexdigest()


@contextmanager
def shared() -> Iterator[None]:
    """Let the other processes, each in `help_first`, extract their share of what this one, the first, is asked for."""
    if ranks.size() == 1:
        yield
        return
    token = _is_shared.set(True)
    try:
        yield
    finally:
        _is_shared.reset(token)
    ranks.deal([None] * ranks.size())  # that was all


def help_first(extractor: Callable[[], Extractor]) -> None:
    """Extract the share of this process of the batches that the first one deals, until its `shared` ends.

    Args:
        extractor: called where there is something to do.
    """
    made: Extractor | None = None
    share: Batches | None
    while (share := ranks.deal()) is not None:
        made = made or extractor()
        ranks.gathered(_answers(made.load(), share, made, None))


def _run(
    network: Network, blocks: Sequence[NDArray[np.uint8]], extractor: Extractor, bar: console.Bar
) -> list[NDArray[np.float32]]:
    """Extract the features of some blocks, all layers side by side: (B, Σ layers) each.

    The batches are the same however many processes share them, and so is every bit.
    """
    batches = [block[start : start + BATCH_IMAGES] for block in blocks for start in range(0, len(block), BATCH_IMAGES)]
    if not _is_shared.get():
        answers = [_answers(network, batches, extractor, bar)]
    else:
        places = np.array_split(np.arange(len(batches)), ranks.size())
        own = ranks.deal([[np.array(batches[k]) for k in of_one] for of_one in places])
        answers = ranks.gathered(_answers(network, own, extractor, bar))
        bar.advance(sum(map(len, batches)) - sum(map(len, own)))
    return np.split(np.concatenate(answers), np.cumsum([len(block) for block in blocks])[:-1])


def _answers(network: Network, batches: Batches, extractor: Extractor, bar: console.Bar | None) -> NDArray[np.float32]:
    """What the network says of some batches, of none, too: (N, Σ layers)."""
    if not batches:
        return np.empty((0, sum(extractor.layers)), np.float32)
    answers: list[torch.Tensor] = []
    with torch.inference_mode():
        for images in batches:
            (batch,) = upload([np.array(images)], extractor.device)
            answers.append(torch.cat([layer.float() for layer in network(batch)], dim=1))
            if bar:
                bar.advance(len(batch))
    joined: NDArray[np.float32] = torch.cat(answers).cpu().numpy()
    return joined


def _read(file: Path, n: int, layers: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Read the features of an earlier call; None where there are none or the file was damaged."""
    try:
        # Opened here, because numpy leaves a torn file open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            joined: NDArray[np.float32] = stored["features"]  # (N, Σ layers)
        os.utime(file)  # the least recently used one is the first to go
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return joined if joined.shape == (n, sum(layers)) and joined.dtype == np.float32 else None


def _write(file: Path, joined: NDArray[np.float32]) -> bool:
    """Keep features; False where they could not be, and the user is told."""
    try:
        with replacing(file) as temporary, temporary.open("wb") as out:
            np.savez(out, features=joined)
        _forget_oldest(file.parent)
    except OSError as error:
        console.notice(f"The features are not kept: {file.parent} can't be written ({error.strerror}).")
        return False
    return True


def _forget_oldest(folder: Path) -> None:
    files = [(file.stat().st_mtime_ns, file.stat().st_size, file) for file in folder.glob("*.npz")]
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files)[:-1]:
        if total <= CACHE_BYTES:
            return
        file.unlink(missing_ok=True)
        total -= size
