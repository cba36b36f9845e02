"""Several processes that do one piece of work together, as torchrun starts them: its ranks.

No other module knows torch.distributed. A process that works alone is all there is: nothing here does anything then.
Numbers that the processes tell one another on the CPU go by gloo, what lies on CUDA devices by NCCL.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from xrgan.errors import XrganError

# Longer than the first process takes to score a checkpoint, while the others wait; one that dies is noticed at once.
PATIENCE = timedelta(hours=6)
Value = TypeVar("Value")
Network = TypeVar("Network", bound=nn.Module)
_alone = False


def size() -> int:
    """How many processes work together; 1 = this one alone."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() and not _alone else 1


def rank() -> int:
    """This process's number among them, from 0."""
    return dist.get_rank() if size() > 1 else 0


def is_first() -> bool:
    """Whether this process is the one that writes and speaks."""
    return rank() == 0


@contextmanager
def joined(device: torch.device) -> Iterator[None]:
    """Work together with the processes that torchrun started beside this one, if it did; each takes its own GPU.

    Raises:
        XrganError: a machine has fewer GPUs than processes, or another process ended within the block.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "RANK" not in os.environ:
        yield
        return
    backend = _backend_on(device)
    with _failing_together():
        dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
        wait()  # one that left while another still speaks would break the connection
    except dist.DistError as error:  # of a layer that speaks to the others by itself
        raise _another_ended() from error
    dist.destroy_process_group()


def _backend_on(device: torch.device) -> str:
    """How processes talk that compute on such a device, which is chosen for this one; raises as `joined` does."""
    if device.type == "mps":
        raise XrganError("Several processes can't share an MPS device.", "Train in one process, or with --device cpu.")
    if device.type != "cuda":
        return "gloo"
    local, there = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local >= there:
        raise XrganError(f"Process {local + 1} of this machine finds {there} GPUs.", f"Start {there} processes.")
    torch.cuda.set_device(local)
    return "cpu:gloo,cuda:nccl"


@contextmanager
def alone() -> Iterator[None]:
    """Work without the others for a while, such as on a step that is only tried."""
    global _alone
    before, _alone = _alone, True
    try:
        yield
    finally:
        _alone = before


def part(count: int) -> slice:
    """This process's share of `count` things, a multiple of the processes: contiguous, so that all are in order."""
    own = count // size()
    return slice(rank() * own, (rank() + 1) * own)


def mean(tensor: Tensor) -> Tensor:
    """The mean of a tensor over the processes; its gradient is that of this process's own share, times their number.

    So the mean over the processes of what each derives from it is the derivative by all of their shares.
    """
    if size() == 1:
        return tensor
    own = tensor.detach()
    of_all = own.clone()
    _average_(of_all)
    return tensor + (of_all - own) if tensor.requires_grad else of_all


def average_gradients(network: nn.Module) -> None:
    """Replace a network's gradients by their mean over the processes: all of them at once."""
    if size() == 1:
        return
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    _average_(flat)
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, averaged in zip(gradients, parts, strict=True):
        gradient.copy_(averaged.view_as(gradient))


def take_from_first(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors with those of the first process."""
    if size() > 1:
        with _failing_together():
            for tensor in tensors:
                dist.broadcast(tensor, src=0)


def of_first(value: Value) -> Value:
    """What the first process says: any small value that can be pickled."""
    if size() == 1:
        return value
    said: list[Value] = [value]
    with _failing_together():
        dist.broadcast_object_list(said, src=0)
    return said[0]


def largest(number: int) -> int:
    """The largest of what the processes say."""
    if size() == 1:
        return number
    said = torch.tensor(number)
    with _failing_together():
        dist.all_reduce(said, dist.ReduceOp.MAX)
    return int(said)


def wait() -> None:
    """Wait until every process is here."""
    largest(0)


def with_common_batch_norm(network: Network, device: torch.device) -> Network:
    """Let BatchNorm see the images of all processes, where it can: PyTorch has this for CUDA alone.

    Names and shapes of the weights stay.
    """
    if size() == 1 or device.type != "cuda":
        return network
    converted: Network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return converted


def _average_(tensor: Tensor) -> None:
    with _failing_together():
        dist.all_reduce(tensor)
    tensor /= size()


@contextmanager
def _failing_together() -> Iterator[None]:
    """Say in a sentence that there is nobody to talk to any more: gloo raises a plain RuntimeError."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise _another_ended() from error


def _another_ended() -> XrganError:
    number, of = int(os.environ.get("RANK", "0")) + 1, os.environ.get("WORLD_SIZE", "1")
    return XrganError(f"Process {number} of {of} stops: another one ended; see its message.")
