"""How long does `xrgan prepare` take beside decoding and resizing the same files with Pillow in as many processes?

    python tests/benchmarks/prepare_throughput.py FOLDER [--size 64] [--rounds 3]

FOLDER is any tree of PNG and JPEG files, such as data/raw/kermany. Both take turns within one run; the figure is the
median ratio of the times, xrgan / Pillow. xrgan also looks for duplicates, assigns splits, hashes, and writes the
dataset with its preview.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from joblib import cpu_count

PLAIN = Path(__file__).with_name("plain_pillow.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # Here, because the processes of a pool import what their parent script imports, and the command's imports are few.
    from xrgan import console
    from xrgan.config import PrepareConfig
    from xrgan.data.prepare import prepare

    console.configure(quiet=True)
    workers = cpu_count()
    ratios = []
    for number in range(options.rounds):
        plain = pillow(options.folder, options.size, workers)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            prepare(options.folder, Path(folder), PrepareConfig(size=options.size, masks="none"))
            ours = time.perf_counter() - start
        ratios.append(ours / plain)
        print(f"round {number + 1}: Pillow {plain:.2f} s, xrgan {ours:.2f} s, ratio {ratios[-1]:.2f}", flush=True)
    ends = f"(min {min(ratios):.2f}, max {max(ratios):.2f})"
    print(f"{options.size}², {workers} processes: median ratio {statistics.median(ratios):.2f} {ends}")


def pillow(folder: Path, size: int, workers: int) -> float:
    command = [sys.executable, str(PLAIN), str(folder), str(size), str(workers)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
