"""Contention: whether a training's threads have the cores that they compute on to themselves."""

import os
import time

import torch

SECONDS_BEFORE_VERDICT = 10.0  # the first steps are slow
SHARE_AT_WORK = 0.85  # of the threads: fewer, and some of them wait for a core


class Contention:
    """Finds it out from the processor time that this process gets: threads that wait for one another use it, too."""

    def __init__(self, device: torch.device) -> None:
        self._decided = device.type != "cpu" or torch.get_num_threads() == 1 or "OMP_NUM_THREADS" in os.environ
        self._began, self._used = time.monotonic(), time.process_time()

    def advice(self) -> str:
        """What to do about it, once; nothing before that is clear, where nothing is wrong, or the user has chosen.

        Two threads with one and a half cores are slower than one thread: at every operation each waits for the other.
        """
        seconds = time.monotonic() - self._began
        if self._decided or seconds < SECONDS_BEFORE_VERDICT:
            return ""
        self._decided = True
        threads, at_work = torch.get_num_threads(), (time.process_time() - self._used) / seconds
        if at_work >= SHARE_AT_WORK * threads:
            return ""
        fewer = max(1, int(at_work))
        return (
            f"{threads} threads compute on {at_work:.1f} cores: other programs use the rest, or steps are too small. "
            f"OMP_NUM_THREADS={fewer} before the command may train faster."
        )
