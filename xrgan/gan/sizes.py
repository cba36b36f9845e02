"""The sizes of images that the generators draw: a first map of 4 to 7 pixels, doubled some times."""

import math

FIRST_SIZES = (4, 5, 6, 7)


def stages_of(size: int, model: str) -> tuple[int, int]:
    """The first map's pixels (4 to 7), and how often it doubles to reach size × size.

    Args:
        model: its name, for the error.

    Raises:
        ValueError: no such map doubles to that size.
    """
    for first_size in FIRST_SIZES:
        stages = round(math.log2(size / first_size)) if size >= 2 * first_size else 0
        if stages and first_size * 2**stages == size:
            return first_size, stages
    raise ValueError(f"{model} draws 4, 5, 6 or 7 times a power of two (64, 96, 224 …), not {size} pixels")


def nearest_sizes(size: int) -> list[int]:
    """The size itself, in pixels, if it is drawn; else the next smaller one that is, if any, and the next larger."""
    doubled = range(1, max(size, 1).bit_length() + 1)
    drawn = sorted(first * 2**stages for first in FIRST_SIZES for stages in doubled)
    if size in drawn:
        return [size]
    return [*[one for one in drawn if one < size][-1:], next(one for one in drawn if one > size)]
