"""The training images' pixels, ready when a step wants them: in the GPU's memory, or read ahead from the disk."""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xrgan import console, ranks
from xrgan.gan.batches import READ_AT_ONCE, Batches
from xrgan.hardware import free_memory, upload

MOST_OF_MEMORY = 0.4  # of the GPU's, as far as it is free: the rest is for the networks


class PixelStore:
    """Knows the images of every step that this process takes its part of."""

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self._batches, self._device = batches, device
        self._thread = ThreadPoolExecutor(1, "reads ahead")
        self._ahead: tuple[int, Future[NDArray[np.uint8]]] | None = None
        size = len(batches.indices) * batches.bytes_an_image
        self.resident = self._load() if size <= MOST_OF_MEMORY * free_memory(device) else None

    def places(self, step: int) -> NDArray[np.int64]:
        """Which images a step takes here, as places in `Batches.indices`: (b,)."""
        return self._batches.chosen(step)[ranks.part(self._batches.size)]

    def read(self, step: int) -> NDArray[np.uint8]:
        """Read the pixels of a step, uint8 (b, C + M, S, S), and begin to read those of the next one."""
        which, ahead = self._ahead or (None, None)
        pixels = ahead.result() if ahead is not None and which == step else self._read(step)
        self._ahead = (step + 1, self._thread.submit(self._read, step + 1))
        return pixels

    def _read(self, step: int) -> NDArray[np.uint8]:
        return self._batches.read(self.places(step))

    def _load(self) -> Tensor:
        """Bring all training images to the device, a few at a time."""
        console.waiting("Bringing the training images to the GPU")
        parts = np.split(
            np.arange(len(self._batches.indices)), range(READ_AT_ONCE, len(self._batches.indices), READ_AT_ONCE)
        )
        first = self._batches.read(parts[0][:1])
        there = torch.empty((len(self._batches.indices), *first.shape[1:]), dtype=torch.uint8, device=self._device)
        for part in parts:
            (pixels,) = upload([self._batches.read(part)], self._device)
            there[part[0] : part[-1] + 1] = pixels
        return there
