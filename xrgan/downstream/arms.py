"""The arms of a study: one row each says what its networks learn from."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

REAL, CLASSIC = "real", "real+classic"

Kind = Literal["real", "synthetic"]


@dataclass(frozen=True)
class Arm:
    """One way to train a network.

    Attributes:
        name: one of `config.Arm`.
        colour: in every picture.
        phases: the images that a training learns from; of two phases the second continues with the first one's weights.
        classic: every batch is augmented, of real and of synthetic images alike (`classic.augment`).
        agreed: of the synthetic images, only those that a network of the arm `real` understands as they are meant: one
            of the same fold, fraction and seed, which never saw the test split.
    """

    name: str
    colour: str
    phases: tuple[frozenset[Kind], ...]
    classic: bool = False
    agreed: bool = False

    @property
    def slug(self) -> str:
        """Its name in the name of a file."""
        return self.name.replace("→", "-to-")

    @property
    def uses_real(self) -> bool:
        return any("real" in phase for phase in self.phases)

    @property
    def uses_synthetic(self) -> bool:
        return any("synthetic" in phase for phase in self.phases)

    @property
    def mixes(self) -> bool:
        """Whether real and synthetic images are in one batch."""
        return any(len(phase) > 1 for phase in self.phases)


_REAL: frozenset[Kind] = frozenset({"real"})
_SYNTHETIC: frozenset[Kind] = frozenset({"synthetic"})

# In the order of tables and pictures. The colours are told apart by the colour-blind (Tol's bright).
ARMS = {
    arm.name: arm
    for arm in (
        Arm(REAL, "#4477aa", (_REAL,)),
        Arm(CLASSIC, "#66ccee", (_REAL,), classic=True),
        Arm("real+synthetic", "#ee6677", (_REAL | _SYNTHETIC,)),
        Arm("real+classic+synthetic", "#aa3377", (_REAL | _SYNTHETIC,), classic=True),
        Arm("real+agreed", "#332288", (_REAL | _SYNTHETIC,), agreed=True),
        Arm("synthetic→real", "#228833", (_SYNTHETIC, _REAL)),
        Arm("synthetic→real+classic", "#bbbbbb", (_SYNTHETIC, _REAL), classic=True),
        Arm("synthetic", "#ccbb44", (_SYNTHETIC,)),
    )
}


def baseline_of(arms: tuple[str, ...]) -> str:
    """The arm that the others are compared with: real images alone, else the first one."""
    return REAL if REAL in arms else arms[0]


def held_against(arm: str, arms: Collection[str], baseline: str) -> str:
    """The arm that one is compared with: the baseline; but with classic augmentation and synthetic images, `CLASSIC`.

    Otherwise nobody could tell what the synthetic images add to the augmentation.
    """
    own = ARMS[arm].classic and ARMS[arm].uses_synthetic and CLASSIC in arms
    return CLASSIC if own else baseline


def needs_synthetic(arms: tuple[str, ...]) -> bool:
    """Whether any of those arms learns from synthetic images."""
    return any(ARMS[name].uses_synthetic for name in arms)


def about_synthetic(comparisons: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those comparisons of a summary that say something of synthetic images: `real+classic` against `real` doesn't."""
    return [one for one in comparisons if one.get("arm") not in ARMS or ARMS[one["arm"]].uses_synthetic]
