"""A study that is typed in one of several processes: `python -m tests.commands.study_in_ranks LINE`.

Its networks are tiny. Where DIES is set in the environment, the last process is killed when its first one is trained.
"""

import os
import signal
import sys
from typing import Any

import torch

from tests.downstream.blobs import small_build
from xrgan import cli, launched
from xrgan.data import packed
from xrgan.downstream import checkpoints, report
from xrgan.downstream.classification import inference, task


def main() -> None:
    torch.set_num_threads(1)
    patched: list[tuple[Any, str, Any]] = [
        (task, "build", small_build),
        (inference, "build", small_build),
        (packed, "check_content", lambda _: None),
        (report, "save_pictures", lambda *_: {}),
    ]
    if "DIES" in os.environ and launched.rank() == launched.size() - 1:
        patched.append((checkpoints, "keep_best", lambda *_: os.kill(os.getpid(), signal.SIGKILL)))
    for place, name, other in patched:
        setattr(place, name, other)
    sys.argv[0] = "xrgan"
    cli.main()


if __name__ == "__main__":
    main()
