"""Where the process begins: before anything heavy is imported, Ctrl-C is given a quiet end, and threads wait asleep."""

import os
import signal

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main() -> None:
    """Import the command line and run it."""
    # Threads that wait for one another in a loop take the core from the one they wait for, where another program uses
    # it: beside one that spins, six convolutions by two threads took 4.8 s, and 0.3 s where they wait asleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Python's own answer to Ctrl-C is an exception, which would end an import half way, with a traceback.
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else the caller wants it ignored
    if waits:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from xrgan.cli import main as run

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()
