"""Whether they lie on the device or are read ahead from the disk: every step has its own images."""

from pathlib import Path

import numpy as np
import pytest

from tests.gan.helpers import CPU, tiny_job
from xrgan.gan import pixels
from xrgan.gan.batches import Batches
from xrgan.gan.pixels import PixelStore


def test_every_step_has_its_images_read_ahead_or_not(tmp_path: Path) -> None:
    job = tiny_job(tmp_path)
    store = PixelStore(job.batches, CPU)
    assert store.resident is None
    for step in (0, 1, 2, 7, 8, 9, 3):  # across epochs, and back as after a resume
        expected = job.dataset.xrays(job.batches.indices[job.batches.chosen(step)])
        assert np.array_equal(store.read(step), expected)


@pytest.mark.parametrize(("most", "ahead"), [(256_000_000, 8), (3000, 2), (100, 1)])
def test_the_next_steps_are_read_while_this_one_is_taken_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, ahead: int
) -> None:
    """A step's four images take 1,024 bytes."""
    job, read = tiny_job(tmp_path), []
    real = Batches.read
    monkeypatch.setattr(Batches, "read", lambda self, places: read.append(tuple(places)) or real(self, places))
    monkeypatch.setattr(pixels, "MOST_AHEAD", most)
    store = PixelStore(job.batches, CPU)
    for step in (0, 1, 2):
        store.read(step)
    store._threads.shutdown()
    assert sorted(read) == sorted(tuple(job.batches.chosen(step)) for step in range(3 + ahead))
    assert len(store._ahead) == ahead


def test_a_disk_that_fails_is_told_when_its_step_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = tiny_job(tmp_path)
    bad, real = tuple(job.batches.chosen(2)), Batches.read

    def failing(self: Batches, places: np.ndarray) -> np.ndarray:
        if tuple(places) == bad:
            raise OSError("the disk fails")
        return real(self, places)

    monkeypatch.setattr(Batches, "read", failing)
    store = PixelStore(job.batches, CPU)
    store.read(0), store.read(1)
    with pytest.raises(OSError, match="the disk fails"):
        store.read(2)
