"""Where does the time of a training step go? Each part's share of a step of the default, which learns from 16 images.

On noise images, with two classes; a network that grows is measured fully grown. Parts take turns, in seconds of the
process's own CPU time: other programs on the cores change them little. Medians.

    OMP_NUM_THREADS=1 python tests/benchmarks/step_parts.py [--sizes 64,128] [--rounds 20]

- reading: the batch, its latents, and what augmentation does to it
- generator: drawing, and the gradient from the drawn images to its weights
- frozen network: what the discriminator sees of real images, of drawn ones, and the gradient from there to the image
- heads: the update of the discriminator, and its gradient on the way to the generator
- the rest: augmentation of both, the generator's optimizer and its moving average
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from train_throughput import noise_dataset

from xrgan import console
from xrgan.config_resolve import resolve
from xrgan.gan import setup
from xrgan.gan.augment import augment
from xrgan.gan.feed import feed
from xrgan.gan.job import Job, make_job
from xrgan.gan.state import TrainState, grow, start
from xrgan.gan.step import show, train_discriminator, train_step
from xrgan.hardware import autocast, choose_device
from xrgan.rundir import RunDir

Parts = dict[str, float]  # → seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="64,128")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    console.configure(quiet=True)
    for size in map(int, options.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            show_shares(size, rounds(job_of(Path(folder), size, options.images), options.rounds))


def job_of(folder: Path, size: int, images: int) -> Job:
    device = choose_device("cpu")
    dataset = noise_dataset(folder, images, size, classes=("one", "other"))
    config = setup.resolve_auto(resolve(flags={"device": "cpu"}), dataset, device)
    job = make_job(RunDir(folder / "run"), dataset, config, device)
    setup.create_run(job, config)
    return job


def rounds(job: Job, number: int) -> list[Parts]:
    """The parts of so many steps, and each time the whole of one beside them."""
    state = start(job)
    grow(state, max(len(job.plan.model.progressive) - 1, 0))
    measured = [parts_of_step(state, job) for _ in range(number + 3)]
    return measured[3:]  # the first ones make what stays


def parts_of_step(state: TrainState, job: Job) -> Parts:
    parts: Parts = {}
    plan, discriminator = job.plan, state.discriminator
    with timed(parts, "a step"):
        train_step(state, job)
    with timed(parts, "reading"):
        fed = feed(state.step, state.augment, job, job.size_at(state.grown))
    with timed(parts, "generator, forward"), autocast(job.device, plan.precision):
        drawn = state.generator(fed.z, fed.labels)
    images = augment(fed.images, fed.changes_of_real, job.spec.channels)
    with timed(parts, "frozen network, real images"):
        real = show(state, images, plan)
    images = augment(drawn.detach().float(), fed.changes_of_fake, job.spec.channels).requires_grad_()
    with timed(parts, "frozen network, drawn images"):
        fake = show(state, images, plan)
    with timed(parts, "heads, their update"):
        train_discriminator(state, real, fake.detached(), fed.labels, plan)
    assert fake.features is not None, "the default's discriminator learns no features"
    seen = [maps.detach().requires_grad_() for maps in fake.features]
    discriminator.requires_grad_(False)
    with timed(parts, "heads, for the generator"), autocast(job.device, plan.precision):
        of_features = torch.autograd.grad(discriminator.logits(seen, fed.labels).float().mean(), seen)
    discriminator.requires_grad_(True)
    with timed(parts, "frozen network, gradient"):
        (of_images,) = torch.autograd.grad(fake.features, images, of_features)
    with timed(parts, "generator, gradient"):
        torch.autograd.grad(drawn, list(state.generator.parameters()), of_images.to(drawn.dtype), allow_unused=True)
    parts["the rest"] = 2 * parts["a step"] - sum(parts.values())
    return parts


@contextmanager
def timed(parts: Parts, name: str) -> Iterator[None]:
    """Measure the CPU time of what is done within."""
    began = time.process_time()
    yield
    parts[name] = time.process_time() - began


def show_shares(size: int, measured: list[Parts]) -> None:
    whole = statistics.median(parts["a step"] for parts in measured)
    print(f"\n{size}²: {1000 * whole:.0f} ms of CPU a step\n\n| part | ms | share |\n| --- | --- | --- |")
    for name in [name for name in measured[0] if name != "a step"]:
        took = statistics.median(parts[name] for parts in measured)
        print(f"| {name} | {1000 * took:.0f} | {took / whole:.0%} |")


if __name__ == "__main__":
    main()
