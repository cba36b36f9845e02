"""Ctrl-C and SIGTERM: noted, so that a step can be finished."""

import os
import signal
import threading

import pytest

from xrgan.gan.signals import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_and_the_block_continues(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(number)
    with interruptible() as interrupt:
        assert interrupt.by is None
        os.kill(os.getpid(), number)
        assert interrupt.by == number
        assert signal.getsignal(number) == before, "a second one ends the process"
    assert signal.getsignal(number) == before
    assert "Finishing the step" in capsys.readouterr().err


def test_a_second_ctrl_c_ends_the_block() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_what_need_not_be_finished_ends_at_once() -> None:
    reached = []
    with interruptible() as interrupt:
        with interrupt.at_once():
            signal.raise_signal(signal.SIGTERM)
            reached.append("the rest of the block")
        assert not reached and interrupt.by == signal.SIGTERM and interrupt.can_wait


def test_another_thread_receives_no_signal_and_is_not_stopped() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with interruptible() as interrupt:
            seen.append((interrupt.by, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(None, before)]
