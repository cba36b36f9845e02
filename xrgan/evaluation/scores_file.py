"""What scores.yaml holds, and reading it back; no torch, so that a list of runs can show it."""

from pathlib import Path
from typing import NamedTuple, TypedDict

from xrgan.errors import XrganError
from xrgan.files import read_yaml

FILE = "scores.yaml"
INCEPTION = "inception-v3-compat"  # torch-fidelity's name of the network that FID is defined on


class Space(TypedDict):
    """Suspected copies by one kind of distance, such as of pixels."""

    suspects: int
    threshold: float
    distance_ratio: float | None
    """median distance to the nearest training image ÷ that of held-out images"""


class ClosestPair(TypedDict):
    """A synthetic image and its nearest training image, as indices into the compared images."""

    synthetic: int
    training: int
    space: str
    relative: float
    """distance ÷ the local scale"""
    nearness: float
    """relative ÷ threshold: 1 or less = a suspect"""


class Authenticity(TypedDict):
    value: float
    floor: float | None


class ScoreDetails(TypedDict, total=False):
    """What a score can't be read without, as far as it applies."""

    std: float
    """of the value: over KID's subsets, the Inception Score's splits, or SSIM's pairs"""
    interval: list[float]
    """95 %: low and high end"""
    standard_error: float
    floor: float | None
    """the same score of real images against other real ones; None = there are too few"""
    floor_std: float
    floor_error: float
    ratio: float | None
    """value ÷ floor; None = the floor is unknown, or no more than noise"""
    n: int
    """images of each set"""
    floor_n: int
    layer: int
    """the features it was computed from, by their number"""
    resize: str
    extractor: str
    weights: str
    subset_images: int
    splits: int
    pairs: int
    among: int
    """training images that were searched"""
    note: str
    warning: str
    per_class: "dict[str, Score]"
    suspects: int
    spaces: dict[str, Space]
    closest: list[ClosestPair]
    authenticity: Authenticity


class Score(ScoreDetails):
    """One score: a value and its details."""

    value: float


class Settings(TypedDict):
    seed: int
    pairs: int


class ComparedImages(TypedDict):
    n: int
    size: str
    channels: int
    sha256: dict[str, str]
    """of the pixels of each set"""


class Provenance(TypedDict):
    """What the scores depend on: those of another provenance (but for its date) don't belong in the same file."""

    date: str
    xrgan: str
    reference: str
    settings: Settings
    images: ComparedImages


class Scores(Provenance):
    """The content of scores.yaml."""

    notes: list[str]
    metrics: dict[str, Score]


class ScoreKey(NamedTuple):
    """Key of a score in scores.yaml: `fid` by the Inception network, else `fid@classifier:runs/a`."""

    name: str
    extractor: str = ""
    """empty = the Inception network, or none"""

    @classmethod
    def parse(cls, key: str) -> "ScoreKey":
        name, _, extractor = key.partition("@")
        return cls(name, extractor)

    @classmethod
    def of(cls, name: str, extractor: str) -> "ScoreKey":
        """The key of a score by an extractor's features: scores of different extractors never share one."""
        return cls(name, "" if extractor == INCEPTION else extractor)

    def __str__(self) -> str:
        return f"{self.name}@{self.extractor}" if self.extractor else self.name


def read_earlier(path: Path, provenance: Provenance) -> dict[str, Score]:
    """Read the scores of an earlier scores.yaml on the same images with the same settings; of other ones, none."""
    try:
        earlier = read_yaml(path)
    except XrganError:
        return {}
    now = (provenance["xrgan"], provenance["reference"], provenance["settings"], provenance["images"])
    same = tuple(earlier.get(key) for key in ("xrgan", "reference", "settings", "images")) == now
    metrics = earlier.get("metrics")
    return metrics if same and isinstance(metrics, dict) else {}
