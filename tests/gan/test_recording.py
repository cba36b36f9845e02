"""Steps recorded as a CUDA graph, with a stand-in of CUDA on the CPU: which are recorded, and that they learn the same.

On a GPU, tests/benchmarks/gpu_steps.py measures them; examples/gpu.md says what was compared there.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.gan.helpers import tiny_job
from xrgan.gan import recording
from xrgan.gan.feed import Fed
from xrgan.gan.job import Job
from xrgan.gan.recording import RecordedUpdate, updating
from xrgan.gan.state import TrainState, gradient_norms, grow, start
from xrgan.gan.step import train_step, update_networks
from xrgan.hardware import repeatable

CUDA = torch.device("cuda")


class StandIn:
    """A stream and the graphs of it: a graph repeats the update that was taken while it recorded."""

    def __init__(self) -> None:
        self.recorded: list[tuple[bool, ...]] = []  # of each graph: whether its optimizers could be recorded
        self.replayed = 0
        self.now_recording: StandIn.Graph | None = None
        self.refuses = ""

    class Graph:
        def __init__(self, cuda: "StandIn") -> None:
            self.cuda = cuda
            self.again: Callable[[], None] | None = None

        def replay(self) -> None:
            assert self.again is not None
            self.cuda.replayed += 1
            self.again()

    @contextlib.contextmanager
    def graph(self, graph: "StandIn.Graph", **_: object) -> Iterator[None]:
        if self.refuses:
            raise RuntimeError(self.refuses)
        self.now_recording = graph
        try:
            yield
        finally:
            self.now_recording = None

    def update(self, state: TrainState, fed: Fed, job: Job) -> torch.Tensor:
        """`update_networks`, which is only noted while a graph records."""
        graph = self.now_recording
        if graph is None:
            return update_networks(state, fed, job)
        optimizers = state.generator_optimizer, state.discriminator_optimizer
        self.recorded.append(tuple(optimizer.param_groups[0]["capturable"] for optimizer in optimizers))
        weights = [*state.generator.parameters(), *state.discriminator.parameters()]
        written = [
            torch.zeros_like(weight) for weight in weights
        ]  # by each replay, wherever the weights' gradients are
        for weight, gradient in zip(weights, written, strict=True):
            weight.grad = gradient
        norms = state.norms_before_clipping = {name: torch.zeros(()) for name in state.norms_before_clipping}
        terms = torch.zeros_like(state.sums)

        def again() -> None:
            named, kept = state.norms_before_clipping, [weight.grad for weight in weights]
            state.norms_before_clipping = {}
            terms.copy_(update_networks(state, fed, job))
            for weight, gradient, before in zip(weights, written, kept, strict=True):
                if weight.grad is not None:
                    gradient.copy_(weight.grad)
                weight.grad = before
            for name, norm in norms.items():
                norm.copy_(state.norms_before_clipping[name])
            state.norms_before_clipping = named

        graph.again = again
        return terms


class Stream:
    def wait_stream(self, other: object) -> None:
        assert isinstance(other, Stream)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    made = StandIn()
    stand_ins: dict[str, Any] = {
        "Stream": lambda _: Stream(),
        "stream": lambda _: contextlib.nullcontext(),
        "current_stream": lambda _: Stream(),
        "CUDAGraph": lambda: made.Graph(made),
        "graph": made.graph,
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(recording, "update_networks", made.update)
    return made


def learned(job: Job, update: Any, steps: int = 10, grown_after: int | None = None) -> tuple[TrainState, list[str]]:
    """A state after some steps, and the gradients' norms after each, to seven digits."""
    state, norms = start(job), []
    for step in range(steps):
        if step == grown_after:
            grow(state, 1.0)
        train_step(state, job, update)
        norms.append(" ".join(f"{norm:.7g}" for norm in gradient_norms(state).values()))
    return state, norms


@pytest.mark.parametrize(
    ("options", "grown_after", "graphs", "replayed"),
    [
        ((), None, 1, 7),
        (("train.loss=relativistic", "train.gradient_clip=1"), None, 1, 7),
        (("train.r1=1", "train.penalty_every=2"), None, 2, 4),
        (
            ("train.r1=1", "train.penalty_every=2", "train.gradient_clip=1"),
            None,
            2,
            4,
        ),  # with and without the penalty: two kinds
        (("model.progressive=8,16", "model.growth=residual"), 5, 2, 4),
    ],
)
def test_recorded_steps_learn_what_steps_learn(
    tmp_path: Path, cuda: StandIn, options: tuple[str, ...], grown_after: int | None, graphs: int, replayed: int
) -> None:
    job = tiny_job(tmp_path, *options, n=24)
    plain, plain_norms = learned(job, None, grown_after=grown_after)
    state, norms = learned(job, RecordedUpdate(torch.device("cpu")), grown_after=grown_after)
    assert cuda.recorded == [(True, True)] * graphs and cuda.replayed == replayed
    assert state.generator_optimizer.param_groups[0]["capturable"] is False, "in a checkpoint it is as it was"
    assert norms == plain_norms, "those of the last step are read"
    for name in ("generator", "discriminator", "ema"):
        one, other = (getattr(which, name).state_dict().values() for which in (plain, state))
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True)), name
    assert torch.equal(plain.sums, state.sums) and state.step == plain.step == 10


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("options", [(), ("train.r1=1", "train.penalty_every=4"), ("model.name=dcgan",)])
def test_on_a_gpu_a_graph_computes_the_same_bits(tmp_path: Path, options: tuple[str, ...]) -> None:
    job = replace(tiny_job(tmp_path, *options, n=24), device=CUDA)
    with repeatable(CUDA, True):
        plain, plain_norms = learned(job, None, steps=20)
        state, norms = learned(job, updating(job), steps=20)
    assert norms == plain_norms and torch.equal(plain.sums, state.sums)
    pairs = zip(plain.ema.state_dict().values(), state.ema.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_steps_while_a_resolution_fades_in_are_taken_as_they_are(tmp_path: Path, cuda: StandIn) -> None:
    job = tiny_job(tmp_path, "model.progressive=8,16", "model.growth=fade", n=24)
    state, update = start(job), RecordedUpdate(torch.device("cpu"))
    for step in range(6):
        grow(state, 0.1 * step)
        train_step(state, job, update)
    assert (cuda.recorded, cuda.replayed) == ([], 0)


def test_what_cannot_be_recorded_goes_on_and_says_so(
    tmp_path: Path, cuda: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    cuda.refuses = "CUDA error: operation not permitted when stream is capturing\nmore"
    job = tiny_job(tmp_path, n=24)
    plain, _ = learned(job, None)
    state, _ = learned(job, RecordedUpdate(torch.device("cpu")))
    said = capsys.readouterr().err
    assert said.count("aren't recorded as a CUDA graph") == 1 and "when stream is capturing." in said
    assert torch.equal(plain.sums, state.sums)


def test_only_what_needs_no_cpu_is_recorded(tmp_path: Path, cuda: StandIn) -> None:
    job = replace(tiny_job(tmp_path, n=24), device=CUDA)
    assert isinstance(updating(job), RecordedUpdate)
    assert updating(replace(job, device=torch.device("cpu"))) == cuda.update
    for name, value in {"cuda_graph": False, "compile": True, "augment": "adaptive", "lr_end": 0.1}.items():
        assert updating(replace(job, plan=job.plan.model_copy(update={name: value}))) == cuda.update, name
