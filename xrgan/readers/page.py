"""The page on which a reader answers: real or synthetic, how sure, perhaps which class."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import xrgan
from xrgan.data.images import Pixels, to_pil
from xrgan.files import write_text
from xrgan.readers.choice import REAL, Shown, write_key
from xrgan.report.pictures import address
from xrgan.report.render import render

PAGE, KEY = "readers.html", "key.csv"


def write_study(
    folder: Path,
    shown: Sequence[Shown],
    real: NDArray[np.uint8],
    synthetic: NDArray[np.uint8],
    asked_classes: Sequence[str],
    of_phantoms: bool,
) -> None:
    """Write readers.html, and key.csv beside it.

    Args:
        real: uint8 (R, C, H, W), of which `shown` numbers some; synthetic: likewise.
        asked_classes: among which a reader chooses; none = nobody is asked.
        of_phantoms: the real ones are nobody's.
    """
    write_key(folder / KEY, shown)
    images = [address_of((real if one.is_ == REAL else synthetic)[one.number]) for one in shown]
    study = study_of(folder / KEY)
    page = render(
        "readers.html",
        script="readers.js",
        images=images,
        study=study,
        classes=list(asked_classes),
        of_phantoms=of_phantoms,
        version=xrgan.__version__,
    )
    write_text(folder / PAGE, page)


def study_of(key: Path) -> str:
    """What tells a study's answers from another's: it says nothing of what is in the key."""
    return hashlib.sha256(key.read_bytes()).hexdigest()[:12]


def address_of(image: Pixels) -> str:
    """An image as an address that holds it. Real and synthetic ones are written alike, and none is marked: the mark
    would be the answer.
    """
    content = BytesIO()
    to_pil(image).save(content, "PNG")
    return address("image/png", content.getvalue())
