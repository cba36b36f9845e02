"""Results of a study's trainings, one file per training: an interrupted study resumes with those that are missing."""

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
    """A training's result as it was stored."""

    about: dict[str, Any]  # plain values
    arrays: dict[str, NDArray[Any]]


def digest(**decides: Any) -> str:
    """Name everything that decides a result: other settings or images have another name."""
    text = json.dumps(decides, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def store(folder: Path, name: str, about: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a training's result below a run's classify/ or segment/."""
    with replacing(_file(folder, name)) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{ABOUT: np.array(json.dumps(about))}, **arrays)


def load(folder: Path, name: str) -> CachedResult | None:
    """Read the result of that name, if it is there and whole."""
    try:
        # np.load by a name would leave a torn file open.
        with _file(folder, name).open("rb") as file, np.load(file, allow_pickle=False) as content:
            arrays = {name: content[name] for name in content.files}
        return CachedResult(json.loads(str(arrays.pop(ABOUT))), arrays)
    except Exception:  # absent, torn or spoiled, which zipfile and numpy tell in a dozen ways: it is computed again
        return None


def _file(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}.npz"
