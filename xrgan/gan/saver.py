"""When a training's checkpoints are written, and by whom: on a GPU not after every short epoch, and in a thread."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from xrgan.gan import checkpoint
from xrgan.gan.job import Job
from xrgan.gan.state import TrainState, content_of

SECONDS_BETWEEN = 30.0  # on a GPU, where an epoch may take less than its checkpoint


class Saver:
    """Saves the checkpoints of one training; `saving` makes it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._thread = None if job.device.type == "cpu" else ThreadPoolExecutor(1, "writes checkpoints")
        self._writing: Future[Path] | None = None
        self._last = time.monotonic()
        self._left_out = False  # the last epoch's

    def after_epoch(self, state: TrainState, needed: bool) -> None:
        """Save a checkpoint where it is time for one.

        A CPU saves each, and waits for it: its epochs are long.

        Args:
            needed: the training ends here, or the checkpoint is scored: it is on the disk when this returns.
        """
        is_early = time.monotonic() - self._last < SECONDS_BETWEEN
        self._left_out = self._thread is not None and not needed and is_early
        if self._left_out:
            return
        self.wait()
        content, run, keep = content_of(state, self._job), self._job.run, self._job.plan.keep_checkpoints
        if self._thread is None:
            checkpoint.save(run.checkpoints, state.step, content, keep)
            return
        self._last = time.monotonic()
        self._writing = self._thread.submit(checkpoint.save, run.checkpoints, state.step, off_device(content), keep)
        if needed:
            self.wait()

    def at_end(self, state: TrainState) -> None:
        """Save a checkpoint where a signal ended the training after an epoch whose checkpoint was left out."""
        if self._left_out:
            self.after_epoch(state, needed=True)

    def wait(self) -> None:
        """Wait until the last checkpoint is on the disk; raises what its writer met."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()


@contextmanager
def saving(job: Job) -> Iterator[Saver]:
    """Save checkpoints within the block; at its end all of them are on the disk."""
    saver = Saver(job)
    try:
        yield saver
    finally:
        saver.wait()


def off_device(content: dict[str, Any]) -> dict[str, Any]:
    """Copy all tensors of a checkpoint to the CPU, where no step changes them; what was one tensor stays one."""
    known: dict[tuple[int, tuple[int, ...]], Tensor] = {}

    def copied(value: Any) -> Any:
        if isinstance(value, Tensor):
            place = (value.data_ptr(), tuple(value.shape))
            if place not in known or not value.numel():
                known[place] = value.detach().to("cpu", copy=True)
            return known[place]
        if isinstance(value, dict):
            return {key: copied(entry) for key, entry in value.items()}
        return [copied(entry) for entry in value] if isinstance(value, list) else value

    return {key: copied(value) for key, value in content.items()}
