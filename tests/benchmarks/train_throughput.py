"""How much of the bare training step's throughput does `xrgan train` keep?

Bare: a training step written down plainly, on batches that already lie in memory as floats: the two updates and the
moving average of the generator's weights; the same networks, loss (bce), batch size, precision and optimizers, and
nothing else (no data, no labels, no record, no checkpoint).
xrgan: `training.train`, whole epochs of a packed dataset: data, average, losses.csv, TensorBoard, grid, checkpoint.
Both take turns within one run, because these machines are noisy; the figure is the median of the ratios.

    python tests/benchmarks/train_throughput.py [--model eigen] [--images 4640] [--epochs 2] [--size 64] [--rounds 3]
"""

import argparse
import contextlib
import copy
import io
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from xrgan import console
from xrgan.config import Config
from xrgan.config_resolve import resolve
from xrgan.data.packed import PackedDataset
from xrgan.gan import setup, training
from xrgan.gan.job import make_job
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.networks.registry import MODELS, build
from xrgan.gan.plan import network_plan, with_recipe
from xrgan.hardware import autocast, choose_device, choose_precision
from xrgan.rundir import RunDir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=4640)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--model", choices=list(MODELS), default="eigen")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    device = choose_device(options.device)
    precision = choose_precision("auto", device)
    steps = options.epochs * (options.images // options.batch_size)
    print(f"{device.type}, {precision}, {options.size}², batch {options.batch_size}, {steps} steps a round")

    bare = bare_steps(options, precision, device)
    bare(10)
    console.configure(quiet=True)
    ratios = []
    for number in range(options.rounds):
        seconds = timed(lambda: bare(steps), device)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            ours = timed(xrgan_run(Path(folder), options, precision, device), device)
        ratios.append(seconds / ours)
        rate, our_rate = (steps * options.batch_size / s for s in (seconds, ours))
        print(f"round {number + 1}: bare {rate:.0f} images/s, xrgan {our_rate:.0f} images/s, ratio {ratios[-1]:.3f}")
    print(f"median ratio {statistics.median(ratios):.3f}  (min {min(ratios):.3f}, max {max(ratios):.3f})")


def wish(options: argparse.Namespace) -> Config:
    plain = {"train.loss": "bce", "train.r1": 0, "train.augment": 0, "model.conditional": False}
    return resolve(flags={"model.name": options.model, "device": options.device, **plain})


def timed(work: object, device: torch.device) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def bare_steps(options: argparse.Namespace, precision: str, device: torch.device):  # type: ignore[no-untyped-def]
    """A function that takes n plain steps on eight batches in memory."""
    config, size, batch_size = with_recipe(wish(options)), options.size, options.batch_size
    generator, discriminator = (net.to(device) for net in build(network_plan(config.model), ImageSpec(size, 1, 0)))
    betas = (config.train.beta1, 0.999)
    optimizers = [torch.optim.Adam(net.parameters(), 2e-4, betas, fused=True) for net in (generator, discriminator)]
    real = torch.rand(8, batch_size, 1, size, size, device=device) * 2 - 1
    z = torch.randn(8, batch_size, config.model.latent_size, device=device)
    average = copy.deepcopy(generator).requires_grad_(False)
    ones, zeros = torch.ones(batch_size, device=device), torch.zeros(batch_size, device=device)

    def run(steps: int) -> None:
        for step in range(steps):
            with autocast(device, precision):
                fake = generator(z[step % 8])
                on_real, on_fake = discriminator(real[step % 8]), discriminator(fake.detach())
            optimizers[1].zero_grad()
            (bce(on_real.float(), 0.9 * ones) + bce(on_fake.float(), zeros)).backward()
            optimizers[1].step()
            discriminator.requires_grad_(False)
            with autocast(device, precision):
                logits = discriminator(fake)
            optimizers[0].zero_grad()
            bce(logits.float(), ones).backward()
            optimizers[0].step()
            discriminator.requires_grad_(True)
            with torch.no_grad():
                for mean, weight in zip(average.parameters(), generator.parameters(), strict=True):
                    mean.lerp_(weight, 0.02)

    return run


def noise_dataset(folder: Path, number: int, size: int, classes: tuple[str, ...] = ()) -> PackedDataset:
    """A packed dataset of noise images in a folder, all for training; the classes take turns."""
    images = np.random.default_rng(0).integers(0, 256, (number, 1, size, size), np.uint8)
    np.save(folder / "images.npy", images)
    return PackedDataset(
        path=folder,
        name="noise",
        images=np.load(folder / "images.npy", mmap_mode="r"),
        labels=np.arange(number) % len(classes) if classes else np.full(number, -1, np.int64),
        splits=np.full(number, "train"),
        patients=np.arange(number).astype(str),
        classes=classes,
        content_hash="",
    )


def xrgan_run(folder: Path, options: argparse.Namespace, precision: str, device: torch.device):  # type: ignore[no-untyped-def]
    """A function that trains a fresh run, as the command does."""
    dataset = noise_dataset(folder, options.images, options.size)
    flags = {"train.epochs": options.epochs, "train.batch_size": options.batch_size, "train.precision": precision}
    config = setup.resolve_auto(resolve(wish(options), flags=flags), dataset, device)
    job = make_job(RunDir(folder / "run"), dataset, config, device)
    setup.create_run(job, config)
    return lambda: training.train(job)


if __name__ == "__main__":
    main()
