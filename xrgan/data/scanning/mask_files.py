"""Which files are masks, by the ways in which people name them, and whose.

Known are folders of masks (`masks/`, `lung masks/`, `ManualMask/leftMask/`, `labels/`, `gt/`, nnU-Net's `labelsTr/`)
and endings (`a_mask.png`, `a_seg.png` beside `a.png`); any other way is told by a pattern.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from xrgan.data.filenames import words
from xrgan.data.reading.kinds import stem as stem_of
from xrgan.data.reading.masks import STEM_OF_A_MASK, structure_of
from xrgan.data.scanning.folder_names import NNUNET, NO_CLASS

SURE = {"mask", "masks"}  # in a name of few words: `lung masks`, `leftMask`, not `chest-xray-masks-and-labels`
FEW_WORDS = 3
# Folders of masks only if their files have the names of images elsewhere: classes may be called so, too.
MAYBE = {"label", "labels", "gt", "gts", "annotation", "annotations", "target", "targets", "labelstr", "labelsts"}
MAYBE |= {"seg", "segs", "segmentation", "segmentations", "groundtruth", "ground_truth", "ground-truth", "ground truth"}
BEFORE = re.compile(r"^(?:masks?|seg|segmentation|label|gt)[-_. ]+(?P<stem>.+)$", re.IGNORECASE)  # mask_a.png
CHANNEL = re.compile(r"_0000$")  # nnU-Net's images: case_0000.png is the first channel of case


@dataclass(frozen=True)
class MaskFile:
    """A mask: its path, the stem of its image, what it shows ("" = nothing said), and the folders that tell more.

    Attributes:
        others: of those, the ones below the folder of masks: `masks/left clavicle` is of no structure that is known.
    """

    path: PurePosixPath
    stem: str
    structure: str
    folders: tuple[str, ...]
    others: tuple[str, ...] = ()


def split_masks(paths: Sequence[PurePosixPath], pattern: str = "") -> tuple[list[PurePosixPath], list[MaskFile]]:
    """Part the masks from the images.

    Args:
        pattern: a regular expression that matches the paths of masks alone (without extension); its first group is
            the stem of the image. "" = the known ways.
    """
    if pattern:
        return _by_pattern(paths, pattern)
    in_folders = {path for path in paths if _mask_folders(path)}
    rest = [path for path in paths if path not in in_folders]
    in_folders |= _in_doubtful_folders(rest)
    beside = _endings_beside(path for path in rest if path not in in_folders)
    images = [path for path in rest if path not in in_folders and path not in beside]
    masks = [_of_folder(path) for path in paths if path in in_folders]
    masks += [
        MaskFile(path, stem, structure_of(stem_of(path).removeprefix(stem)), _meaningful(path.parts[:-1]))
        for path, stem in beside.items()
    ]
    return images, masks


def pair_masks(images: Iterable[PurePosixPath], masks: Iterable[MaskFile]) -> dict[PurePosixPath, str]:
    """Find each image's masks, joined by `|`: those of its stem in the nearest folder of masks.

    Near is what has the same folders above it, apart from those that only say what a file is (`images`, `masks`,
    `masks/heart`): `COVID/images/1.png` has `COVID/masks/1.png`, and `a/train/1.png` has `masks/a/train/1.png`, else
    `a/masks/1.png`, else `masks/1.png`. Where two images could have such a mask from above, neither gets it.
    """
    at_place: dict[tuple[str, ...], dict[str, str]] = {}
    for mask in masks:
        at_place.setdefault((*mask.folders, mask.stem), {}).setdefault(mask.structure, mask.path.as_posix())
    exact: dict[PurePosixPath, tuple[str, ...]] = {}
    from_above: dict[PurePosixPath, tuple[str, ...]] = {}
    for image in images:
        folders = _meaningful(image.parts[:-1])
        place = next((place for place in _places(folders, stem_of(image)) if place in at_place), None)
        if place:
            (exact if len(place) == len(folders) + 1 else from_above)[image] = place
    claims = Counter([*set(exact.values()), *from_above.values()])
    pairs = exact | {image: place for image, place in from_above.items() if claims[place] == 1}
    return {image: "|".join(sorted(at_place[place].values())) for image, place in pairs.items()}


def _places(folders: tuple[str, ...], stem: str) -> Iterator[tuple[str, ...]]:
    """Where the mask of an image may lie, the nearest place first."""
    for depth in range(len(folders), -1, -1):
        yield (*folders[:depth], stem)
        if CHANNEL.search(stem):
            yield (*folders[:depth], CHANNEL.sub("", stem))


def _by_pattern(paths: Sequence[PurePosixPath], pattern: str) -> tuple[list[PurePosixPath], list[MaskFile]]:
    """Each matching file is the mask of the image of its stem that has most folders in common with it."""
    matches = {path: re.search(pattern, path.with_suffix("").as_posix()) for path in paths}
    images = [path for path, match in matches.items() if not match]
    of_stem: dict[str, list[PurePosixPath]] = {}
    for image in images:
        of_stem.setdefault(stem_of(image), []).append(image)
    masks = []
    for path, match in matches.items():
        if match:
            candidates = of_stem.get(PurePosixPath(match[1] or stem_of(path)).name, [])
            image = max(candidates, key=lambda image: len(_in_common(image, path)), default=path)
            masks.append(MaskFile(path, stem_of(image), _structure(path), _meaningful(image.parts[:-1])))
    return images, masks


def _in_common(one: PurePosixPath, other: PurePosixPath) -> set[str]:
    return set(one.parts[:-1]) & set(other.parts[:-1])


def _mask_folders(path: PurePosixPath, known: set[str] = SURE) -> list[int]:
    """Which folders of a path are folders of masks: by a word that is sure, or by a whole name among `known`."""
    return [k for k, part in enumerate(path.parts[:-1]) if _is_sure(part) or part.lower() in known]


def _is_sure(folder: str) -> bool:
    said = words(folder)
    return len(said) <= FEW_WORDS and bool(SURE & set(said))


def _in_doubtful_folders(paths: Sequence[PurePosixPath]) -> set[PurePosixPath]:
    """Files in folders such as `labels`, if most of them have the stems of files elsewhere."""
    doubtful = {path for path in paths if any(part.lower() in MAYBE for part in path.parts[:-1])}
    elsewhere = {CHANNEL.sub("", stem_of(path)) for path in paths if path not in doubtful}
    known = [path for path in doubtful if stem_of(path) in elsewhere or _stem(path) in elsewhere]
    return doubtful if 2 * len(known) > len(doubtful) else set()


def _endings_beside(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Masks beside their images in one folder, each with the image's stem: a_mask.png, mask_a.png beside a.png."""
    there = list(paths)
    stems = {(path.parent, stem_of(path)) for path in there}
    found = {}
    for path in there:
        for match in (STEM_OF_A_MASK.match(stem_of(path)), BEFORE.match(stem_of(path))):
            if match and (path.parent, match["stem"]) in stems:
                found[path] = match["stem"]
    return found


def _of_folder(path: PurePosixPath) -> MaskFile:
    first = min(_mask_folders(path) or _mask_folders(path, MAYBE))
    others = _meaningful(part for part in path.parts[first:-1] if not structure_of(part))
    folders = (*_meaningful(path.parts[:first]), *others)
    return MaskFile(path, _stem(path), _structure(path), folders, others)


def _structure(path: PurePosixPath) -> str:
    """What the folders say that a mask shows, those below the last folder of masks first."""
    last = max(_mask_folders(path, MAYBE), default=-1)
    return next((found for part in reversed(path.parts[max(last, 0) : -1]) if (found := structure_of(part))), "")


def _stem(path: PurePosixPath) -> str:
    match = STEM_OF_A_MASK.match(stem_of(path))
    return match["stem"] if match else stem_of(path)


def _meaningful(folders: Iterable[str]) -> tuple[str, ...]:
    """The folders that say more than what a file is."""
    return tuple(
        folder for folder in folders if folder.lower() not in NO_CLASS | MAYBE | NNUNET.keys() and not _is_sure(folder)
    )
