"""How a command ends that can't do its work: one sentence on stderr and an exit code, no traceback."""

import contextlib
import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from xrgan import console
from xrgan.errors import XrganError, is_out_of_memory
from xrgan.files import failed_write

INTERRUPTED = 130  # 128 + SIGINT, as shells count
NEXT_STEPS = {
    errno.ENOSPC: "Free some space and run the command again: what was written before is whole.",
    errno.EDQUOT: "Free some of your quota and run the command again: what was written before is whole.",
    errno.EFBIG: "A limit on the size of files is reached (`ulimit -f`, or the disk's own): write to another place.",
    errno.EIO: "The disk or its connection fails: write to another one; what was written before is whole.",
    errno.EROFS: "Write to another place: --data-root DIR, --runs-root DIR.",
    errno.EACCES: "Take a place where you may write: --data-root DIR, --runs-root DIR.",
    errno.EEXIST: "A folder is needed where that file is: move it away, or name another place.",
    errno.ENOTDIR: "A folder is needed where a file is: move it away, or name another place.",
    errno.EISDIR: "Name a file: that is a folder.",
    errno.EMFILE: "Raise the limit of open files: `ulimit -n 1024`.",
}


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the process with one sentence where the block raises what the user, the disk or the memory is to blame for.

    Raises:
        SystemExit: 1; 2 for a wrong command line; 130 after Ctrl-C; 0 where nobody reads the output any more.
    """
    try:
        yield
        console.flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if isinstance(error, BrokenPipeError):  # `xrgan … | head`
            console.write_nowhere()
            sys.exit(0)
        sentence = _sentence_of(error)
        if sentence is None:
            raise
        with contextlib.suppress(OSError):  # stderr may be a file on the disk that is full
            console.show_error(sentence)
        sys.exit(sentence.exit_code)
    finally:
        console.stop_waiting()  # which shows the cursor again


def _sentence_of(error: Exception) -> XrganError | None:
    """What to say of an error; None of a bug."""
    if isinstance(error, XrganError):
        return error
    if is_out_of_memory(error):
        return XrganError("The memory is used up.", "Close other programs, or take smaller images or fewer at a time.")
    failed = error if isinstance(error, OSError) else failed_write(error)
    if failed is None:
        return None
    if failed.errno is None:  # Pillow's "encoder error -2 when writing image file"
        return XrganError(f"A file can't be read or written: {' '.join(str(failed).split()).rstrip('.')}.")
    place = failed.filename or "the disk"
    return XrganError(f"{failed.strerror}: {place}.", NEXT_STEPS.get(failed.errno, ""))
