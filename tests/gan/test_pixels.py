"""Whether they lie on the device or are read ahead from the disk: every step has its own images."""

from pathlib import Path

import numpy as np
import pytest

from tests.gan.helpers import CPU, tiny_job
from xrgan.gan.batches import Batches
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
