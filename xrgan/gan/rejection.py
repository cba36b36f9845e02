"""Which images of a seed go into a folder, where some are turned down: the next numbers are drawn instead."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.data.images import Pixels
from xrgan.errors import XrganError

JUDGED_AT_LEAST = 320  # images, before a generator is given up
DROPPED_AT_MOST = 0.9  # of them
RECORDED = ("judged", "dropped")  # keys of sample.yaml that grow

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
class Record:
    """What was judged so far, so that more can be added later, and anywhere, without judging again."""

    judged: int = 0
    """the images 0 … judged − 1 of the seed"""
    dropped: list[int] = field(default_factory=list)
    """the numbers of those that were turned down, ascending"""

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> "Record":
        return cls(int(content.get("judged", 0)), [int(k) - 1 for k in content.get("dropped", ())])

    def written(self) -> dict[str, Any]:
        """As sample.yaml holds it: numbers from 1, as in the files' names."""
        return {"judged": self.judged, "dropped": [k + 1 for k in self.dropped]}


def select(
    draw: SampleBlock, room: NDArray[np.int64], accept: Accept, record: Record, keep: Callable[[Record], None]
) -> Iterator[tuple[int, Pixels]]:
    """The numbers (from 0) and images (C + M, S, S) of the first ones of a seed that are accepted.

    Args:
        room: (groups,): how many images of each group are wanted.
        record: what was judged before; it grows.
        keep: called with the record whenever it has grown.

    Raises:
        XrganError: hardly any image is accepted.
    """
    room, block, tried, turned_down = room.copy(), 0, 0, 0
    while room.any():
        images, groups = draw(block)
        first = block * len(images)
        if record.judged < first + len(images):
            refused = np.flatnonzero(~accept(images))
            record.dropped += [first + int(k) for k in refused]
            record.judged = first + len(images)
            keep(record)
        dropped = set(record.dropped)
        for number, image, group in zip(range(first, first + len(images)), images, groups, strict=True):
            if not room[group]:
                continue
            tried += 1
            if number in dropped:
                turned_down += 1
                continue
            room[group] -= 1
            yield number, image
        if room.any():
            _check_progress(tried, turned_down)
        block += 1


def _check_progress(tried: int, turned_down: int) -> None:
    if tried >= JUDGED_AT_LEAST and turned_down > DROPPED_AT_MOST * tried:
        raise XrganError(
            f"{turned_down:,} of {tried:,} images that this generator drew look like copies of training images: "
            "too few others are left to go on.",
            "Draw from an earlier checkpoint with --checkpoint, or train on more images.",
        )
