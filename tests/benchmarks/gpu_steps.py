"""What a training step of the default takes on a GPU: images a second, kernels, memory, and that nothing is waited for.

On noise images, with two classes; a network that grows is measured fully grown, where its steps are dearest.

    python tests/benchmarks/gpu_steps.py [--device cuda] [--sizes 64,128,256] [--batch-sizes 16,64] [--steps 100]

- images/s: of steps one after another, nothing recorded or saved; the device is waited for at the end alone
- launched, ms of kernels: what PyTorch's profiler counts a step, and the time for which the device computes
- host ms: a step's time until the CPU could go on with the next one
- waits: 0 where `torch.cuda.set_sync_debug_mode("error")` raises nothing in five steps
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.profiler import DeviceType, ProfilerActivity, profile
from train_throughput import noise_dataset

from xrgan import console
from xrgan.config_resolve import resolve
from xrgan.gan import setup
from xrgan.gan.job import Job, make_job
from xrgan.gan.recording import updating
from xrgan.gan.state import TrainState, grow, start
from xrgan.gan.step import Update, train_step
from xrgan.hardware import choose_device, describe, repeatable
from xrgan.rundir import RunDir


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", default="64,128,256")
    parser.add_argument("--batch-sizes", default="16,64")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="as `xrgan train` takes it")
    options = parser.parse_args()
    device = choose_device(options.device)
    console.configure(quiet=True)
    print(f"{describe(device)}, PyTorch {torch.__version__}")
    print("| pixels | a step | precision | images/s | ms a step | host ms | launched | ms of kernels | GiB | waits |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for size in map(int, options.sizes.split(",")):
        for batch_size in map(int, options.batch_sizes.split(",")):
            with tempfile.TemporaryDirectory() as folder:
                job = job_of(Path(folder), options, size, batch_size, device)
                with repeatable(device, job.plan.deterministic):
                    print(row(job, options.steps), flush=True)


def job_of(folder: Path, options: argparse.Namespace, size: int, batch_size: int, device: torch.device) -> Job:
    dataset = noise_dataset(folder, options.images, size, classes=("one", "other"))
    config = resolve(flags={"train.batch_size": batch_size, "device": options.device}, settings=options.set)
    config = setup.resolve_auto(config, dataset, device)
    job = make_job(RunDir(folder / "run"), dataset, config, device)
    setup.create_run(job, config)
    return job


def row(job: Job, steps: int) -> str:
    """One line of the table."""
    state = start(job)
    grow(state, max(len(job.plan.model.progressive) - 1, 0))
    update = updating(job)
    taken(state, job, update, 20)  # the first ones choose their kernels
    torch.cuda.reset_peak_memory_stats(job.device)
    seconds, host = zip(*(taken(state, job, update, steps) for _ in range(3)), strict=True)
    memory = torch.cuda.max_memory_allocated(job.device)
    took, of_host = statistics.median(seconds), statistics.median(host)
    launched, busy = kernels(state, job, update)
    figures = [
        job.spec.size,
        job.plan.batch_size,
        job.plan.precision,
        f"{job.plan.batch_size / took:,.0f}",
        f"{1000 * took:.1f}",
        f"{1000 * of_host:.1f}",
        f"{launched:,.0f}",
        f"{1000 * busy:.1f}",
        f"{memory / 2**30:.1f}",
        waits(state, job, update),
    ]
    return f"| {' | '.join(map(str, figures))} |"


def taken(state: TrainState, job: Job, update: Update, steps: int) -> tuple[float, float]:
    """Seconds a step, and of them the seconds until the CPU could go on."""
    torch.cuda.synchronize(job.device)
    began = time.perf_counter()
    for _ in range(steps):
        train_step(state, job, update)
    launched = time.perf_counter()
    torch.cuda.synchronize(job.device)
    return (time.perf_counter() - began) / steps, (launched - began) / steps


def kernels(state: TrainState, job: Job, update: Update, steps: int = 4) -> tuple[float, float]:
    """What the device was given to do a step (kernels, copies, fills), and the seconds that it computed."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
        taken(state, job, update, steps)
    given = [event for event in profiled.events() if event.device_type == DeviceType.CUDA]
    return len(given) / steps, sum(event.device_time_total for event in given) / 1e6 / steps


def waits(state: TrainState, job: Job, update: Update, steps: int = 5) -> str:
    """0, or what PyTorch says of the operation that waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(steps):
            train_step(state, job, update)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return "0"


if __name__ == "__main__":
    main()
