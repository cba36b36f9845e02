"""A step on a device that is no CPU: nothing is mixed, nothing is waited for, and what it learns is the same.

The device is one in pure Python (second_device.py): no GPU is needed.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.gan import second_device
from tests.gan.helpers import CPU, tiny_job
from tests.gan.second_device import raw
from xrgan.gan import pixels
from xrgan.gan.feed import feed
from xrgan.gan.job import Job
from xrgan.gan.networks import warps
from xrgan.gan.saver import off_device
from xrgan.gan.state import TrainState, grow, start
from xrgan.gan.step import train_step

pytestmark = pytest.mark.slow

NETWORKS = ("generator", "discriminator", "ema")
PROJECTED = ("model.discriminator=projected", "model.warps=4", "model.latent_size=16", "train.augment=1")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    monkeypatch.setattr(warps, "STEPS", 2)  # of the fit, on the CPU: seconds, and nothing of a training step
    with second_device.second_device() as made:
        yield made


def trained(job: Job, device: torch.device, steps: int = 2) -> tuple[TrainState, Counter[str]]:
    """A state after so many steps on a device, and what was counted in the last of them."""
    job = replace(job, device=device)
    state = start(job)
    if job.plan.augment == "adaptive":
        state.augment = 0.5
    grow(state, len(job.plan.model.progressive) - 1)
    for _ in range(steps):
        second_device.counts.clear()
        train_step(state, job)
    return state, Counter(second_device.counts)


def frozen_in_a_recorded_step(state: TrainState, job: Job) -> set[object]:
    """The operations to which the next two steps, alike but for this, give numbers of their own that are no tensors.

    A CUDA graph would repeat those of the first one. There is one: a step's share of the average, which isn't recorded.
    """
    traces = []
    for _ in range(2):
        second_device.trace.clear()
        train_step(state, job)
        traces.append(list(second_device.trace))
        state.augment *= 0.9  # it may move, where it is adaptive
    assert [operation for operation, _ in traces[0]] == [operation for operation, _ in traces[1]]
    return {one[0] for one, other in zip(*traces, strict=True) if one != other}


def difference(one: TrainState, other: TrainState) -> float:
    """The largest difference of a weight, an average or a loss; of one above 1, as a share of it."""
    numbers = [
        [state.sums, *(value for name in NETWORKS for value in getattr(state, name).state_dict().values())]
        for state in (one, other)
    ]
    pairs = [(raw(a).double(), raw(b).double()) for a, b in zip(*numbers, strict=True)]
    return max(float(((a - b).abs() / a.abs().clamp(min=1)).max()) for a, b in pairs)


@pytest.mark.parametrize(
    ("options", "most"),
    [
        (PROJECTED, 1020),
        ((*PROJECTED, "train.variance=3"), 1230),
        ((*PROJECTED, "train.r1=1", "train.penalty_every=1", "masks"), 2420),
        (("model.name=dcgan", "train.gradient_clip=1"), 230),
        (("model.discriminator=plain", "train.r1=1", "train.r2=1", "train.penalty_every=1"), 330),
        (("train.augment=adaptive", "train.rotation=10", "train.scaling=0.1"), 300),
        (("model.progressive=8,16", "train.loss=relativistic", "train.feature_matching=1"), 240),
        ((*PROJECTED, "model.progressive=8,16", "model.growth=residual"), 1820),
    ],
    ids=["default", "variance", "penalty and masks", "dcgan", "penalties", "adaptive", "fading", "growing"],
)
def test_a_step_is_the_same_elsewhere_and_waits_for_nothing(
    tmp_path: Path, device: torch.device, options: tuple[str, ...], most: int
) -> None:
    """`most` operations, which a GPU launches as kernels one by one: lower it where they become fewer."""
    masks = ("lungs", "heart") if "masks" in options else ()
    job = tiny_job(tmp_path, *(option for option in options if option != "masks"), n=24, masks=masks)
    here, _ = trained(job, CPU)
    there, counts = trained(job, device)
    assert there.sums.device == device and difference(here, there) < 1e-6
    assert (counts["blocking"], counts["read back"]) == (0, 0), second_device.counts.places
    assert counts["not blocking"] == 1, "one copy a step"
    assert counts["operations"] <= most
    assert frozen_in_a_recorded_step(there, replace(job, device=device)) == {torch.ops.aten._foreach_lerp_.Scalar}


def test_a_tensor_that_was_forgotten_on_the_cpu_is_found(tmp_path: Path, device: torch.device) -> None:
    job = replace(tiny_job(tmp_path), device=device)
    state = start(job)
    state.sums = torch.zeros(8)
    with pytest.raises(RuntimeError, match="tensors on two devices"):
        train_step(state, job)


def test_waiting_is_counted(device: torch.device) -> None:
    second_device.counts.clear()
    there = torch.ones(3).to(device)
    assert float(there.sum()) == 3 and torch.equal(there.cpu(), torch.zeros(3).copy_(there))
    assert (second_device.counts["blocking"], second_device.counts["read back"]) == (1, 3)


@pytest.mark.parametrize(("free", "resident"), [(20_000, False), (21_000, True)])
def test_images_lie_on_the_device_where_they_fit_beside_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: torch.device, free: int, resident: bool
) -> None:
    """32 training images of 256 bytes are 40 % of 20,480 bytes."""
    monkeypatch.setattr(pixels, "free_memory", lambda _: free)
    job = tiny_job(tmp_path)
    here = feed(5, 1.0, job, 16)
    there = replace(job, device=device)
    assert (there.pixels.resident is not None) == resident
    second_device.counts.clear()
    fed = feed(5, 1.0, there, 16)
    counts = second_device.counts
    assert (counts["not blocking"], counts["blocking"], counts["read back"]) == (1, 0, 0)
    for name in ("images", "labels", "z", "changes_of_real", "changes_of_fake"):
        assert torch.equal(second_device.raw(getattr(fed, name)), getattr(here, name))


def test_a_checkpoint_of_another_device_is_one_of_the_cpu(device: torch.device) -> None:
    there = torch.ones(3).to(device)
    assert there.device == device
    copied = off_device({"sums": there, "more": [there, 1]})
    assert copied["sums"].device.type == "cpu" and torch.equal(copied["sums"], torch.ones(3)) and copied["more"][1] == 1
