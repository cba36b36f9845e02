"""What a run tells while it trains: losses.csv, losses.png, the grids in samples/, TensorBoard events."""

import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from xrgan import console
from xrgan.config import Config
from xrgan.data.images import Pixels, grid, save_png
from xrgan.data.sheets import shown
from xrgan.gan.events import Events
from xrgan.gan.networks.base import ImageSpec
from xrgan.gan.sampler import generate, latents
from xrgan.plots import drawn_figure
from xrgan.rundir import RunDir

GRID_STREAM = 10**9  # latents of the grids: far from those of `sample`
Row = dict[str, float]
PLOTTED = ("epoch", "step", "discriminator_loss", "generator_loss", "d_real", "d_fake")


class Monitor:
    """Writes one run's record; made when training starts or goes on."""

    def __init__(self, run: RunDir, config: Config, spec: ImageSpec, epochs_done: int) -> None:
        self._run, self._config, self._spec = run, config, spec
        # Rows behind the checkpoint belong to an epoch that is trained once more.
        self._rows = [row for row in run.read_losses(PLOTTED) if row["epoch"] <= epochs_done]
        run.write_losses(self._rows)
        purge_step = int(self._rows[-1]["step"]) + 1 if self._rows else None
        self._events = Events(run.tensorboard, purge_step) if config.train.tensorboard else None
        self._warned: set[str] = set()

    def record(self, row: Row, ema: nn.Module, last: bool) -> None:
        """Record an epoch: a line of losses.csv and, every `sample_every` epochs and at the last one, the pictures."""
        self._rows.append(row)
        self._run.write_losses(self._rows)
        if self._events is not None:
            curves = {name: value for name, value in row.items() if name not in {"epoch", "step"}}
            self._events.add_scalars(curves, int(row["step"]))
        if last or row["epoch"] % self._config.train.sample_every == 0:
            self._pictures(math.ceil(row["epoch"]), int(row["step"]), ema)

    def warn_once(self, advice: dict[str, str]) -> None:
        """Say each kind of trouble once: it is in losses.csv every time."""
        for kind in advice.keys() - self._warned:
            console.warn(advice[kind])
        self._warned |= advice.keys()

    def _pictures(self, epoch: int, step: int, ema: nn.Module) -> None:
        sheet = preview(ema, self._config, self._spec)
        save_png(self._run.samples / f"epoch_{epoch:04d}.png", sheet)
        plot_losses(self._rows, self._run.path / "losses.png")
        if self._events is not None:
            self._events.add_image("samples", sheet, step)


def preview(generator: nn.Module, config: Config, spec: ImageSpec) -> Pixels:
    """A grid of 64 images from the same latents every time, class by class in columns: uint8 (C or 3, H, W)."""
    z = latents(config.train.seed, GRID_STREAM, 64, int(config.model.latent_size))
    labels = torch.arange(64) % spec.classes if spec.classes else None
    images = np.concatenate([generate(generator, z[k : k + 16], _part(labels, k)) for k in range(0, 64, 16)])
    return grid(shown(images, spec.channels), columns=8)


def _part(labels: torch.Tensor | None, first: int) -> torch.Tensor | None:
    return None if labels is None else labels[first : first + 16]


def plot_losses(rows: list[Row], file: Path) -> None:
    """Both losses, and D(x) beside D(G(z)), over the epochs."""
    with drawn_figure(file, 9, 3.2, dpi=120, font_size=9) as figure:
        losses, outputs = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in rows]
        losses.plot(epochs, [row["discriminator_loss"] for row in rows], label="discriminator")
        losses.plot(epochs, [row["generator_loss"] for row in rows], label="generator")
        losses.set(title="Loss", xlabel="epoch")
        outputs.plot(epochs, [row["d_real"] for row in rows], label="D(x), real")
        outputs.plot(epochs, [row["d_fake"] for row in rows], label="D(G(z)), synthetic")
        outputs.set(title="What the discriminator says (1 = real)", xlabel="epoch", ylim=(0, 1))
        for axes in (losses, outputs):
            axes.legend(frameon=False)
            axes.grid(alpha=0.3)
