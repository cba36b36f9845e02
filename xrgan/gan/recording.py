"""A step's update on a CUDA device, recorded once as a graph and from then on launched as a whole.

A GPU computes a step of these networks sooner than a CPU can launch its thousand and more kernels one by one.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from xrgan import console, ranks
from xrgan.gan.feed import Fed
from xrgan.gan.job import Job
from xrgan.gan.state import NETWORKS, NetworkName, TrainState
from xrgan.gan.step import Update, penalty_is_due, update_networks

STEPS_BEFORE = 3  # are taken as they are: they choose kernels, and make what stays, as the optimizers' moments
Kind = tuple[float, bool]  # how far the networks have grown, and whether a penalty is due: what a graph can't change


def updating(job: Job) -> Update:
    """How a training's steps update the networks: recorded on a CUDA device, where nothing in them needs the CPU."""
    plan = job.plan
    if job.device.type != "cuda" or not plan.cuda_graph:
        return update_networks
    needs_cpu = plan.compile or plan.augment == "adaptive" or plan.lr_end < 1 or ranks.size() > 1
    return update_networks if needs_cpu else RecordedUpdate(job.device)


@dataclass
class Recorded:
    """A graph, what it reads, and what it writes: tensors that stay where they are."""

    graph: torch.cuda.CUDAGraph
    fed: Fed
    terms: Tensor
    gradients: list[tuple[Tensor, Tensor | None]]
    norms: dict[NetworkName, Tensor]


class RecordedUpdate:
    """Updates the networks as `update_networks` does: from the fourth step of a kind on by the graph of it."""

    def __init__(self, device: torch.device) -> None:
        self._stream: torch.cuda.Stream = _stream(device)
        self._taken: Counter[Kind] = Counter()
        self._graphs: dict[Kind, Recorded] = {}
        self._last: Recorded | None = None
        self._refused = False

    def __call__(self, state: TrainState, fed: Fed, job: Job) -> Tensor:
        kind = float(state.grown), penalty_is_due(state, job.plan)
        if self._refused:
            return update_networks(state, fed, job)
        if kind not in self._graphs:
            self._taken[kind] += 1
            if self._taken[kind] <= STEPS_BEFORE:
                return self._as_it_is(state, fed, job)
            self._graphs = {known: graph for known, graph in self._graphs.items() if known[0] == kind[0]}
            try:
                self._graphs[kind] = self._record(state, fed, job)
            except RuntimeError as error:  # of memory, too: a graph keeps a step's
                reason = str(error).strip().splitlines()[0][:200].rstrip(".")
                console.notice(f"Steps aren't recorded as a CUDA graph, and take longer: {reason}.")
                self._refused, self._graphs = True, {}
                return update_networks(state, fed, job)
        return self._repeat(self._graphs[kind], state, fed)

    def _as_it_is(self, state: TrainState, fed: Fed, job: Job) -> Tensor:
        self._last = None
        here = torch.cuda.current_stream(job.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            terms = update_networks(state, fed, job)
        here.wait_stream(self._stream)
        return terms

    def _record(self, state: TrainState, fed: Fed, job: Job) -> Recorded:
        """Record an update; nothing is computed yet."""
        self._last = None
        kept = Fed(**{name: tensor.clone() for name, tensor in vars(fed).items()})
        graph = torch.cuda.CUDAGraph()
        # Other threads, which read images and write checkpoints, go on meanwhile.
        mode: Any = torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local")
        with _capturable(state.generator_optimizer, state.discriminator_optimizer), mode:
            terms = update_networks(state, kept, job)
        weights = [weight for name in NETWORKS for weight in getattr(state, name).parameters()]
        gradients = [(weight, weight.grad) for weight in weights]
        return Recorded(graph, kept, terms, gradients, dict(state.norms_before_clipping))

    def _repeat(self, recorded: Recorded, state: TrainState, fed: Fed) -> Tensor:
        if self._last is not recorded:  # the gradients that can be read are those of the last step
            for weight, gradient in recorded.gradients:
                weight.grad = gradient
            state.norms_before_clipping = dict(recorded.norms)
            self._last = recorded
        for name, tensor in vars(fed).items():
            getattr(recorded.fed, name).copy_(tensor)
        recorded.graph.replay()
        return recorded.terms


def _stream(device: torch.device) -> torch.cuda.Stream:
    """For the steps before a graph, and for the graph: a weight's gradient stays on the stream of the first one."""
    made: Any = torch.cuda.Stream
    stream: torch.cuda.Stream = made(device)
    return stream


@contextmanager
def _capturable(*optimizers: Adam) -> Iterator[None]:
    """Let optimizers be recorded within the block; elsewhere, and in checkpoints, they are as they were."""
    groups = [group for optimizer in optimizers for group in optimizer.param_groups]
    before = [group["capturable"] for group in groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group, value in zip(groups, before, strict=True):
            group["capturable"] = value
