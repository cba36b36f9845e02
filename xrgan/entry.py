"""Where the process begins: before anything heavy is imported, Ctrl-C gets a quiet end."""

import gc
import os
import signal

INTERRUPTED = 130  # 128 + SIGINT, as shells count


def main() -> None:
    """Import the command line and run it."""
    # Python's own answer to Ctrl-C is an exception, which would end an import half way, with a traceback.
    waits = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # else the caller wants it ignored
    if waits:
        signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    from xrgan.cli import main as run

    if waits:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    finally:
        gc.freeze()  # else Python looks through all of torch once more before it ends: a second of silence
