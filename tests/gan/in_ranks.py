"""What each of several processes does that tests start together: `python -m tests.gan.in_ranks FOLDER`."""

import os
import subprocess
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.gan.helpers import CPU, job_of, tiny_config
from xrgan import ranks
from xrgan.data.packed import open_packed
from xrgan.gan.state import start
from xrgan.gan.step import train_step
from xrgan.rundir import RunDir

# No step moves a weight: Adam's first one makes the least difference of a gradient near 0 one of twice the rate.
CASES: dict[str, list[str]] = {
    "default": ["train.loss=hinge", "train.augment=0.8"],
    "masks": ["train.loss=hinge", "train.augment=1"],
    "dcgan": ["model.name=dcgan"],
    "turned": ["train.loss=relativistic", "train.augment=1", "train.rotation=10", "train.scaling=0.1"],
    "penalties": ["model.discriminator=plain", "train.r1=0.5", "train.r2=0.2", "train.gradient_clip=0.01"],
    "matching": ["train.feature_matching=0.5", "train.augment=adaptive"],
}
BATCH = "train.batch_size=8"


def dataset_folder(folder: Path, case: str) -> Path:
    return folder / ("masked" if case == "masks" else "plain") / "tiny"


def first_gradients(folder: Path, case: str) -> dict[str, Tensor]:
    """The gradient of each network at the first step, and the step's losses: BatchNorm does nothing."""
    dataset = open_packed(dataset_folder(folder, case))
    config = tiny_config(*CASES[case], BATCH, "train.lr=1e-30", masks=bool(dataset.masks))
    job = job_of(RunDir(folder / "run"), dataset, config)
    state = start(job)
    for network in (state.generator, state.discriminator):
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval()
    train_step(state, job)
    found = {"losses": state.sums.clone(), "signs": state.signs.clone()[None]}
    for name in ("generator", "discriminator"):
        weights = getattr(state, name).parameters()
        found[name] = torch.cat([weight.grad.flatten() for weight in weights if weight.grad is not None])
    return found


def started(folder: Path, processes: int) -> list[subprocess.Popen[str]]:
    """This module in so many processes that work together."""
    store = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(processes)}
    command = [sys.executable, "-m", "tests.gan.in_ranks", str(folder)]
    return [
        subprocess.Popen(
            command,
            env=os.environ | store | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]


def free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with ranks.joined(CPU):
        for case in CASES:
            found = first_gradients(folder, case)
            if ranks.is_first():
                torch.save(found, folder / f"{case}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
