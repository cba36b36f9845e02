"""What one level of folders is, told from all its names: a class, a patient, a study, a view, or nothing of use."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from xrgan.data.filenames import words
from xrgan.data.scanning.folder_names import DATE, YEAR, is_finding, is_person, numbered_as, view_of

MOST_CLASSES = 20  # names of a level; more are classes only if each has many images
MANY_IMAGES = 10  # of a name, on average
FEW_IMAGES = 3  # of a name, on average: of more than a handful of names, they are no classes
HANDFUL = 5  # names
MOST_OF_A_PATIENT = 50  # images of a name, on average: more are a part of a dataset
LAST_DAY = 31  # of a month: a number below a year or a month

Role = Literal["class", "patient", "study", "view", "date", "part"]
ROLE_OF: dict[str, Role] = {"patient": "patient", "study": "study", "date": "date", "shard": "part", "site": "part"}


@dataclass(frozen=True)
class Level:
    """One level of folders: the name above each image (None = the image lies higher), and what they are."""

    names: list[str | None]
    role: Role

    def tells_findings(self) -> bool:
        """Whether half of the names say what an X-ray shows."""
        names = {name for name in self.names if name is not None}
        return self.role == "class" and sum(map(is_finding, names)) * 2 >= len(names)

    def names_people(self) -> bool:
        """Whether it is of patients, some of whose names may be people's, and are no word with a number."""
        names = {name for name in self.names if name is not None}
        return self.role == "patient" and any(is_person(name) or _has_no_number(name) for name in names)


def role_of(names: Sequence[str | None], splits: Sequence[str], above: Sequence[Level], below_any: bool) -> Role:
    """What a level is.

    Args:
        names: above each image, at this level; None = it lies higher.
        splits: of each image, "" = none.
        above: the levels above this one.
        below_any: whether any folder that isn't a level stands above.
    """
    counts = Counter(name for name in names if name is not None)
    images = sum(counts.values())
    in_classes = any(level.tells_findings() for level in above)
    if all(view_of(name) for name in counts):
        return "view"
    if sum(count for name, count in counts.items() if is_finding(name)) * 2 >= images:
        return "class" if len(counts) <= max(MOST_CLASSES, images // MANY_IMAGES) else "patient"
    if all(name.isdecimal() for name in counts):
        return _role_of_numbers(counts, above, in_classes, below_any)
    kinds = Counter[str]()
    for name, count in counts.items():
        kinds[numbered_as(name)] += count
    kind, of_kind = kinds.most_common(1)[0]
    if of_kind * 2 > images and kind in ROLE_OF:
        return ROLE_OF[kind]
    if of_kind * 2 > images and kind == "thing" and _are_numbered(counts):
        return _patient_or_part(counts)
    if _are_people(counts):
        return "patient"
    return _role_by_counts(names, counts, splits, above)


def _role_of_numbers(counts: Counter[str], above: Sequence[Level], in_classes: bool, below_any: bool) -> Role:
    """Of bare numbers: grades, days, years, parts, or patients."""
    if any(level.role == "date" for level in above) and all(int(name) <= LAST_DAY for name in counts):
        return "date"
    if all(map(YEAR.fullmatch, counts)) and sum(counts.values()) >= MANY_IMAGES * len(counts):
        return "date"
    if all(map(DATE.fullmatch, counts)):
        return "date"
    digits = all(name == str(int(name)) and int(name) < MANY_IMAGES for name in counts)
    if digits and not in_classes:
        return "class" if len(counts) > 1 or below_any or above else "part"
    padded = any(name.startswith("0") and len(name) > 1 for name in counts)
    if padded and not above and min(map(int, counts)) == 0:  # 00000, 00001, …: a patient's number begins elsewhere
        return "part"
    return _patient_or_part(counts)


def _patient_or_part(counts: Counter[str]) -> Role:
    return "part" if sum(counts.values()) > MOST_OF_A_PATIENT * len(counts) else "patient"


def _role_by_counts(
    names: Sequence[str | None], counts: Counter[str], splits: Sequence[str], above: Sequence[Level]
) -> Role:
    """Of names that say nothing by themselves: how many there are, with how many images, and below which others."""
    images, n = sum(counts.values()), len(counts)
    if n > MOST_CLASSES and images < MANY_IMAGES * n:
        return "patient"
    if n > HANDFUL and images < FEW_IMAGES * n:
        return "patient"
    # Names that stand under one split, or one class, each: those are people, not classes.
    if _are_apart(names, splits) or any(_are_apart(names, level.names) for level in above if level.tells_findings()):
        return "patient"
    return "class"


def _are_apart(names: Sequence[str | None], groups: Sequence[str | None]) -> bool:
    """Whether several groups hold several names each, and none of another group."""
    under = defaultdict(set)
    for name, group in zip(names, groups, strict=True):
        if name is not None and group:
            under[group].add(name)
    several = [of_group for of_group in under.values() if len(of_group) > 1]
    return len(several) > 1 and len(set.union(*several)) == sum(map(len, several))


def _are_numbered(counts: Counter[str]) -> bool:
    """UIDs, or names with a number each, too many or too small for grades of something."""
    if all(numbered_as(name) == "thing" and not words(name)[0].isalpha() for name in counts):
        return True
    return len(counts) > 2 * HANDFUL or (len(counts) > 2 and sum(counts.values()) < MANY_IMAGES * len(counts))


def _has_no_number(name: str) -> bool:
    """Whether a name isn't numbered, or has several words before its number: `Doe_Jane_03`."""
    return numbered_as(name) == "" or sum(word.isalpha() and len(word) > 1 for word in words(name)) > 1


def _are_people(counts: Counter[str]) -> bool:
    """Whether all names are written as people's are, and are not "Group One" and "Group Two"."""
    if not all(map(is_person, counts)):
        return False
    shared = set.intersection(*(set(words(name)) for name in counts))
    return (len(counts) > 1 and not shared) or all("," in name or "^" in name for name in counts)
