"""How much of the bare Inception network's rate does `xrgan evaluate` keep when it extracts features?

    python tests/benchmarks/evaluate_throughput.py [--n 96] [--size 64] [--rounds 3]

Bare: the same network on the same batches, already in memory as it wants them. Both take turns within one run; the
figure is the median ratio of the rates.
"""

import argparse
import os
import statistics
import tempfile
import time

import numpy as np
import torch

from xrgan import console
from xrgan.evaluation.extractors import inception
from xrgan.evaluation.features import BATCH_IMAGES, extract
from xrgan.evaluation.inception import load_network
from xrgan.evaluation.inception_weights import fetch_weights
from xrgan.hardware import choose_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=96)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console.configure(quiet=True)
    device, weights = choose_device("auto"), fetch_weights()
    network, extractor = load_network(weights, device), inception(weights, device)
    rng = np.random.default_rng(0)
    ratios = []
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XRGAN_CACHE"] = cache  # features are cached by content: every round has images of its own
        for number in range(options.rounds):
            images = rng.integers(0, 256, (options.n, 1, options.size, options.size), np.uint8)
            batches = torch.from_numpy(images).expand(-1, 3, -1, -1).contiguous().to(device).split(BATCH_IMAGES)
            start = time.perf_counter()
            with torch.inference_mode():
                for batch in batches:
                    network(batch)
            bare = time.perf_counter() - start
            start = time.perf_counter()
            extract(images, extractor, "Features")
            ours = time.perf_counter() - start
            ratios.append(bare / ours)
            rates = f"bare {options.n / bare:.1f} images/s, xrgan {options.n / ours:.1f} images/s"
            print(f"round {number + 1}: {rates}, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f}  (min {min(ratios):.3f}, max {max(ratios):.3f})")


if __name__ == "__main__":
    main()
