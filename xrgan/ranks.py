"""Several processes that do one piece of work together, as torchrun starts them: its ranks.

No other module knows torch.distributed. A process that works alone is all there is: nothing here does anything then.
Numbers that the processes tell one another on the CPU go by gloo, what lies on CUDA devices by NCCL.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from xrgan import console, launched
from xrgan.errors import XrganError
from xrgan.hardware import choose_device

# Longer than a process trains a study's generator, or scores, while the others wait; one that dies is noticed at once.
PATIENCE = timedelta(days=7)
RESTARTS = 3  # of processes that were killed
SECONDS_TO_STOP = "600"  # for a step and a checkpoint, after Ctrl-C; torch before 2.10 gives them 30
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
def joined(device: str) -> Iterator[None]:
    """Work together with the processes that torchrun started beside this one, if it did; each takes its own GPU.

    Args:
        device: its name, as in the configuration; "cuda" and "auto" mean this process's own GPU from then on.

    Raises:
        XrganError: there is no such device, or one for each process; or another process ended within the block.
    """
    if launched.size() == 1:
        yield
        return
    backend = _backend_on(choose_device(device))
    with _failing_together():
        dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield
        wait()  # one that left while another still speaks would break the connection
    except dist.DistError as error:  # of a layer that speaks to the others by itself
        _outlive_launcher()
        raise _another_ended() from error
    except XrganError:
        _outlive_launcher()
        raise
    dist.destroy_process_group()


def _outlive_launcher() -> None:
    """Let this process say why it ends: the launcher ends all of them by SIGTERM where it sees one end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _backend_on(device: torch.device) -> str:
    """How processes talk that compute on such devices, of which this one takes its own; raises as `joined` does."""
    if device.type == "mps":
        raise XrganError("Several processes can't share an MPS device.", "Take one process, or --device cpu.")
    if device.type != "cuda":
        return "gloo"
    if device.index is not None:
        raise XrganError(f"{device} is one GPU, and each process takes its own.", "Take --device cuda.")
    there = torch.cuda.device_count()
    if launched.local_rank() >= there:
        raise XrganError(
            f"Process {launched.local_rank() + 1} of this machine finds no GPU of its own: there "
            f"{'is 1' if there == 1 else f'are {there}'}.",
            "Start as many processes as there are GPUs.",
        )
    torch.cuda.set_device(launched.local_rank())
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


def by_first(make: Callable[[], Value]) -> Value:
    """What the first process makes, by itself, while the others wait: any small value that can be pickled."""
    made: list[Value] = []
    if is_first():
        with alone():
            made = [make()]
    return of_first(made)[0]


@contextmanager
def in_turn() -> Iterator[None]:
    """Let the first process pass the block by itself, and then each of the others, who find what it made."""
    first = is_first()
    if not first:
        wait()
    with alone():
        yield
    if first:
        wait()


def deal(shares: Sequence[Value] = ()) -> Value:
    """Give each process its share of what the first one has: any values that can be pickled.

    Args:
        shares: as many as there are processes; of the first one alone.
    """
    if size() == 1:
        return shares[0]
    own: list[Value | None] = [None]
    with _failing_together():
        dist.scatter_object_list(own, list(shares) if is_first() else None, src=0)
    return cast(Value, own[0])


def gathered(value: Value) -> list[Value]:
    """What every process says, in their order, for the first one; the others get nothing."""
    if size() == 1:
        return [value]
    said: list[Any] = [None] * size()
    with _failing_together():
        dist.gather_object(value, said if is_first() else None, dst=0)
    return said if is_first() else []


def largest(number: int) -> int:
    """The largest of what the processes say."""
    return _reduced(number, dist.ReduceOp.MAX)


def total(number: int) -> int:
    """The sum of what the processes say."""
    return _reduced(number, dist.ReduceOp.SUM)


def _reduced(number: int, by: dist.ReduceOp.RedOpType) -> int:
    if size() == 1:
        return number
    said = torch.tensor(number)
    with _failing_together():
        dist.all_reduce(said, by)
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
    number, of = launched.rank() + 1, launched.size()
    return XrganError(f"Process {number} of {of} stops, because another one ended; see its message.")


def share_threads(processes: int) -> None:
    """Take a process's share of the threads, as each of those that will be started, unless the user has chosen."""
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, torch.get_num_threads() // processes))
        os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())


def launch(processes: int, arguments: Sequence[str]) -> int:
    """Run `xrgan` with those arguments in so many processes of this machine that find one another: its exit code.

    Where one of them is killed (by the system, out of memory, or by hand) all of them begin anew, a few times. One that
    ends with a sentence of its own isn't: it would say it again.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    share_threads(processes)
    os.environ.setdefault("TORCH_ELASTIC_SHUTDOWN_TIMEOUT", SECONDS_TO_STOP)
    logging.disable(logging.CRITICAL)  # the launcher's own: the processes say what there is to say
    for restarts_left in reversed(range(RESTARTS + 1)):
        with tempfile.TemporaryDirectory(prefix="xrgan_") as logs:
            config = LaunchConfig(
                min_nodes=1,
                max_nodes=1,
                nproc_per_node=processes,
                logs_specs=DefaultLogsSpecs(log_dir=logs),
                run_id=uuid.uuid4().hex,
                rdzv_backend="c10d",
                rdzv_endpoint="localhost:0",
                local_addr="localhost",
                max_restarts=0,
            )
            try:
                elastic_launch(config, sys.executable)("-m", "xrgan", *arguments)
                return 0
            except SignalException as stopped:
                return 128 + int(stopped.sigval)
            except ChildFailedError as failed:
                codes = [failure.exitcode for failure in failed.failures.values()]
        killed = [-code for code in codes if code < 0]
        if not killed:
            return max(codes)
        name = signal.Signals(min(killed)).name  # the launcher itself ended the others by SIGTERM, if it was quick
        if restarts_left:
            console.warn(f"One of the {processes} processes was ended by {name}: they begin anew.")
    raise XrganError(
        f"One of the {processes} processes was ended by {name}, {RESTARTS + 1} times.",
        "Where memory is short, take fewer processes; the same command goes on from the last checkpoint.",
    )
