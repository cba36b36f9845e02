"""How much of the bare generator's rate does `xrgan sample` keep, PNGs and index included?

    python tests/benchmarks/sample_throughput.py [--n 1024] [--size 64] [--rounds 3]

Bare: the same generator on latents in memory, in blocks of the same size, nothing written. Plain: that, followed by
Pillow's `save`, which anybody pays. The figure is the median ratio of the rates, xrgan / plain.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

from xrgan import console
from xrgan.config_resolve import resolve
from xrgan.gan import sample_folder
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.networks.registry import build
from xrgan.gan.plan import network_plan, with_recipe
from xrgan.gan.sampler import BLOCK, Sampler, generate
from xrgan.hardware import choose_device


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1024)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    console.configure(quiet=True)
    device = choose_device("auto")
    plan = network_plan(with_recipe(resolve()).model)
    generator, _ = build(plan, ImageSpec(options.size, 1, 0))
    generator = generator.to(device).eval()
    sampler = Sampler(generator, ImageSpec(options.size, 1, 0), plan.latent_size, (), (), device, 0, True)
    z = torch.randn(options.n, plan.latent_size)
    ratios = []
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            images = [generate(generator, part, None, options.size) for part in z.split(BLOCK)]
            bare = time.perf_counter() - start
            for k, image in enumerate(image for block in images for image in block):
                Image.fromarray(image[0]).save(Path(folder) / f"{k}.png")
            plain = time.perf_counter() - start
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            sample_folder.fill(sampler, Path(folder), options.n, 0)
            ours = time.perf_counter() - start
        ratios.append(plain / ours)
        rates = " ".join(
            f"{name} {options.n / s:.0f}" for name, s in [("bare", bare), ("plain", plain), ("xrgan", ours)]
        )
        print(f"round {number + 1}: images/s {rates}; xrgan / plain {ratios[-1]:.2f}")
    print(f"median ratio {statistics.median(ratios):.2f}  (min {min(ratios):.2f}, max {max(ratios):.2f})")


if __name__ == "__main__":
    main()
