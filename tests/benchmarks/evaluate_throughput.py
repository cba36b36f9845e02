"""How fast are Inception's features, beside torch-fidelity's own network and loop, and how near are they to its?

    python tests/benchmarks/evaluate_throughput.py [--n 64] [--size 64] [--rounds 5]

Both extract all four layers from the same gray images, already in memory, and take turns within one run: torch-fidelity
as it comes (batches of 64 from its DataLoader), xrgan as `xrgan evaluate` calls it, its hashing and its cache included.
The figures are the median ratio of the rates, and the relative difference of the features.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.utils import get_featuresdict_from_dataset

from xrgan import console
from xrgan.evaluation.extractors import inception
from xrgan.evaluation.features import extract
from xrgan.evaluation.inception import LAYERS, published_network
from xrgan.evaluation.inception_weights import fetch_weights
from xrgan.evaluation.scores_file import INCEPTION
from xrgan.hardware import choose_device

TORCH_FIDELITY_BATCH = 64  # its default
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=64)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    console.configure(quiet=True)
    device, weights = choose_device("auto"), fetch_weights()
    theirs, ours = torch_fidelity(weights, device), inception(weights, device)
    rng = np.random.default_rng(0)
    ratios, worst = [], 0.0
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XRGAN_CACHE"] = cache  # features are cached by content: every round has images of its own
        for number in range(options.rounds + 1):
            images = rng.integers(0, 256, (options.n, 1, options.size, options.size), np.uint8)
            expected, before = timed(lambda these=images: theirs(these))
            found, after = timed(lambda these=images: extract(these, ours, "Features"))
            worst = max(worst, *(relative_difference(found[layer], expected[str(layer)]) for layer in LAYERS))
            if number == 0:
                continue  # both make themselves ready
            ratios.append(before / after)
            rates = f"torch-fidelity {options.n / before:.2f} images/s, xrgan {options.n / after:.2f} images/s"
            print(f"round {number}: {rates}, ratio {ratios[-1]:.2f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.2f} (min {min(ratios):.2f}, max {max(ratios):.2f})")
    print(f"relative difference of the features, at most, of any layer: {worst:.1e}")


def torch_fidelity(weights: Path, device: torch.device) -> Callable[[NDArray[np.uint8]], dict[str, Tensor]]:
    """Make torch-fidelity's network and loop a function of images."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.pth"
        torch.save(published_network(weights).state_dict(), state)
        layers = [str(layer) for layer in LAYERS]
        network = FeatureExtractorInceptionV3(INCEPTION, layers, feature_extractor_weights_path=str(state)).to(device)

    def run(images: NDArray[np.uint8]) -> dict[str, Tensor]:
        rgb = _Rgb(images)
        on_cuda = device.type == "cuda"
        return dict(get_featuresdict_from_dataset(rgb, network, TORCH_FIDELITY_BATCH, on_cuda, True, False))

    return run


class _Rgb(torch.utils.data.Dataset[Tensor]):
    """uint8 (N, 1, H, W) as N images of three equal channels."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self.images = torch.from_numpy(images)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, k: int) -> Tensor:
        return self.images[k].expand(3, -1, -1)


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """What a call returns, and its seconds."""
    start = time.perf_counter()
    returned = call()
    return returned, time.perf_counter() - start


def relative_difference(found: NDArray[np.float32], expected: Tensor) -> float:
    return float(np.linalg.norm(found - expected.numpy()) / np.linalg.norm(expected.numpy()))


if __name__ == "__main__":
    main()
