"""How long does `xrgan prepare` take beside decoding and resizing the same files with Pillow in as many processes?

    python tests/benchmarks/prepare_throughput.py FOLDER [--size 64] [--rounds 3]

FOLDER is any tree of images, such as data/raw/kermany. Both take turns within one run; the figure is the median ratio
of the times, xrgan / Pillow.
"""

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from PIL import Image, ImageOps

from xrgan import console
from xrgan.config import PrepareConfig
from xrgan.data.images import find_images
from xrgan.data.prepare import prepare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console.configure(quiet=True)
    files = find_images(options.folder)
    workers = os.cpu_count() or 1
    print(f"{len(files)} files, {options.size}², {workers} processes")
    ratios = []
    for number in range(options.rounds):
        start = time.perf_counter()
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for _ in pool.map(partial(pillow, options.size), files, chunksize=16):
                pass
        plain = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            prepare(options.folder, Path(folder), PrepareConfig(size=options.size))
            ours = time.perf_counter() - start
        ratios.append(ours / plain)
        print(f"round {number + 1}: Pillow {plain:.2f} s, xrgan {ours:.2f} s, ratio {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}  (min {min(ratios):.2f}, max {max(ratios):.2f})")


def pillow(size: int, file: Path) -> bytes:
    with Image.open(file) as image:
        return ImageOps.pad(image.convert("L"), (size, size), Image.Resampling.LANCZOS).tobytes()


if __name__ == "__main__":
    main()
