"""A dataset that a tiny U-Net learns in a few steps: two bright lungs and a dark heart in noise, nobody's."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from xrgan.config import SegmentConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.pool import SyntheticImages
from xrgan.downstream.segmentation.data import paired_images
from xrgan.downstream.segmentation.segmenter import Segmenter
from xrgan.downstream.trial import Epoch, History, Trial, TrialKey

SIZE = 32
STRUCTURES = ("lungs", "heart")
QUICK = SegmentConfig(k_folds=2, epochs=8, patience=0, batch_size=4, width=4, lr=0.05, resamples=100)
CPU = torch.device("cpu")

Pixels = NDArray[np.uint8]


def chests(count: int, seed: int, channels: int = 1) -> Pixels:
    """uint8 (N, C + 2, 32, 32): X-rays and the masks of lungs and heart, which never overlap."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, channels + 2, SIZE, SIZE), np.uint8)
    for image in images:
        top, left = rng.integers(3, 8), rng.integers(2, 6)
        lungs, heart = image[channels], image[channels + 1]
        lungs[top : top + 18, left : left + 9] = lungs[top : top + 18, left + 16 : left + 25] = 255
        heart[top + 6 : top + 16, left + 9 : left + 16] = 255
        shown = 100.0 + 100 * (lungs > 0) - 100 * (heart > 0) + rng.integers(0, 50, (channels, SIZE, SIZE))
        image[:channels] = shown.astype(np.uint8)
    return images


def masked_dataset(train: int = 48, test: int = 12, seed: int = 0, **fields: Any) -> PackedDataset:
    """Two images a patient, one label a patient; two of ten patients are called val."""
    total, images = train + test, chests(train + test, seed)
    dataset = PackedDataset(
        path=Path("chests"),
        name="chests",
        images=images,
        labels=(np.arange(total) // 2 % 2).astype(np.int64),
        splits=np.array(["val" if k // 2 % 10 in (4, 9) else "train" for k in range(train)] + ["test"] * test),
        patients=np.array([f"patient{k // 2}" for k in range(total)]),
        classes=("NORMAL", "PNEUMONIA"),
        content_hash=hashlib.sha256(images.tobytes()).hexdigest(),
        masks=STRUCTURES,
        source="chests",
        hashes=np.array([hashlib.sha256(image.tobytes()).hexdigest() for image in images]),
    )
    return replace(dataset, **fields)


def synthetic_pairs(dataset: PackedDataset, count: int = 60, seed: int = 9, wrong: bool = False) -> SyntheticImages:
    """Synthetic pairs, whose generator saw nobody. Args: wrong: the masks show everything but what they should."""
    drawn = chests(count, seed)
    images, masks = drawn[:, :1], drawn[:, 1:]
    return paired_images(dataset, images, 255 - masks if wrong else masks, ())


def made_up(arm: str, on_test: Sequence[float], on_fold: float = 0.8, fold: int = 0, seed: int = 1) -> Trial:
    """What a training might give, of one structure: Dice of each test image, and of all in the left-out part."""
    history = History((Epoch(1.0, {"dice": 0.5}), Epoch(0.5, {"dice": 0.75})), 1, 6)
    scores = np.repeat(np.array(on_test)[:, None, None], 3, axis=2)
    return Trial(TrialKey(arm, 1.0, fold, seed), 20, 20, history, scores, np.full((4, 1, 3), on_fold), 1.0)


def small_build(channels: int, structures: int, width: int, seed: int) -> Segmenter:
    """Two convolutions: enough for chests whose organs are told by how bright they are, and done in no time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Conv2d(channels, 2 * width, 3, padding=1), nn.ReLU(), nn.Conv2d(2 * width, structures, 1)]
        return Segmenter(nn.Sequential(*layers))
