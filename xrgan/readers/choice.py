"""Which images readers see: real and synthetic ones of the same classes, in random order; and the key to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xrgan.errors import XrganError
from xrgan.files import write_csv

REAL, SYNTHETIC = "real", "synthetic"
KEY_COLUMNS = ("image", "is", "class", "number")
LEAST = 4  # images


@dataclass(frozen=True)
class Shown:
    """One image of the test.

    Attributes:
        is_: real or synthetic.
        label: its class; empty = none.
        number: its place among the real, or the synthetic images.
    """

    is_: str
    label: str
    number: int


def choose(
    real: NDArray[np.int64],
    patients: NDArray[np.int64],
    synthetic: NDArray[np.int64],
    classes: Sequence[str],
    n: int,
    seed: int,
) -> list[Shown]:
    """Choose n images, half of them real: of each class as many real as synthetic ones, of each patient one.

    Args:
        real: (R,) classes of the held-out images, -1 = none; patients: (R,) whose they are.
        synthetic: (S,) classes of the synthetic ones; where they have none, classes play no part.

    Returns:
        In the order in which they are shown. Fewer than n where there are too few of a class.

    Raises:
        XrganError: there are hardly any.
    """
    random = np.random.default_rng(seed)
    if not len(synthetic) or (synthetic < 0).all():
        real, synthetic = np.full_like(real, -1), np.full_like(synthetic, -1)
    ones = random.permutation(len(real))
    ones = ones[np.sort(np.unique(patients[ones], return_index=True)[1])]  # the first one of each patient
    others = random.permutation(len(synthetic))
    of_class = {k: (ones[real[ones] == k], others[synthetic[others] == k]) for k in np.unique(synthetic)}
    counts = _shares({k: min(map(len, both)) for k, both in of_class.items()}, n // 2)
    shown = []
    for k, count in counts.items():
        label = classes[k] if k >= 0 else ""
        for kind, numbers in zip((REAL, SYNTHETIC), of_class[k], strict=True):
            shown += [Shown(kind, label, int(number)) for number in numbers[:count]]
    if len(shown) < LEAST:
        raise XrganError(
            "There are too few images for readers: of each class, one held-out real image a patient and as many "
            "synthetic ones.",
            "Draw more (`xrgan sample`), or prepare a larger dataset.",
        )
    return [shown[k] for k in random.permutation(len(shown))]


def _shares(there: dict[int, int], wanted: int) -> dict[int, int]:
    """Spread a number over the classes as evenly as what is there of each allows."""
    counts = dict.fromkeys(there, 0)
    while sum(counts.values()) < wanted and (open_ := [k for k in there if counts[k] < there[k]]):
        counts[min(open_, key=lambda k: (counts[k], k))] += 1
    return counts


def write_key(file: Path, shown: Sequence[Shown]) -> None:
    """Write what each image is; image 1 is the first one shown."""
    rows = [(k, one.is_, one.label, one.number + 1) for k, one in enumerate(shown, 1)]
    write_csv(file, [KEY_COLUMNS, *rows])


def read_key(file: Path) -> pd.DataFrame:
    """Read a key: columns `is` and `class`, by the image's number.

    Raises:
        XrganError: there is none, or it was changed.
    """
    if not file.is_file():
        raise XrganError(f"There is no key {file}.", "`xrgan readers RUN` writes it, beside the page.")
    try:
        key = pd.read_csv(file, dtype=str, keep_default_na=False)[list(KEY_COLUMNS)]
        key["image"] = key["image"].astype(int)
        if not key["is"].isin([REAL, SYNTHETIC]).all() or list(key["image"]) != list(range(1, len(key) + 1)):
            raise ValueError("a line says neither real nor synthetic, or is missing")
    except (ValueError, KeyError) as error:
        raise XrganError(f"{file} is damaged: {error}.", "Take it from a copy: answers need it.") from error
    return key.set_index("image")
