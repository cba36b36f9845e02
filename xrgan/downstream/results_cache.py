"""What a study has computed already, one file a training: an interrupted study goes on with what is missing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xrgan.files import replacing

FOLDER = "trainings"
ABOUT = "about"

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class CachedResult:
    about: dict[str, Any]  # plain values
    arrays: dict[str, NDArray[Any]]


def digest_of(**decides: Any) -> str:
    """A name for everything that decides a result: other settings or images have another one."""
    text = json.dumps(decides, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def keep(folder: Path, digest: str, about: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a training's result below a run's classify/ or segment/."""
    with replacing(_file(folder, digest)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{ABOUT: np.array(json.dumps(about))}, **arrays)


def find(folder: Path, digest: str) -> CachedResult | None:
    """The result of that name, if it is there and whole."""
    try:
        # np.load by a name would leave a torn file open.
        with _file(folder, digest).open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        return CachedResult(json.loads(str(arrays.pop(ABOUT))), arrays)
    except Exception:  # absent, torn or spoiled, which zipfile and numpy tell in a dozen ways: it is computed again
        return None


def _file(folder: Path, digest: str) -> Path:
    return folder / FOLDER / f"{digest}.npz"
