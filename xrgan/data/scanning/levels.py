"""Which level of folders is a split, a class, a patient, a view: told from all paths together.

A level is a class only if it can be one: few names, many images each, the same names under every split. Patients,
studies, series, dates, shards and UIDs are none: then the nearest level that can be one is the class, or none is.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from xrgan.data.filenames import words
from xrgan.data.scanning.folder_names import (
    NO_CLASS,
    is_finding,
    numbered_as,
    split_of,
    view_of,
)

MOST_CLASSES = 20  # names of a level; more are classes only if each has many images
MANY_IMAGES = 10  # of a name, on average
FEW_IMAGES = 3  # of a name, on average: of more than a handful of names, they are no classes
HANDFUL = 5  # names
CONTAINERS = {"set", "dataset", "database", "allfiles", "collection", "archive", "download", "downloads", "kaggle"}

Role = Literal["class", "patient", "study", "view", "other"]
NO_CLASSES: dict[str, Role] = {"patient": "patient", "study": "study", "date": "other", "shard": "other"}


@dataclass(frozen=True)
class Folders:
    """What the folders above each image say of it; "" = nothing. And which level was taken as what, in words."""

    label: list[str]
    split: list[str]
    patient: list[str]
    view: list[str]
    taken: dict[str, str] = field(default_factory=dict)  # class, patient, split, view → the level


@dataclass(frozen=True)
class _Level:
    """One level of folders: the name above each image (None = the image lies higher), and what they are."""

    names: list[str | None]
    role: Role


def read_levels(parents: Sequence[tuple[str, ...]]) -> Folders:
    """Tell what the folders above images mean.

    Args:
        parents: the folders above each image, from the top.
    """
    splits = [next((split for part in path if (split := split_of(part))), "") for path in parents]
    above = _names_above_splits(parents)
    chains = [
        [part for part in path if not split_of(part) and part.lower() not in NO_CLASS and part not in above]
        for path in parents
    ]
    depth = max(map(len, chains), default=0)
    columns = [[chain[k] if k < len(chain) else None for chain in chains] for k in range(depth)]
    levels = [_Level(names, _role(names, splits, bool(above) or k > 0)) for k, names in enumerate(columns)]
    levels = _without_containers(levels)
    classes = _class_levels(levels)
    patient = _patient(levels, chains)
    view = next((k for k, level in enumerate(levels) if level.role == "view"), None)
    views = [] if view is None else [view_of(name or "") for name in levels[view].names]
    n = len(parents)
    return Folders(
        label=[_first(levels, classes, image) for image in range(n)],
        split=splits,
        patient=patient or [""] * n,
        view=views or [""] * n,
        taken=_taken(levels, classes, bool(patient), splits, view),
    )


def _names_above_splits(parents: Sequence[tuple[str, ...]]) -> set[str]:
    """Folders that stand above every split alone and say nothing: `chest_xray/train/…`."""
    heads = set()
    for path in parents:
        at = next((k for k, part in enumerate(path) if split_of(part)), None)
        if at is None:
            return set()
        heads.add(path[:at])
    if len(heads) != 1:
        return set()
    head = heads.pop()
    below = {part for path in parents for part in path[len(head) :]}
    return set(head) - below


def _role(names: Sequence[str | None], splits: Sequence[str], below_another: bool) -> Role:
    counts = Counter(name for name in names if name is not None)
    images, kinds = sum(counts.values()), Counter[str]()
    for name, count in counts.items():
        kinds[numbered_as(name)] += count
    if all(view_of(name) for name in counts):
        return "view"
    if all(name.isdigit() for name in counts) and _are_small_numbers(set(counts)):
        return "class" if len(counts) > 1 or below_another else "other"
    kind, of_kind = kinds.most_common(1)[0]
    if sum(count for name, count in counts.items() if is_finding(name)) * 2 >= images:
        return "class" if len(counts) <= max(MOST_CLASSES, images // MANY_IMAGES) else "patient"
    if of_kind * 2 > images and kind in NO_CLASSES:
        return NO_CLASSES[kind]
    if of_kind * 2 > images and kind == "thing" and _are_numbered(counts):
        return "patient"
    return _role_by_numbers(names, counts, splits)


def _role_by_numbers(names: Sequence[str | None], counts: Counter[str], splits: Sequence[str]) -> Role:
    """Of names that say nothing by themselves: how many there are, with how many images, and under which splits."""
    images, n = sum(counts.values()), len(counts)
    if n > MOST_CLASSES and images < MANY_IMAGES * n:
        return "patient"
    if n > HANDFUL and images < FEW_IMAGES * n:
        return "patient"
    under = defaultdict(set)
    for name, split in zip(names, splits, strict=True):
        if name is not None and split:
            under[split].add(name)
    several = [of_split for of_split in under.values() if len(of_split) > 1]
    if len(several) > 1 and len(set.union(*several)) == sum(map(len, several)):
        return "patient"  # no name stands under two splits: those are people, not classes
    return "class"


def _are_small_numbers(names: set[str]) -> bool:
    """0 and 1, or 1 to 4: classes by number, and not the thousands that people have."""
    return len(names) <= MOST_CLASSES and all(name == str(int(name)) and int(name) < MOST_CLASSES for name in names)


def _are_numbered(counts: Counter[str]) -> bool:
    """Numbers and UIDs, or names with a number each, too many or too small for grades of something."""
    if all(numbered_as(name) == "thing" and not words(name)[0].isalpha() for name in counts):
        return True
    return len(counts) > 2 * HANDFUL or (len(counts) > 2 and sum(counts.values()) < MANY_IMAGES * len(counts))


def _without_containers(levels: list[_Level]) -> list[_Level]:
    """A level of one name is no class where another one can be, or where it is not above all, or names a dataset."""
    kept = list(levels)
    for k, level in enumerate(levels):
        if level.role != "class" or len(set(level.names) - {None}) > 1:
            continue
        name = next(name for name in level.names if name is not None)
        others = [other for j, other in enumerate(kept) if j != k and other.role == "class"]
        names_a_set = bool(CONTAINERS & {*words(name), name.lower()})
        if (None in level.names and k > 0) or (not is_finding(name) and (others or names_a_set)):
            kept[k] = _Level(level.names, "other")
    return kept


def _class_levels(levels: Sequence[_Level]) -> list[int]:
    """The levels that name the class, the one that counts first: what says findings, and then the deepest."""
    able = [k for k, level in enumerate(levels) if level.role == "class"]
    telling = [k for k in able if _tells_findings(levels[k])]
    return sorted(telling or able, reverse=True)


def _tells_findings(level: _Level) -> bool:
    names = {name for name in level.names if name is not None}
    return sum(map(is_finding, names)) * 2 >= len(names)


def _first(levels: Sequence[_Level], classes: Sequence[int], image: int) -> str:
    return next((name for k in classes if (name := levels[k].names[image]) is not None), "")


def _patient(levels: Sequence[_Level], chains: Sequence[Sequence[str]]) -> list[str]:
    """The patient of each image: the deepest level of patients, else the path to the highest study; [] = unknown.

    A patient's folder may stand under several classes; a study's name means something under its parents only.
    """
    people = [k for k, level in enumerate(levels) if level.role == "patient"]
    if people:
        return [levels[people[-1]].names[image] or "" for image in range(len(chains))]
    studies = [k for k, level in enumerate(levels) if level.role == "study"]
    if studies:
        k = studies[0]
        return ["/".join(chain[: k + 1]) if len(chain) > k else "" for chain in chains]
    return []


def _taken(
    levels: Sequence[_Level], classes: Sequence[int], has_patient: bool, splits: Sequence[str], view: int | None
) -> dict[str, str]:
    """Which level was taken as what; in numbers, because names of folders may be people's."""
    of = f"of {len(levels)}" if len(levels) > 1 else ""
    taken: dict[str, str] = {}
    if classes:
        taken["class"] = f"folders, level {' or '.join(str(k + 1) for k in classes[::-1])} {of}".strip()
    if has_patient:
        k = max((k for k, level in enumerate(levels) if level.role in {"patient", "study"}), default=0)
        people = [k for k, level in enumerate(levels) if level.role == "patient"]
        k = people[-1] if people else next(k for k, level in enumerate(levels) if level.role == "study")
        what = "folders" if people else "folders of studies"
        taken["patient"] = f"{what}, level {k + 1} {of}".strip()
    if any(splits):
        taken["split"] = "folders"
    if view is not None:
        taken["view"] = f"folders, level {view + 1} {of}".strip()
    return taken
