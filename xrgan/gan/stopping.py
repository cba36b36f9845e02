"""What ends a training early: Ctrl-C, SIGTERM, and memory that runs out."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import torch

from xrgan import console
from xrgan.config import Config
from xrgan.errors import XrganError


@dataclass
class Stop:
    asked_by: signal.Signals | None = None


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """Note Ctrl-C and SIGTERM, so that the step can be finished; a second one ends the process at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread receives signals
        return

    def note(number: int, _frame: FrameType | None) -> None:
        stop.asked_by = signal.Signals(number)
        signal.signal(number, previous[signal.Signals(number)])
        console.notice("Finishing the step and writing a checkpoint …")

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def memory_advice(config: Config) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one; on a CPU it is a plain RuntimeError
        if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        smaller = max(2, config.train.batch_size // 2)
        raise XrganError(
            f"Out of memory at {config.train.batch_size} images a step.",
            f"Start a new run with `--batch-size {smaller}`, or narrower networks (`--set model.generator_width=32`).",
        ) from error
