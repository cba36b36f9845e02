"""Which level of folders is a split, a class, a patient, a view: told from all paths together.

A level is a class only if it can be one: few names, many images each, the same names under every split. Patients,
studies, series, dates, shards and UIDs are none: then the nearest level that can be one is the class, or none is.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from xrgan.data.filenames import words
from xrgan.data.scanning.folder_names import NO_CLASS, UID, is_finding, part_split, split_of, view_of
from xrgan.data.scanning.level_roles import Level, role_of

CONTAINERS = {"set", "dataset", "database", "allfiles", "collection", "archive", "download", "downloads", "kaggle"}


@dataclass(frozen=True)
class Folders:
    """What the folders above each image say of it; "" = nothing. And which level was taken as what, in words.

    Attributes:
        taken: class, patient, split, view → the level; "not used" → the levels that say nothing.
        people: of each image, whether folders above it may be called after people.
    """

    label: list[str]
    split: list[str]
    patient: list[str]
    view: list[str]
    taken: dict[str, str] = field(default_factory=dict)
    people: list[bool] = field(default_factory=list)


def read_levels(parents: Sequence[tuple[str, ...]]) -> Folders:
    """Tell what the folders above images mean.

    Args:
        parents: the folders above each image, from the top.
    """
    parents = _with_splits_parted(parents)
    splits = [next((split for part in path if (split := split_of(part))), "") for path in parents]
    above = _names_above_splits(parents)
    chains = [
        [part for part in path if not split_of(part) and part.lower() not in NO_CLASS and part not in above]
        for path in parents
    ]
    levels: list[Level] = []
    for k in range(max(map(len, chains), default=0)):
        names = [chain[k] if k < len(chain) else None for chain in chains]
        levels.append(Level(names, role_of(names, splits, levels, bool(above))))
    levels = _without_containers(levels)
    classes = _class_levels(levels)
    people = _level_of_patients(levels)
    view = next((k for k, level in enumerate(levels) if level.role == "view"), None)
    n = len(parents)
    labels, respelt = _of_one_spelling([_first(levels, classes, image) for image in range(n)])
    return Folders(
        label=labels,
        split=splits,
        patient=[""] * n if people is None else _patients(levels[people], chains, people),
        view=[""] * n if view is None else [view_of(name or "") for name in levels[view].names],
        taken=_taken(levels, classes, people, splits, view, respelt),
        people=[any(level.names_people() and level.names[image] for level in levels) for image in range(n)],
    )


def _with_splits_parted(parents: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """`train_NORMAL` and `test_NORMAL` as `train/NORMAL` and `test/NORMAL`: where a rest stands beside two splits."""
    parted: dict[str, tuple[str, ...]] = {}
    splits_of_rest = defaultdict(set)
    for name in {part for path in parents for part in path if not split_of(part)}:
        split, rest = part_split(name)
        if split and rest:
            parted[name] = (split, rest)
            splits_of_rest[rest.casefold()].add(split)
    if not any(len(splits) > 1 for splits in splits_of_rest.values()):
        return list(parents)
    return [tuple(piece for part in path for piece in parted.get(part, (part,))) for path in parents]


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


def _without_containers(levels: list[Level]) -> list[Level]:
    """A level of one name is a class only if that is a finding, and no other level is: else it names the dataset."""
    kept = list(levels)
    for k, level in enumerate(levels):
        names = {name for name in level.names if name is not None}
        if level.role != "class" or len(names) > 1:
            continue
        name = names.pop()
        others = [other for other in kept if other is not level and other.role == "class" and None not in other.names]
        names_a_set = bool(CONTAINERS & {*words(name), name.lower()})
        if (None in level.names and k > 0) or not is_finding(name) or others or names_a_set:
            kept[k] = Level(level.names, "part")
    return kept


def _class_levels(levels: Sequence[Level]) -> list[int]:
    """The levels that name the class, the one that counts first: what says findings, and then the deepest."""
    able = [k for k, level in enumerate(levels) if level.role == "class"]
    telling = [k for k in able if levels[k].tells_findings()]
    return sorted(telling or able, reverse=True)


def _first(levels: Sequence[Level], classes: Sequence[int], image: int) -> str:
    return next((name for k in classes if (name := levels[k].names[image]) is not None), "")


def _of_one_spelling(labels: list[str]) -> tuple[list[str], bool]:
    """Labels of which those that differ in capitals and signs alone are one: `Normal` of train and `NORMAL` of test."""
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        spellings[_plain(label)][label] += 1
    usual = {key: min(counts, key=lambda name: (-counts[name], name)) for key, counts in spellings.items()}
    return [usual[_plain(label)] for label in labels], any(len(counts) > 1 for counts in spellings.values())


def _plain(label: str) -> str:
    return re.sub(r"[\s_-]+", " ", label).strip().casefold()


def _level_of_patients(levels: Sequence[Level]) -> int | None:
    """The deepest level of patients (of UIDs, which are patients', studies' and series', the highest); else of studies.

    A patient's folder may stand under several classes; a study's name means something under its parents only.
    """
    people = [k for k, level in enumerate(levels) if level.role == "patient"]
    named = [k for k in people if not all(UID.fullmatch(name) for name in levels[k].names if name)]
    if people:
        return named[-1] if named else people[0]
    return next((k for k, level in enumerate(levels) if level.role == "study"), None)


def _patients(level: Level, chains: Sequence[Sequence[str]], k: int) -> list[str]:
    if level.role == "patient":
        return [name or "" for name in level.names]
    return ["/".join(chain[: k + 1]) if len(chain) > k else "" for chain in chains]


def _taken(
    levels: Sequence[Level],
    classes: Sequence[int],
    people: int | None,
    splits: Sequence[str],
    view: int | None,
    respelt: bool,
) -> dict[str, str]:
    """Which level was taken as what; in numbers, because names of folders may be people's."""
    of = f" of {len(levels)}" if len(levels) > 1 else ""
    taken: dict[str, str] = {}
    if classes:
        one = "; names that differ in capitals or signs alone are one" if respelt else ""
        taken["class"] = f"folders, level {' or '.join(str(k + 1) for k in classes[::-1])}{of}{one}"
    if people is not None:
        what = "folders" if levels[people].role == "patient" else "folders of studies"
        taken["patient"] = f"{what}, level {people + 1}{of}"
    if any(splits):
        taken["split"] = "folders"
    if view is not None:
        taken["view"] = f"folders, level {view + 1}{of}"
    unused = [
        f"level {k + 1}{of} ({'dates' if level.role == 'date' else 'names' if level.role == 'class' else 'parts'})"
        for k, level in enumerate(levels)
        if level.role in {"part", "date", "class"} and k not in classes and len(set(level.names) - {None}) > 1
    ]
    if unused:
        taken["not used"] = f"folders, {', '.join(unused)}"
    return taken
