"""Which of several processes this one is, where torchrun started it: told by the environment, without PyTorch."""

import os


def size() -> int:
    """How many processes torchrun started, on all machines; 1 = it didn't."""
    return max(1, int(os.environ.get("WORLD_SIZE", "1"))) if "RANK" in os.environ else 1


def rank() -> int:
    """This process's number among them, from 0: the first one writes and speaks."""
    return int(os.environ["RANK"]) if size() > 1 else 0


def local_rank() -> int:
    """This process's number among those of its machine, from 0: each takes the GPU of its own."""
    return int(os.environ.get("LOCAL_RANK", "0")) if size() > 1 else 0
