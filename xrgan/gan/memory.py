"""What can fail in a step, and the way on: memory that runs out, a compiler that is not there."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xrgan.config import Config
from xrgan.errors import XrganError
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.state import start
from xrgan.gan.step import train_discriminator, train_generator
from xrgan.hardware import autocast


@contextmanager
def explained_failures(config: Config, spec: ImageSpec, device: torch.device) -> Iterator[None]:
    """Turn a step's failure into one sentence and a way on."""
    failed = False
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one; on a CPU it is a plain RuntimeError
        if config.train.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            reason = str(error).strip().splitlines()[0][:200].rstrip(".")
            raise XrganError(
                f"torch.compile failed: {reason}.", "Train without `--compile`; on a CPU it needs a C++ compiler."
            ) from None
        if not _is_out_of_memory(error):
            raise
        traceback.clear_frames(error.__traceback__)  # they hold the step's tensors
        failed = True
    if failed:
        size = int(config.train.batch_size)
        smaller = largest_batch(config, spec, device, size // 2)
        narrower = "narrower networks (`--set model.generator_width=16 --set model.discriminator_width=16`)"
        way_on = f"Start a new run with `--batch-size {smaller}`, which fits, or with {narrower}."
        raise XrganError(
            f"Out of memory at {size} images a step.", way_on if smaller else f"Start a new run with {narrower}."
        )


def largest_batch(config: Config, spec: ImageSpec, device: torch.device, most: int) -> int:
    """The largest of `most`, half as many, … images whose step fits in memory; 0 where 2 don't."""
    while most >= 2:
        try:
            _try_step(config, spec, device, most)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            traceback.clear_frames(error.__traceback__)
        else:
            return most
        finally:
            if device.type == "cuda":
                torch.cuda.empty_cache()
        most //= 2
    return 0


def _try_step(config: Config, spec: ImageSpec, device: torch.device, size: int) -> None:
    """What takes most memory of a step: both networks' updates, with every penalty."""
    state = start(config, spec, device)
    z = torch.zeros(size, int(config.model.latent_size), device=device)
    labels = torch.zeros(size, dtype=torch.int64, device=device)
    with autocast(device, config.train.precision):
        fake = state.generator(z, labels).float()
    real = torch.zeros_like(fake)
    train_discriminator(state, real, fake.detach(), labels, config.train)
    train_generator(state, fake, real, labels, config.train)


def _is_out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)
