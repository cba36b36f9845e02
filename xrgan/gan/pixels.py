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
READERS = 8  # steps that are read at once: a disk is the faster the more it is asked for
MOST_AHEAD = 256_000_000  # bytes of them


class PixelStore:
    """Knows the images of every step that this process takes its part of."""

    def __init__(self, batches: Batches, device: torch.device) -> None:
        self._batches, self._device = batches, device
        self._threads = ThreadPoolExecutor(READERS, "reads ahead")
        self._ahead: dict[int, Future[NDArray[np.uint8]]] = {}
        self._shape = (len(batches.indices), batches.channels, batches.dataset.size, batches.dataset.size)
        of_step = batches.size // ranks.size() * math.prod(self._shape[1:])
        self._steps_ahead = max(1, min(READERS, MOST_AHEAD // of_step))
        self.resident = self._load() if math.prod(self._shape) <= MOST_OF_MEMORY * free_memory(device) else None

    def places(self, step: int) -> NDArray[np.int64]:
        """Which images a step takes here, as places in `Batches.indices`: (b,)."""
        return self._batches.chosen(step)[ranks.part(self._batches.size)]

    def read(self, step: int) -> NDArray[np.uint8]:
        """Read the pixels of a step, uint8 (b, C + M, S, S), and begin to read those of the next ones."""
        wanted, begun = range(step, step + 1 + self._steps_ahead), self._ahead
        self._ahead = {of: begun.get(of) or self._begin(of) for of in wanted}
        return self._ahead.pop(step).result()

    def _begin(self, step: int) -> Future[NDArray[np.uint8]]:
        return self._threads.submit(self._batches.read, self.places(step))

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
