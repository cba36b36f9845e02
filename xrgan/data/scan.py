"""A folder of images → a table with one row per image: what its names, its CSVs and its neighbours say of it.

Here is what sources share: any tree of folders, images known by their stems, masks and their images, CSVs found
anywhere. What is a source's own stands in sources.py.
"""

import csv
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from xrgan import console
from xrgan.data.filenames import is_junk_name
from xrgan.data.packed import SPLITS
from xrgan.data.reading.kinds import find_images
from xrgan.data.reading.masks import STRUCTURES, plain
from xrgan.data.source import Source
from xrgan.errors import XrganError

COLUMNS = ("file", "label", "patient", "split", "view", "mask", "boxes")
OF_INDEX = ("label", "patient", "split", "view", "mask")  # what index.csv may say of a file
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Folder names that say what a file is, not what it shows.
NO_CLASS = {"images", "image", "imgs", "img", "png", "jpg", "jpeg", "cxr_png", "data", "files"}
MASKS = {"mask", "masks"}


def scan(folder: Path, source: Source | None = None, patient_pattern: str = "") -> pd.DataFrame:
    """List the images of a folder with what is said of them.

    An `index.csv` at the top says it all: column file and, if there, label, patient, split, view, mask. Else the
    source's own reader is asked, else the tree itself (`read_tree`).

    Args:
        source: whose layout the folder has; None = nobody's.
        patient_pattern: regular expression whose first group, searched in a file's stem, is the patient, whatever the
            source says; without a match an image is a patient of its own.

    Returns:
        Columns COLUMNS, all str, in the order of file:
        file: POSIX, relative to `folder`.
        label: several findings joined by `|`; "" = none known.
        patient: where nobody knows, the file itself.
        split: train, val, test or "" = none.
        view: as the source says it; "" = unknown.
        mask: files, named as in file, joined by `|`; "" = none.
        boxes: "x y width height;…" in pixels of the image; "none" = looked and found none; "" = nobody looked.

    Raises:
        XrganError: there is no image; a CSV can't be read, lacks a column or names a split that is none; or the
            source's tables speak of none of the images.
    """
    rows = _read_index(folder) if (folder / "index.csv").is_file() else ((source and source.read) or read_tree)(folder)
    if rows.empty:
        known = "PNG, JPEG, TIFF, BMP, GIF, WebP, DICOM and JSRT's IMG"
        raise XrganError(f"There is no image in {folder}.", f"xrgan reads {known}.")
    if patient_pattern:
        rows["patient"] = _first_groups(patient_pattern, rows)
        _say_unmatched(patient_pattern, rows)
    elif source and source.patient_pattern:
        rows["patient"] = rows["patient"].where(rows["patient"] != "", _first_groups(source.patient_pattern, rows))
    # Not the stem: NORMAL/1.png and PNEUMONIA/1.png are two patients.
    rows["patient"] = rows["patient"].where(rows["patient"] != "", rows["file"])
    if source and source.label_pattern and (rows["label"] == "").all():
        matches = [re.search(source.label_pattern, stem) for stem in stems(rows)]
        rows["label"] = [(match.lastgroup or "") if match else "" for match in matches]
    return rows.sort_values("file", ignore_index=True)[list(COLUMNS)]


def read_tree(folder: Path) -> pd.DataFrame:
    """Rows of any tree: `<split>/<class>/*`, `<class>/*` or flat; masks in folders called mask or masks."""
    images, masks = list_images(folder)
    said = [_split_and_label(image.parts[:-1]) for image in images]
    mask_of = pair_masks(images, masks)
    return table(
        file=[image.as_posix() for image in images],
        label=[label for _, label in said],
        split=[split for split, _ in said],
        mask=[mask_of.get(image, "") for image in images],
    )


def read_by_stem(folder: Path) -> pd.DataFrame:
    """Rows (file and mask alone) of a source whose images are known by their stems, wherever they lie.

    A second file of the same stem is a copy: the one nearer to the top counts.
    """
    images, masks = list_images(folder)
    files: dict[str, PurePosixPath] = {}
    for image in sorted(images, key=_from_the_top):
        files.setdefault(image.stem, image)
    shown: dict[str, dict[str, str]] = {}
    for mask in sorted(masks, key=_from_the_top):
        structure, others = _below_masks(mask)
        if not others:
            shown.setdefault(_image_stem(mask), {}).setdefault(structure, mask.as_posix())
    return table(
        file=[image.as_posix() for image in files.values()],
        mask=["|".join(sorted(shown.get(stem, {}).values())) for stem in files],
    )


def table(**columns: Sequence[str]) -> pd.DataFrame:
    """Rows of all COLUMNS; what is not given is not known."""
    n = len(columns["file"])
    return pd.DataFrame({column: list(columns.get(column, [""] * n)) for column in COLUMNS})


def stems(rows: pd.DataFrame) -> list[str]:
    """The names of the files, without folders and extension."""
    return [PurePosixPath(file).stem for file in rows["file"]]


def list_images(folder: Path) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    """The images and the masks below a folder, relative to it and by name, without second copies."""
    paths = [PurePosixPath(path.relative_to(folder).as_posix()) for path in find_images(folder)]
    known = {path.parts for path in paths}
    paths = [path for path in paths if not _is_second_copy(path.parts, known)]
    masks = [path for path in paths if any(part.lower() in MASKS for part in path.parts[:-1])]
    of_masks = set(masks)
    return [path for path in paths if path not in of_masks], masks


def pair_masks(images: Iterable[PurePosixPath], masks: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Find each image's masks, joined by `|`: files of the same stem (or stem_mask) in the nearest folder of masks.

    Near is what has the same folders above it, apart from those that only say what a file is (`images`, `masks`,
    `masks/heart`): `COVID/images/1.png` has `COVID/masks/1.png`, and `a/train/1.png` has `masks/a/train/1.png`, else
    `a/masks/1.png`, else `masks/1.png`. Where two images could have such a mask from above, neither gets it.
    """
    shown: dict[tuple[str, ...], dict[str, str]] = {}
    for mask in masks:
        structure, others = _below_masks(mask)
        folders = _meaningful_parts([*mask.parts[: _mask_folder(mask)], *others])
        shown.setdefault((*folders, _image_stem(mask)), {}).setdefault(structure, mask.as_posix())
    if not shown:
        return {}
    own: dict[PurePosixPath, tuple[str, ...]] = {}
    inherited: dict[PurePosixPath, tuple[str, ...]] = {}
    for image in images:
        folders = _meaningful_parts(image.parts[:-1])
        keys = ((*folders[:depth], image.stem) for depth in range(len(folders), -1, -1))
        if nearest := next((key for key in keys if key in shown), None):
            (own if len(nearest) == len(folders) + 1 else inherited)[image] = nearest
    claims = Counter([*set(own.values()), *inherited.values()])
    pairs = own | {image: key for image, key in inherited.items() if claims[key] == 1}
    return {image: "|".join(sorted(shown[key].values())) for image, key in pairs.items()}


def find_texts(folder: Path, *endings: str) -> list[Path]:
    """The files below a folder whose names end so (in lower case), by name, without junk."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_junk_name(name)]
        found += [Path(parent, name) for name in names if name.lower().endswith(endings) and not is_junk_name(name)]
    return sorted(found)


def read_text(file: Path) -> str:
    """The content of a text; what is no UTF-8 in it is replaced.

    Raises:
        XrganError: the file can't be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise XrganError(f"{file} can't be read: {error.strerror or error}.") from error


def read_tables(folder: Path, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of every CSV below a folder whose header has these columns (and maybe more).

    Raises:
        XrganError: such a CSV is damaged.
    """
    for file in find_texts(folder, ".csv"):
        try:
            with file.open(newline="", encoding="utf-8-sig", errors="replace") as opened:
                reader = csv.DictReader(opened, restval="")
                reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
                if set(columns) <= set(reader.fieldnames):
                    # Cells beyond the header come as a list, under no name.
                    yield from ({k: cell.strip() for k, cell in row.items() if isinstance(cell, str)} for row in reader)
        except (OSError, csv.Error) as error:
            raise XrganError(f"{file} can't be read as CSV: {error}.") from error


def require_overlap(said: Collection[str], rows: pd.DataFrame, folder: Path) -> None:
    """Tables may say too much or too little of the images; but they must speak of these.

    Raises:
        XrganError: of all stems that the tables name, none is there.
    """
    if said and set(said).isdisjoint(stems(rows)):
        raise XrganError(
            f"The tables in {folder} name {len(said)} images such as {min(said)}, and none of them is there.",
            "Are the tables of another dataset?",
        )


def _read_index(folder: Path) -> pd.DataFrame:
    file = folder / "index.csv"
    try:
        index = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise XrganError(f"{file} can't be read as CSV: {error}.") from error
    if not isinstance(index.index, pd.RangeIndex):  # pandas then takes the first column for names of rows
        raise XrganError(f"{file} has rows with more cells than its header.", "Quote the cells that hold commas.")
    index.columns = [str(column).strip().lower() for column in index.columns]
    unused = [column for column in index.columns if column not in {"file", *OF_INDEX}]
    if unused:
        console.notice(f"{file}: not used are the columns {', '.join(unused)}; known are file, {', '.join(OF_INDEX)}.")
    if "file" not in index:
        known = f"Its columns are file and, if known, {', '.join(OF_INDEX)}."
        raise XrganError(f"{file} has no column `file`.", known)
    rows = table(**{column: index[column].tolist() for column in ("file", *OF_INDEX) if column in index})
    wrong = set(rows["split"]) - {*SPLITS, ""}
    if wrong:
        raise XrganError(f"{file} names a split {min(wrong)!r}.", "The splits are train, val and test.")
    for name in (name for cell in [*rows["file"], *rows["mask"]] for name in cell.split("|")):
        if name.startswith("/") or ".." in name.split("/"):
            raise XrganError(f"{file} names {name!r}, which leads outside.", "Paths are relative to its own folder.")
    return rows


def _first_groups(pattern: str, rows: pd.DataFrame) -> pd.Series:
    found = [re.search(pattern, stem) for stem in stems(rows)]
    return pd.Series([(match[1] or "") if match else "" for match in found], index=rows.index, dtype="str")


def _say_unmatched(pattern: str, rows: pd.DataFrame) -> None:
    unmatched = rows["file"][rows["patient"] == ""]
    if len(unmatched) == len(rows):
        example = PurePosixPath(rows["file"].iloc[0]).stem
        raise XrganError(f"--patient-pattern {pattern!r} finds a patient in no file's name.", f"One is {example!r}.")
    if len(unmatched):
        console.warn(
            f"--patient-pattern finds a patient in {len(rows) - len(unmatched):,} of {len(rows):,} names, not in "
            f"{unmatched.iloc[0]}, for one: such an image counts as a patient of its own."
        )


def _is_second_copy(parts: tuple[str, ...], known: set[tuple[str, ...]]) -> bool:
    """`chest_xray/chest_xray/train/…` where `chest_xray/train/…` is there too: Kaggle's archives hold such copies."""
    return any(parts[k] == parts[k + 1] and parts[:k] + parts[k + 1 :] in known for k in range(len(parts) - 2))


def _split_and_label(parents: Sequence[str]) -> tuple[str, str]:
    splits = [SPLIT_NAMES[part.lower()] for part in parents if part.lower() in SPLIT_NAMES]
    classes = [part for part in parents if part.lower() not in SPLIT_NAMES and part.lower() not in NO_CLASS]
    if not splits:
        return "", classes[-1] if classes else ""
    first = next(k for k, part in enumerate(parents) if part.lower() in SPLIT_NAMES)
    below = [part for part in parents[first + 1 :] if part in classes]
    return splits[0], below[-1] if below else ""


def _from_the_top(path: PurePosixPath) -> tuple[int, PurePosixPath]:
    return len(path.parts), path


def _meaningful_parts(folders: Iterable[str]) -> list[str]:
    """The folders that say more than what a file is."""
    return [folder for folder in folders if folder.lower() not in NO_CLASS | MASKS]


def _mask_folder(mask: PurePosixPath) -> int:
    """Which part of a mask's path is the (last) folder of masks."""
    return max(k for k, folder in enumerate(mask.parts[:-1]) if folder.lower() in MASKS)


def _below_masks(mask: PurePosixPath) -> tuple[str, list[str]]:
    """The structure that a folder below the folder of masks names ("" = none), and the other folders there."""
    below = mask.parts[_mask_folder(mask) + 1 : -1]
    named = [name for folder in below if (name := plain(folder)) in STRUCTURES]
    return named[0] if named else "", [folder for folder in below if plain(folder) not in STRUCTURES]


def _image_stem(mask: PurePosixPath) -> str:
    return re.sub("_mask$", "", mask.stem, flags=re.IGNORECASE)
