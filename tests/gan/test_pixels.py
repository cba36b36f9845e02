"""Whether they lie on the device or are read ahead from the disk: every step has its own images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.gan import second_device
from tests.gan.helpers import CPU, tiny_job
from xrgan.gan import pixels
from xrgan.gan.batches import Batches
from xrgan.gan.feed import feed
from xrgan.gan.pixels import PixelStore


def test_every_step_has_its_images_read_ahead_or_not(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    store = PixelStore(job.batches, CPU)
    assert store.resident is None
    for step in (0, 1, 2, 7, 8, 9, 3):  # across epochs, and back as after a resume
        expected = job.dataset.xrays(job.batches.indices[job.batches.chosen(step)])
        assert np.array_equal(store.read(step), expected)


def test_the_next_step_is_read_while_this_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, read = tiny_job(tmp_path), []
    real = Batches.read
    monkeypatch.setattr(Batches, "read", lambda self, places: read.append(list(places)) or real(self, places))
    store = PixelStore(job.batches, CPU)
    for step in (0, 1, 2):
        store.read(step)
    store._thread.shutdown()
    assert read == [list(job.batches.chosen(step)) for step in (0, 1, 2, 3)]


@pytest.mark.parametrize(("free", "resident"), [(20_000, False), (21_000, True)])
def test_images_lie_on_the_device_where_they_fit_beside_the_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, resident: bool
) -> None:
    """32 training images of 256 bytes are 40 % of 20,480 bytes."""
    monkeypatch.setattr(pixels, "free_memory", lambda _: free)
    job = tiny_job(tmp_path)
    here = feed(5, True, job)
    with second_device.second_device() as device:
        there = replace(job, device=device)
        assert (there.pixels.resident is not None) == resident
        second_device.counts.clear()
        fed = feed(5, True, there)
        counts = second_device.counts
        assert (counts["not blocking"], counts["blocking"], counts["read back"]) == (1, 0, 0)
    for name in ("images", "labels", "z", "changes_of_real", "changes_of_fake"):
        assert torch.equal(second_device.raw(getattr(fed, name)), getattr(here, name))
