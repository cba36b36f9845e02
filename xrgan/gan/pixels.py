"""The training images' pixels, ready when a step wants them: in the GPU's memory, or read ahead from the disk."""

import math
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
        self._shape = (len(batches.indices), batches.channels, batches.dataset.size, batches.dataset.size)
        self.resident = self._load() if math.prod(self._shape) <= MOST_OF_MEMORY * free_memory(device) else None

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
        there = torch.empty(self._shape, dtype=torch.uint8, device=self._device)
        places = np.arange(len(there))
        for begin in range(0, len(there), READ_AT_ONCE):
            part = slice(begin, begin + READ_AT_ONCE)
            (pixels,) = upload([self._batches.read(places[part])], self._device)
            there[part] = pixels
        return there
