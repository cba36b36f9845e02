"""Studies of readers without a reader: keys, answers, and what came of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from xrgan.files import write_csv
from xrgan.readers.choice import REAL, SYNTHETIC, Shown, write_key
from xrgan.readers.page import study_of

HEAD = ("study", "reader", "image", "answer", "sure", "class", "seconds")
Reads = Callable[[int, str], tuple[str, int]]
"""Number of an image and what it is → what a reader says, and how sure."""

SUMMARY = {
    "study": "abc",
    "images": 60,
    "readers": [
        {
            "reader": "Dr Who",
            "accuracy": {"value": 0.8, "interval": [0.68, 0.88], "n": 60},
            "found": 0.7,
            "suspected": 0.1,
            "auc": 0.9,
        }
    ],
    "accuracy": {"value": 0.8, "interval": [0.68, 0.88], "n": 60},
    "per_class": {"NORMAL": {"value": 0.8, "interval": [0.6, 0.9], "n": 30}},
    "roc": {"auc": 0.9, "interval": [0.8, 0.95], "false": [0.0, 0.1, 1.0], "true": [0.0, 0.7, 1.0]},
    "agreement": {"kappa": 0.5, "images": 60},
    "conclusion": "The reader told synthetic images from real ones.",
    "caveats": ["It holds for this reader."],
}


def put_key(folder: Path, n: int = 60) -> Path:
    """A key of n images, real and synthetic in random order, of two classes."""
    order = np.random.default_rng(0).permutation(n)
    shown = [Shown((REAL, SYNTHETIC)[k % 2], ("NORMAL", "PNEUMONIA")[k // 2 % 2], int(k)) for k in order]
    folder.mkdir(parents=True, exist_ok=True)
    write_key(folder / "key.csv", shown)
    return folder / "key.csv"


def put_answers(key: Path, reader: str, reads: Reads, separator: str = ",") -> Path:
    """The file that a reader sends back."""
    lines = [line.split(",") for line in key.read_text().splitlines()[1:]]
    rows = [(study_of(key), reader, k, *reads(int(k), kind), label, 2.5) for k, kind, label, _ in lines]
    file = key.with_name(f"{reader}.csv")
    write_csv(file, [HEAD, *rows])
    file.write_text("\ufeff" + file.read_text().replace(",", separator), encoding="utf-8")
    return file


def knows(_: int, kind: str) -> tuple[str, int]:
    return kind, 5


def errs(_: int, kind: str) -> tuple[str, int]:
    return (SYNTHETIC if kind == REAL else REAL), 5


def guesses(seed: int) -> Reads:
    random = np.random.default_rng(seed)

    def guess(_: int, kind: str) -> tuple[str, int]:
        return (REAL, SYNTHETIC)[random.integers(2)], int(random.integers(1, 6))

    return guess
