"""Which images are compared: as many of each set, drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xrgan.errors import XrganError

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Compared:
    """`real`, `synthetic` and `other_real` hold N images each in random order, uint8 (N, C, H, W)."""

    real: Images
    synthetic: Images
    other_real: Images
    training: Images
    """all of the images that `other_real` was drawn from"""
    real_labels: Labels | None
    synthetic_labels: Labels | None
    classes: Sequence[str]

    @property
    def n(self) -> int:
        return len(self.real)

    @property
    def size(self) -> str:
        _, _, height, width = self.real.shape
        return f"{width}×{height}"

    def of_classes(self) -> dict[str, tuple[Images, Images]]:
        """Class → its real and its synthetic images; empty where one side has no labels."""
        if self.real_labels is None or self.synthetic_labels is None:
            return {}
        return {
            name: (self.real[self.real_labels == index], self.synthetic[self.synthetic_labels == index])
            for index, name in enumerate(self.classes)
        }


def draw_compared(
    real: Images,
    synthetic: Images,
    training: Images,
    n: int,
    seed: int,
    real_labels: Labels | None,
    synthetic_labels: Labels | None,
    classes: Sequence[str],
) -> Compared:
    """Draw N images of each set; N = the smallest set, `n` at most.

    Raises:
        XrganError: the sets differ in size or channels, or one has less than two images.
    """
    _check(real, synthetic, training)
    n = min(len(real), len(synthetic), len(training), n)
    rng = np.random.default_rng(seed)
    of_real, of_synthetic, of_training = (
        rng.choice(len(images), n, replace=False) for images in (real, synthetic, training)
    )
    return Compared(
        real=real[of_real],
        synthetic=synthetic[of_synthetic],
        other_real=training[of_training],
        training=training,
        real_labels=None if real_labels is None else real_labels[of_real],
        synthetic_labels=None if synthetic_labels is None else synthetic_labels[of_synthetic],
        classes=classes,
    )


def _check(real: Images, synthetic: Images, training: Images) -> None:
    for name, images in (("held-out real", real), ("synthetic", synthetic), ("training", training)):
        if len(images) < 2:
            count = {0: "no", 1: "only one"}[len(images)]
            raise XrganError(
                f"There is {count} {name} image to compare.",
                "Scores need two or more of each kind, and mean something from some hundreds on.",
            )
    for name, images in (("synthetic", synthetic), ("training", training)):
        if images.shape[1:] != real.shape[1:]:
            raise XrganError(
                f"The {name} images are {_shape(images)}, the held-out real ones {_shape(real)}.",
                "`xrgan prepare --size` brings the real images to the size of the synthetic ones.",
            )


def _shape(images: Images) -> str:
    _, channels, height, width = images.shape
    return f"{width}×{height} {'gray' if channels == 1 else 'RGB' if channels == 3 else f'with {channels} channels'}"
