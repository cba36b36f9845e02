"""Which file a cell of a table means: by path, name or stem, as any system writes them, in folders that moved since."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
DRIVE = re.compile(r"^[A-Za-z]:(?=/|$)")
EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,5}$")  # of a UID, the last number is none
MOST_SPELLINGS = 100  # files of one name, among which one of the same capitals is looked for
LONGEST_NUMBER = 19  # digits
Parts = tuple[str, ...]


@dataclass
class Matches:
    """What the cells of a table name.

    Attributes:
        file_of: cell → file, as `Files` was given it.
        several: cell → the files that it could mean, which it says too little to tell apart.
        missing: cells that name no file, in their order.
    """

    file_of: dict[str, str] = field(default_factory=dict)
    several: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


class _Group:
    """Files of one name (or stem, or number), told apart by their folders."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self._folders: list[Parts] = []
        self._by_end: defaultdict[Parts, list[str]] = defaultdict(list)  # last folders → files
        self._by_all: defaultdict[Parts, list[str]] = defaultdict(list)  # all folders → files

    def add(self, file: str, folders: Parts) -> None:
        self.files.append(file)
        self._folders.append(folders)

    def fitting(self, folders: Parts) -> list[str]:
        """The files whose folders end as these do, or these as theirs; of several those that share most folders."""
        if not folders or not self.files:
            return self.files
        if not self._by_all:
            for file, own in zip(self.files, self._folders, strict=True):
                self._by_all[own].append(file)
                for k in range(1, len(own) + 1):
                    self._by_end[own[-k:]].append(file)
        if found := self._by_end.get(folders):
            return found
        ends = (folders[len(folders) - k :] for k in range(len(folders) - 1, -1, -1))
        return next((found for end in ends if (found := self._by_all.get(end))), [])


class Files:
    """Files that can be looked for under whatever name a table gives them."""

    def __init__(self, files: Iterable[str]) -> None:
        """Take paths relative to the source, as POSIX writes them."""
        self._parts = {file: _parts(file) for file in files}
        self._by_name: defaultdict[str, _Group] = defaultdict(_Group)
        self._by_stem: defaultdict[str, _Group] = defaultdict(_Group)
        self._by_number: defaultdict[int, _Group] = defaultdict(_Group)
        for file, parts in self._parts.items():
            stem = _stem(parts[-1])
            self._by_name[parts[-1]].add(file, parts[:-1])
            self._by_stem[stem].add(file, parts[:-1])
            if stem.isdecimal():
                self._by_number[int(stem)].add(file, parts[:-1])

    def names_one(self, cell: str) -> bool:
        """Whether a cell names a file (or several); a bare number doesn't: it could be anything."""
        return bool(cell) and not cell.isdecimal() and bool(self._of_that_name(_parts(cell)).files)

    def match(self, cells: Sequence[str]) -> Matches:
        """Find the file of every cell.

        Either the cell's folders end as the file's do, or the file's as the cell's, whose first folders are then gone.
        A name alone is enough where folders differ and only one file and one cell have it: view1.jpg of another
        patient must not pass for this one's.
        """
        cells = list(dict.fromkeys(cell for cell in cells if cell))
        same_name: defaultdict[str, set[Parts]] = defaultdict(set)
        for cell in cells:
            same_name[_stem(_name(_parts(cell)))].add(_parts(cell))
        matches = Matches()
        for cell in cells:
            parts = _parts(cell)
            named = self._of_that_name(parts)
            fitting = named.fitting(parts[:-1])
            if 1 < len(fitting) <= MOST_SPELLINGS:  # a.png is not A.png, where both are there
                fitting = [file for file in fitting if file.endswith(_last(cell))] or fitting
            if not fitting and len(named.files) == 1 and len(same_name[_stem(_name(parts))]) == 1:
                fitting = named.files
            if len(fitting) == 1:
                matches.file_of[cell] = fitting[0]
            elif fitting:
                matches.several[cell] = fitting
            else:
                matches.missing.append(cell)
        return self._without_rivals(matches)

    def _without_rivals(self, matches: Matches) -> Matches:
        """Of cells that name one file under different paths, only one that says more of its path can mean it."""
        claims: defaultdict[str, list[str]] = defaultdict(list)
        for cell, file in matches.file_of.items():
            claims[file].append(cell)
        for file, cells in claims.items():
            depth = max(_common(_parts(cell), self._parts[file]) for cell in cells)
            best = [cell for cell in cells if _common(_parts(cell), self._parts[file]) == depth]
            longest = max((_parts(cell) for cell in best), key=len)
            agreed = all(_folders_agree(_parts(cell), longest) for cell in best)
            for cell in cells:
                if not (agreed and _folders_agree(_parts(cell), longest)):
                    del matches.file_of[cell]
                    matches.missing.append(cell)
        return matches

    def _of_that_name(self, parts: Parts) -> _Group:
        """The files of that name; else of that stem; else whose zeros in front a spreadsheet took."""
        name, stem = _name(parts), _stem(_name(parts))
        for group in (self._by_name.get(name), self._by_stem.get(name), self._by_stem.get(stem)):
            if group:
                return group
        stem = stem.removesuffix(".0")  # of a number in a column with empty cells
        number = self._by_number.get(int(stem)) if stem.isdecimal() and len(stem) < LONGEST_NUMBER else None
        return number or _Group()


@lru_cache(maxsize=1 << 20)
def _parts(path: str) -> Parts:
    """Folders and name in one spelling: POSIX, without drive, host, `.` and `..`, whatever its capitals and accents."""
    if URL.match(path):
        path = unquote(urlsplit(path).path)
    plain = DRIVE.sub("", unicodedata.normalize("NFC", path).replace("\\", "/")).casefold()
    return tuple(part for part in plain.split("/") if part not in {"", ".", ".."})


def _name(parts: Parts) -> str:
    return parts[-1] if parts else ""


def _last(path: str) -> str:
    """The name as it is spelt."""
    return re.split(r"[/\\]", path)[-1]


def _stem(name: str) -> str:
    return PurePosixPath(name).stem if EXTENSION.search(name) else name


def _common(left: Parts, right: Parts) -> int:
    """How many folders above the name are the same."""
    count = 0
    for one, other in zip(reversed(left[:-1]), reversed(right[:-1]), strict=False):
        if one != other:
            break
        count += 1
    return count


def _folders_agree(left: Parts, right: Parts) -> bool:
    """Whether the folders of one are the last folders of the other."""
    return _common(left, right) == min(len(left), len(right)) - 1
