"""The plain way of preparing: decode and resize with Pillow in a pool of processes. Prints the seconds that it took.

    python tests/benchmarks/plain_pillow.py FOLDER SIZE PROCESSES

A script of its own, so that its processes import Pillow and nothing else.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from PIL import Image, ImageOps

EXTENSIONS = {".png", ".jpg", ".jpeg"}


def decode(size: int, file: Path) -> bytes:
    with Image.open(file) as image:
        return ImageOps.pad(image.convert("L"), (size, size), Image.Resampling.LANCZOS).tobytes()


def main() -> None:
    folder, size, processes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    start = time.perf_counter()
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(partial(decode, size), files, chunksize=16):
            pass
    print(time.perf_counter() - start)


if __name__ == "__main__":
    main()
