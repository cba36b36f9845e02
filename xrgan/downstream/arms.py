"""The arms of a study: what a network may learn from."""

from dataclasses import dataclass
from typing import Literal

REAL = "real"


@dataclass(frozen=True)
class Arm:
    """How an arm comes by its images.

    Attributes:
        synthetic: none | beside real ones | before them (pre-training, then fine-tuning on real ones) | alone.
        classic: real images are turned, moved, scaled, and made brighter or darker, anew at each step.
    """

    name: str
    synthetic: Literal["none", "beside", "before", "alone"] = "none"
    classic: bool = False

    @property
    def slug(self) -> str:
        """Its name in the name of a file."""
        return self.name.replace("→", "-to-")


ARMS = {
    arm.name: arm
    for arm in (
        Arm(REAL),
        Arm("real+classic", classic=True),
        Arm("real+synthetic", "beside"),
        Arm("synthetic→real", "before"),
        Arm("synthetic", "alone"),
    )
}


def baseline_of(arms: tuple[str, ...]) -> str:
    """The arm that the others are compared with: real images alone, else the first one."""
    return REAL if REAL in arms else arms[0]


def needs_synthetic(arms: tuple[str, ...]) -> bool:
    return any(ARMS[name].synthetic != "none" for name in arms)
