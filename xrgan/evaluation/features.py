"""Images → Inception features, extracted once and kept."""

import functools
import hashlib
import os
import zipfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from xrgan import console
from xrgan.evaluation.inception import cache_dir, weights_file
from xrgan.evaluation.network import LAYERS, NAME, Inception, load_network
from xrgan.files import replacing

BATCH_IMAGES = 32  # bounds the memory: 0.4 GB of float32 at 1024²
CACHE_BYTES = 2_000_000_000  # 12 kB an image: about 160,000 images

Features = dict[int, NDArray[np.float32]]


def extract(images: NDArray[np.uint8], weights: Path, device: torch.device | str, description: str) -> Features:
    """Inception features of every image, from the cache where these images were seen before.

    Args:
        images: uint8 (N, C, H, W), C = 1 (gray, shown to the network as three equal channels) or 3, any H and W.
        weights: one of the two files that `fetch_weights` gives.
        description: what the progress bar calls the images.

    Returns:
        layer → float32 (N, layer) for every layer of LAYERS, from one pass.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise ValueError(f"images must be uint8 (N, 1 or 3, H, W), not {images.dtype} {images.shape}")
    file = cache_dir() / "features" / f"{_key(images, weights)}.npz"
    features = _read(file, len(images))
    if features is None:
        features = _run_network(images, weights, torch.device(device), description)
        _write(file, features)
    return features


def content_hash(images: NDArray[np.uint8]) -> str:
    """SHA-256 of the pixels and their shape; reads a memory map piece by piece."""
    digest = hashlib.sha256(repr(images.shape).encode())
    for start in range(0, len(images), BATCH_IMAGES):
        digest.update(images[start : start + BATCH_IMAGES].tobytes())
    return digest.hexdigest()


def _key(images: NDArray[np.uint8], weights: Path) -> str:
    # The network stands in it by name, because a file of weights says nothing about the resize before them.
    what = f"{NAME} {LAYERS} {weights_file(weights).sha256} {content_hash(images)}"
    return hashlib.sha256(what.encode()).hexdigest()


@functools.lru_cache(maxsize=1)
def _network(weights: Path, device: torch.device) -> Inception:
    return load_network(weights, device)


def _run_network(images: NDArray[np.uint8], weights: Path, device: torch.device, description: str) -> Features:
    network = _network(weights, device)
    batches: list[tuple[torch.Tensor, ...]] = []
    with torch.inference_mode(), console.progress(description, len(images)) as bar:
        for start in range(0, len(images), BATCH_IMAGES):
            batch = torch.from_numpy(np.array(images[start : start + BATCH_IMAGES])).to(device)  # (B, C, H, W)
            features = network(batch.expand(-1, 3, -1, -1))
            batches.append(tuple(layer.cpu() for layer in features))
            bar.advance(len(batch))
    return {layer: torch.cat(parts).numpy() for layer, parts in zip(LAYERS, zip(*batches, strict=True), strict=True)}


def _read(file: Path, n: int) -> Features | None:
    """The features of an earlier call; None where there are none or the file was damaged."""
    try:
        # Opened here, because numpy leaves a torn file open.
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
            joined: NDArray[np.float32] = stored["features"]  # (N, 64 + … + 2048)
        os.utime(file)  # the least recently used one is the first to go
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if joined.shape != (n, sum(LAYERS)) or joined.dtype != np.float32:
        return None
    return dict(zip(LAYERS, np.split(joined, np.cumsum(LAYERS)[:-1], axis=1), strict=True))


def _write(file: Path, features: Features) -> None:
    try:
        with replacing(file) as temporary, temporary.open("wb") as out:
            np.savez(out, features=np.concatenate([features[layer] for layer in LAYERS], axis=1))
        _forget_oldest(file.parent)
    except OSError as error:
        console.notice(f"The features are not kept: {file.parent} can't be written ({error.strerror}).")


def _forget_oldest(folder: Path) -> None:
    files = [(file.stat().st_mtime_ns, file.stat().st_size, file) for file in folder.glob("*.npz")]
    total = sum(size for _, size, _ in files)
    for _, size, file in sorted(files)[:-1]:
        if total <= CACHE_BYTES:
            return
        file.unlink(missing_ok=True)
        total -= size
