"""Masks and boxes → one binary picture per structure.

A mask file shows a structure by its folder (`masks/heart/…`, `leftMask/…`) or the end of its name (`a_heart_mask.png`),
several by their gray values (150, 200, 250: those of the SCR annotations of JSRT, and of the phantom; or those that
--mask-values names), or one that the file itself does not name.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xrgan.data.filenames import words
from xrgan.data.reading.kinds import stem
from xrgan.data.reading.pictures import read_values
from xrgan.data.scanning.folder_names import SPLIT_WORDS

SCR_VALUES = {"right lung": 150, "left lung": 200, "heart": 250}  # van Ginneken et al. 2006, as distributed with JSRT
SIDES = ("right lung", "left lung")
LUNGS, OPACITY = "lungs", "opacity"
STRUCTURES = (LUNGS, *SIDES, "heart", OPACITY)
UNNAMED = "mask"  # what a binary mask shows, where nothing says it
NO_BOXES = "none"
MASK_WORDS = {"mask", "masks", "seg", "segmentation", "segmentations", "manual", "label", "labels", "gt", "labelmap"}
STEM_OF_A_MASK = re.compile(
    r"^(?P<stem>.+?)(?:[-_. ]+(?:both|left|right|lungs?|heart|infection|opacity))*"
    r"[-_. (]*(?:(?:left|right|lungs?|heart)?[-_. ]?masks?|[-_. ](?:seg|segmentation|label|gt|groundtruth|labelmap))"
    r"\)?$",
    re.IGNORECASE,
)
SMALL_NUMBERS = 32  # a gray value up to here is the number of a structure, and no brightness
BOX_SLACK = 1.05  # times the image's side, up to which a box may reach beyond its edge
SOFT = (0.1, 0.9)  # between these shares of its largest value, a mask of one structure has edges alone
Binary = NDArray[np.bool_]


class UnknownValuesError(ValueError):
    """A mask shows several structures, and nothing says which gray value is which."""

    def __init__(self, values: Sequence[int]) -> None:
        self.values = tuple(values)
        said = ", ".join(map(str, values))
        super().__init__(f"has the gray values {said}, and nothing says what they are (--mask-values does)")


def read(
    files: Sequence[Path],
    boxes: str,
    structures: Sequence[str],
    width: int,
    height: int,
    values: Mapping[int, str] | None = None,
    box_frame: int = 0,
    root: Path | None = None,
) -> list[Image.Image]:
    """One picture of mode L, 0 or 255, for each structure.

    Args:
        files: the image's mask files.
        boxes: "x y width height;…" in pixels of the image, "none", or "" where nobody looked.
        width, height: of the image, in pixels.
        values: gray value → structure, of masks that show several; None = the known ones.
        box_frame: pixels a side of the pictures that the boxes were drawn in; 0 = those of the image.
        root: the source's folder: what stands above it says nothing of a mask.

    Raises:
        ValueError: the image lacks a mask, or has one that can't be read, or a box outside; the message is the reason.
    """
    shown: dict[str, Binary] = {}
    for file in files:
        for structure, binary in _named(file, values, root).items():
            shown[structure] = shown[structure] | binary if structure in shown else binary
    if LUNGS in structures and all(side in shown for side in SIDES):
        shown[LUNGS] = shown["right lung"] | shown["left lung"]
    if UNNAMED in shown and len(structures) == 1:
        shown.setdefault(structures[0], shown[UNNAMED])
    if OPACITY in structures and boxes:
        shown[OPACITY] = _in_boxes(boxes, width, height, box_frame)
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


def _named(file: Path, values: Mapping[int, str] | None, root: Path | None) -> dict[str, Binary]:
    """`in_file`, whose reason says that the mask is meant, not the image."""
    try:
        return in_file(file, values, root)
    except ValueError as error:
        raise ValueError(f"its mask {file.name}: {error}") from error


def in_file(file: Path, values: Mapping[int, str] | None = None, root: Path | None = None) -> dict[str, Binary]:
    """The structures that a mask file shows, each as bool (H, W).

    Args:
        values: gray value → structure; None = the known ones (SCR's).
        root: the source's folder.

    Raises:
        UnknownValuesError: it shows several structures, and nothing says which is which.
        ValueError: it can't be read, or has a value that `values` doesn't name.
    """
    gray = read_values(file)
    if values:
        return _by_values(gray, values)
    structure = _structure_of_file(file.relative_to(root) if root else file)
    shown = set(np.unique(gray).tolist()) - {0}
    if structure and not _are_labels(gray, shown):
        return {structure: gray > gray.max() // 2}
    if shown <= set(SCR_VALUES.values()):
        coded = {structure: gray == value for structure, value in SCR_VALUES.items()}
        return coded if shown else coded | {UNNAMED: gray > 0}
    if _are_labels(gray, shown):
        raise UnknownValuesError(sorted(shown))
    return {UNNAMED: gray > gray.max() // 2}


def _by_values(gray: NDArray[np.integer], values: Mapping[int, str]) -> dict[str, Binary]:
    strange = sorted(set(np.unique(gray).tolist()) - {0, *values})
    if strange:
        raise ValueError(f"has the gray value {strange[0]}, which --mask-values doesn't name")
    shown: dict[str, Binary] = {}
    for value, structure in values.items():
        shown[structure] = shown.get(structure, np.zeros(gray.shape, bool)) | (gray == value)
    return shown


def _are_labels(gray: NDArray[np.integer], shown: set[int]) -> bool:
    """Whether the values number structures, and are not the soft or noisy edges of one."""
    if not 1 < len(shown) <= SMALL_NUMBERS:
        return False
    top = max(shown)
    if top <= SMALL_NUMBERS:
        return True
    between = [value for value in shown if SOFT[0] * top < value < SOFT[1] * top]
    return any(_has_flat_area(gray == value) for value in between)


def _has_flat_area(there: Binary) -> bool:
    """Whether a value fills a square of 3 × 3 pixels: along an edge it changes from pixel to pixel."""
    wide = there[:, :-2] & there[:, 1:-1] & there[:, 2:]
    return bool((wide[:-2] & wide[1:-1] & wide[2:]).any())


def _structure_of_file(file: Path) -> str:
    """What the folders above a mask, the nearest first, or the end of its name say that it shows; "" = nothing."""
    match = STEM_OF_A_MASK.match(stem(file))
    if match and (structure := structure_of(stem(file)[len(match["stem"]) :])):
        return structure
    for part in reversed(file.parts[:-1]):
        is_told = plain(part) in STRUCTURES or bool(MASK_WORDS & set(words(part)))
        if is_told and (structure := structure_of(part)):
            return structure
    return ""


def structure_of(name: str) -> str:
    """What a name says that a mask shows: `leftMask`, `lung masks`, `heart`, `infection masks`; "" = nothing."""
    if (known := plain(name)) in STRUCTURES:
        return known
    said = words(name)
    rest = [word for word in said if word not in MASK_WORDS and word not in SPLIT_WORDS and not word.isdigit()]
    sides = {"left", "right"} & set(rest)
    if rest and set(rest) <= {"left", "right", "lung", "lungs", "both"}:
        return f"{sides.pop()} lung" if len(sides) == 1 else LUNGS
    if rest == ["heart"] or rest == ["cardiac"]:
        return "heart"
    return rest[0] if len(rest) == 1 < len(said) and rest[0].isalpha() else ""


def _in_boxes(boxes: str, width: int, height: int, frame: int) -> Binary:
    inside = np.zeros((height, width), bool)
    scale = np.array([width, height] * 2) / frame if frame else np.ones(4)
    for box in boxes.split(";") if boxes != NO_BOXES else ():
        numbers = np.array([float(number) for number in box.split()]) * scale
        left, top, wide, high = (round(float(number)) for number in numbers)
        if left + wide > width * BOX_SLACK or top + high > height * BOX_SLACK:
            raise ValueError(f"its box {box!r} lies outside of its {width}×{height} pixels: is it of a larger picture?")
        inside[max(top, 0) : top + max(high, 1), max(left, 0) : left + max(wide, 1)] = True
    return inside


def plain(name: str) -> str:
    """`Left_Lung` and `left-lung` are the left lung."""
    return name.strip().lower().replace("_", " ").replace("-", " ")
