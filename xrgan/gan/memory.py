"""When memory runs out in a step: the batch that would fit, and what to do, in a sentence."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xrgan import ranks
from xrgan.errors import XrganError, is_out_of_memory
from xrgan.gan.job import Job
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.plan import TrainingPlan
from xrgan.gan.state import build_state
from xrgan.gan.step import show, train_discriminator, train_generator
from xrgan.hardware import autocast, release_memory


@contextmanager
def explained_failures(job: Job) -> Iterator[None]:
    """Turn a step's failure into an XrganError with what to do: memory that runs out, a compiler that isn't there."""
    failed = False
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one; on a CPU it is a plain RuntimeError
        if job.plan.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            reason = str(error).strip().splitlines()[0][:200].rstrip(".")
            raise XrganError(
                f"torch.compile failed: {reason}.", "Train without `--compile`; on a CPU it needs a C++ compiler."
            ) from None
        if not is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the step's tensors
        failed = True
    if failed:
        size, processes = job.plan.batch_size, ranks.size()
        smaller = processes * largest_batch(job.plan, job.spec, job.device, size // processes // 2)
        narrower = "narrower networks (`--set model.generator_width=16 --set model.discriminator_width=16`)"
        way_on = f"Start a new run with `--batch-size {smaller}`, which fits, or with {narrower}."
        raise XrganError(
            f"Out of memory at {size} images a step.", way_on if smaller else f"Start a new run with {narrower}."
        )


def largest_batch(plan: TrainingPlan, spec: ImageSpec, device: torch.device, most: int) -> int:
    """The largest of `most`, half as many, … images whose step fits in this process's memory; 0 where 2 don't."""
    while most >= 2:
        try:
            with ranks.alone():
                _try_step(plan, spec, device, most)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            traceback.clear_frames(error.__traceback__)
        else:
            return most
        finally:
            release_memory(device)
        most //= 2
    return 0


def _try_step(plan: TrainingPlan, spec: ImageSpec, device: torch.device, size: int) -> None:
    """Take what needs most memory in a step: both networks' updates, with every penalty."""
    state = build_state(plan, spec, device)
    z = torch.zeros(size, plan.model.latent_size, device=device)
    labels = torch.zeros(size, dtype=torch.int64, device=device)
    with autocast(device, plan.precision):
        drawn = state.generator(z, labels).float()
    real, fake = show(state, torch.zeros_like(drawn), plan), show(state, drawn, plan)
    train_discriminator(state, real, fake.detached(), labels, plan)
    train_generator(state, fake, real, labels, plan, spec.classes)
