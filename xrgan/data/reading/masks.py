"""Masks and boxes → one binary picture a structure.

A mask file shows a structure by its folder (`masks/heart/…`), several by their gray values (150, 200, 250: those of the
SCR annotations of JSRT, and of the phantom), or one that the file itself does not name.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.reading.pictures import read_picture

SCR_VALUES = {"right lung": 150, "left lung": 200, "heart": 250}  # van Ginneken et al. 2006, as distributed with JSRT
SIDES = ("right lung", "left lung")
LUNGS, OPACITY = "lungs", "opacity"
STRUCTURES = (LUNGS, *SIDES, "heart", OPACITY)
UNNAMED = "mask"  # what a binary mask shows, where nothing says it
NO_BOXES = "none"
Binary = NDArray[np.bool_]


def read(files: Sequence[Path], boxes: str, structures: Sequence[str], width: int, height: int) -> list[Image.Image]:
    """One picture of mode L, 0 or 255, for each structure.

    Args:
        files: the image's mask files.
        boxes: "x y width height;…" in pixels of the image, "none", or "" where nobody looked.
        width, height: of the image, in pixels.

    Raises:
        ValueError: the image lacks a mask, or has one that can't be read; the message is the reason.
    """
    shown: dict[str, Binary] = {}
    for file in files:
        for structure, binary in _named(file).items():
            shown[structure] = shown[structure] | binary if structure in shown else binary
    if LUNGS in structures and all(side in shown for side in SIDES):
        shown[LUNGS] = shown["right lung"] | shown["left lung"]
    if UNNAMED in shown and len(structures) == 1:
        shown.setdefault(structures[0], shown[UNNAMED])
    if OPACITY in structures and boxes:
        shown[OPACITY] = _in_boxes(boxes, width, height)
    missing = [structure for structure in structures if structure not in shown]
    if missing:
        raise ValueError(f"has no mask of {missing[0]}" if shown else "has no mask")
    return [Image.fromarray(np.where(shown[structure], 255, 0).astype(np.uint8)) for structure in structures]


def code(channels: NDArray[np.uint8], structures: Sequence[str]) -> NDArray[np.uint8]:
    """Masks uint8 (M, H, W) → one picture (H, W): 0 = nothing, else the `value` of the structure."""
    coded = np.zeros(channels.shape[1:], np.uint8)
    for structure, channel in zip(structures, channels, strict=True):
        coded[channel > 127] = value(structure, structures)
    return coded


def value(structure: str, structures: Sequence[str]) -> int:
    """The gray value of a structure in a coded picture: SCR's (lungs in one: the right one's); 255 if it is alone."""
    if len(structures) == 1:
        return 255
    return SCR_VALUES.get(structure, SCR_VALUES["right lung"] if structure == LUNGS else 255)


def _named(file: Path) -> dict[str, Binary]:
    """`in_file`, whose reason says that the mask is meant, not the image."""
    try:
        return in_file(file)
    except ValueError as error:
        raise ValueError(f"its mask {file.name}: {error}") from error


def in_file(file: Path) -> dict[str, Binary]:
    """The structures that a mask file shows, each as bool (H, W)."""
    gray = np.asarray(read_picture(file, channels=1, window="minmax").image)
    named = [name for part in file.parts[:-1] if (name := plain(part)) in STRUCTURES]
    if named:
        return {named[-1]: gray > gray.max() // 2}
    values = set(np.unique(gray).tolist()) - {0}
    if values <= set(SCR_VALUES.values()):
        coded = {structure: gray == value for structure, value in SCR_VALUES.items()}
        return coded if values else coded | {UNNAMED: gray > 0}
    return {UNNAMED: gray > gray.max() // 2}


def _in_boxes(boxes: str, width: int, height: int) -> Binary:
    inside = np.zeros((height, width), bool)
    for box in boxes.split(";") if boxes != NO_BOXES else ():
        left, top, wide, high = (round(float(number)) for number in box.split())
        inside[max(top, 0) : top + high, max(left, 0) : left + wide] = True
    return inside


def plain(name: str) -> str:
    """`Left_Lung` and `left-lung` are the left lung."""
    return name.strip().lower().replace("_", " ").replace("-", " ")
