"""How much longer an epoch's images take from a cold disk than from memory, read ahead and not: of a prepared dataset.

    python tests/benchmarks/cold_reads.py data/prepared/NAME --batch-size 64 --steps 200 --step-ms 20

A training step is a pause here, as it is for the CPU while a GPU computes. The file is taken out of the page cache
before each cold round (posix_fadvise, Linux). As `train` does: it is read through first, in its order, to see that it
is unchanged, which isn't timed here; then it is read ahead.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch

from xrgan.data.packed import check_content, open_packed
from xrgan.gan.batches import Batches
from xrgan.gan.pixels import PixelStore


def forget(file: Path) -> None:
    """Take a file out of the page cache."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--step-ms", type=float, default=20)
    options = parser.parse_args()
    file = options.dataset / "images.npy"

    def seconds(way: str) -> float:
        dataset = open_packed(options.dataset)
        batches = Batches(dataset, dataset.of_split("train"), options.batch_size, 0, False)
        store = PixelStore(batches, torch.device("cpu"))
        begun = time.perf_counter()
        for step in range(options.steps):
            if way in {"as train", "read ahead"}:
                store.read(step)
            elif way == "read when wanted":
                batches.read(store.places(step))
            else:
                np.array(dataset.images[batches.indices[store.places(step)]])
            time.sleep(options.step_ms / 1000)
        return time.perf_counter() - begun

    for way in ("as train", "read ahead", "read when wanted", "memory map"):
        forget(file)
        if way == "as train":
            check_content(open_packed(options.dataset))
        cold, warm = seconds(way), seconds(way)
        print(f"{way:<17} cold {cold:6.2f} s, warm {warm:6.2f} s: {cold / warm:.2f} times", flush=True)


if __name__ == "__main__":
    main()
