"""Rejection of sampled images, such as copies of training images: the next numbers of the seed are sampled instead."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.data.images import Pixels
from xrgan.errors import XrganError

MIN_JUDGED = 320  # images, before a generator is given up
MAX_DROPPED = 0.9  # of them
GROWING_KEYS = ("judged", "dropped")  # of sample.yaml: they change while a folder is added to

Accept = Callable[[Pixels], NDArray[np.bool_]]  # uint8 (B, C, S, S) → (B,): whether each may stay
SampleBlock = Callable[[int], tuple[Pixels, NDArray[np.int64]]]  # block → its images, and the group of each


@dataclass(frozen=True)
class Rejection:
    """What turns images down."""

    by: str
    """as sample.yaml names it: images that were chosen otherwise are never mixed with these"""
    load: Callable[[], Accept]
    """called once, when images are to be judged"""


@dataclass
class RejectionRecord:
    """Which images were judged so far, so that more can be added later, and anywhere, without judging again."""

    judged: int = 0
    """the images 0 … judged − 1 of the seed"""
    dropped: list[int] = field(default_factory=list)
    """the numbers of those that were turned down, ascending"""

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "RejectionRecord":
        return cls(int(content.get("judged", 0)), [int(k) - 1 for k in content.get("dropped", ())])

    def to_dict(self) -> dict[str, Any]:
        """As sample.yaml holds it: numbers from 1, as in the files' names."""
        return {"judged": self.judged, "dropped": [k + 1 for k in self.dropped]}


def accepted_images(
    sample_block: SampleBlock,
    wanted: NDArray[np.int64],
    accept: Accept,
    record: RejectionRecord,
    save_record: Callable[[RejectionRecord], None],
) -> Iterator[tuple[int, Pixels]]:
    """Iterate over the first images of a seed that are accepted: their numbers (from 0) and pixels (C + M, S, S).

    Args:
        wanted: (groups,): how many images of each group.
        record: what was judged before; it grows.
        save_record: called with the record whenever it has grown.

    Raises:
        XrganError: hardly any image is accepted.
    """
    wanted, block, tried, turned_down = wanted.copy(), 0, 0, 0
    while wanted.any():
        images, groups = sample_block(block)
        first = block * len(images)
        if record.judged < first + len(images):
            refused = np.flatnonzero(~accept(images))
            record.dropped += [first + int(k) for k in refused]
            record.judged = first + len(images)
            save_record(record)
        dropped = set(record.dropped)
        for number, image, group in zip(range(first, first + len(images)), images, groups, strict=True):
            if not wanted[group]:
                continue
            tried += 1
            if number in dropped:
                turned_down += 1
                continue
            wanted[group] -= 1
            yield number, image
        if wanted.any():
            _check_progress(tried, turned_down)
        block += 1


def _check_progress(tried: int, turned_down: int) -> None:
    if tried >= MIN_JUDGED and turned_down > MAX_DROPPED * tried:
        raise XrganError(
            f"{turned_down:,} of {tried:,} images that this generator drew look like copies of training images: "
            "too few others are left to go on.",
            "Draw from an earlier checkpoint with --checkpoint, or train on more images.",
        )
