"""What each of several processes does that tests start together: `python -m tests.gan.in_ranks FOLDER`."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.gan.helpers import create, job_of, tiny_config
from xrgan import ranks
from xrgan.config import Config
from xrgan.data.packed import open_packed
from xrgan.gan import sample_folder, training
from xrgan.gan.sampler import load_sampler
from xrgan.gan.state import start
from xrgan.gan.step import train_step
from xrgan.rundir import RunDir

DEFAULT = [  # as a new run has it
    *("model.discriminator=projected", "model.discriminator_pixels=24", "model.warps=2"),
    *("model.progressive=none", "model.growth=residual"),
]
# No step moves a weight: Adam's first one makes the least difference of a gradient near 0 one of twice the rate.
CASES: dict[str, list[str]] = {
    "default": [*DEFAULT, "train.loss=hinge", "train.augment=0.8"],
    "masks": [*DEFAULT, "train.loss=hinge", "train.augment=1"],
    "dcgan": ["model.name=dcgan"],
    "turned": [*DEFAULT, "train.loss=relativistic", "train.augment=1", "train.rotation=10", "train.scaling=0.1"],
    "penalties": ["model.discriminator=plain", "train.r1=0.5", "train.r2=0.2", "train.gradient_clip=0.01"],
    "variance": [*DEFAULT, "train.variance=3", "train.augment=0.8"],
    "matching": [*DEFAULT, "train.feature_matching=0.5", "train.augment=adaptive"],
}
EPOCHS, IMAGES = 8, 40  # of a whole training; to draw: of two blocks


def dataset_folder(folder: Path, case: str = "") -> Path:
    return folder / ("masked" if case == "masks" else "plain") / "tiny"


def first_gradients(folder: Path, case: str) -> dict[str, Tensor]:
    """The gradient of each network at the first step, and the step's losses: BatchNorm does nothing."""
    dataset = open_packed(dataset_folder(folder, case))
    config = tiny_config(*CASES[case], "train.batch_size=8", "train.lr=1e-30", masks=bool(dataset.masks))
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


def config_to(epochs: int, *settings: str) -> Config:
    return tiny_config(*DEFAULT, "train.batch_size=8", "train.augment=0.5", f"train.epochs={epochs}", *settings)


def train(folder: Path, name: str, config: Config, score: training.Score | None = None) -> training.Trained:
    """Train a run, new or not, as that configuration has it."""
    run, dataset = RunDir(folder / name), open_packed(dataset_folder(folder))
    if ranks.is_first() and not run.exists():
        with ranks.alone():
            create(run, dataset, config)
    ranks.wait()
    return training.train(job_of(run, dataset, config), score if ranks.is_first() else None)


def started(command: Sequence[str], processes: int) -> list[subprocess.Popen[str]]:
    """A Python command line in so many processes that work together, as torchrun starts them."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(processes)}
    return [
        subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | together | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(processes)
    ]


def finished(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """What each of them wrote to stdout and stderr; all of them have done what they should."""
    said = [process.communicate(timeout=900) for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with ranks.joined("cpu"):
        for case in CASES:
            found = first_gradients(folder, case)
            if ranks.is_first():
                torch.save(found, folder / f"{case}.pt")
        train(folder, "parts", config_to(EPOCHS // 2))
        done = train(folder, "parts", config_to(EPOCHS))
        sample_folder.fill(load_sampler(done.run, "cpu"), folder / "drawn", IMAGES, seed=1)
        # By the first one's clock, and by its patience: else one would wait for the others for ever.
        train(folder, "timed", config_to(1, "train.minutes=0.01", "train.lr_end=0.1"))
        patient = config_to(EPOCHS + 1, "train.patience=1", "train.evaluate_every=1")
        assert train(folder, "parts", patient, lambda *_: 120.0).step == done.step


if __name__ == "__main__":
    main(Path(sys.argv[1]))
