"""What ends a training early: Ctrl-C and SIGTERM."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from xrgan import console, ranks


class _EndsHere(BaseException):
    """Raised where a signal need not wait."""


@dataclass
class Interrupt:
    by: signal.Signals | None = None  # the signal that came; None: the training continues
    can_wait: bool = True

    def agreed(self) -> signal.Signals | None:
        """The signal that came to any process of a training, so that all of them stop at the same step."""
        number = ranks.largest(int(self.by or 0))
        return signal.Signals(number) if number else None

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal end this block where it is: there is nothing in it that must be finished."""
        try:
            self.can_wait = False
            yield
        except _EndsHere:
            pass
        finally:
            self.can_wait = True


@contextmanager
def interruptible() -> Iterator[Interrupt]:
    """Note Ctrl-C and SIGTERM, so that the step can be finished; a second one ends the process at once."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt  # only the main thread receives signals
        return

    def note(number: int, _frame: FrameType | None) -> None:
        interrupt.by = signal.Signals(number)
        signal.signal(number, previous[signal.Signals(number)])
        if not interrupt.can_wait:
            raise _EndsHere
        console.notice("Finishing the step and writing a checkpoint …")

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupt
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
