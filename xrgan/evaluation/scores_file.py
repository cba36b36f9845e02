"""What scores.yaml holds, and reading it back; no torch, so that a list of runs can show it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic takes no other one below Python 3.12

from xrgan import console
from xrgan.errors import XrganError
from xrgan.files import first_reason, read_yaml, set_aside

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
    trained_against: bool
    """the generator's discriminator looks through the extractor, too; absent = no"""
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


class ScoredSet(Provenance):
    """The scores of some images, with what they depend on."""

    metrics: dict[str, Score]


class Scores(ScoredSet):
    """The content of scores.yaml."""

    notes: list[str]
    earlier: list[ScoredSet]
    """scores of other images or settings, the latest first"""


_SCORED_SET = TypeAdapter(ScoredSet)


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


def read_earlier(path: Path, provenance: Provenance) -> tuple[dict[str, Score], list[ScoredSet]]:
    """Read what an earlier scores.yaml holds. One that is damaged is set aside, and the user is told.

    Returns:
        The scores of the same images with the same settings; and those of other ones, the latest first.
    """
    if not path.is_file():
        return {}, []
    try:
        content = read_yaml(path)
        listed = content.pop("earlier", [])
        if not isinstance(listed, list):
            raise XrganError(f"{path} is damaged: earlier is no list.")
        sets = [_checked(one, path) for one in (content, *listed)]
    except XrganError as error:
        console.warn(f"{error.message} It is kept as {set_aside(path).name}, and its scores are computed anew.")
        return {}, []
    same = next((one for one in sets if _same(one, provenance)), None)
    others = [_bare(one) for one in sets if one is not same and one["metrics"]]
    return dict(same["metrics"]) if same else {}, others


def what_differs(earlier: Provenance, provenance: Provenance) -> str:
    """Say what sets the scores apart: other images, another reference …"""
    if earlier["images"] != provenance["images"]:
        return "other images"
    if earlier["reference"] != provenance["reference"]:
        return "another reference"
    return "other settings" if earlier["settings"] != provenance["settings"] else "another version of xrgan"


def latest(content: Mapping[str, Any], name: str) -> float | None:
    """The value of a score in what scores.yaml holds: of the present images, else the latest of earlier ones."""
    for one in (content, *content.get("earlier", ())):
        if name in one.get("metrics", {}):
            return float(one["metrics"][name]["value"])
    return None


def _checked(content: object, path: Path) -> ScoredSet:
    try:
        _SCORED_SET.validate_python(content, strict=True)
    except ValidationError as error:
        raise XrganError(f"{path} is damaged: {first_reason(error)}.") from None
    return cast(ScoredSet, content)  # as it stands, with what a later version may have added


def _same(earlier: Provenance, now: Provenance) -> bool:
    return all(earlier[key] == now[key] for key in ("xrgan", "reference", "settings", "images"))


def _bare(content: ScoredSet) -> ScoredSet:
    """Without what stands beside it in the file."""
    return {
        "date": content["date"],
        "xrgan": content["xrgan"],
        "reference": content["reference"],
        "settings": content["settings"],
        "images": content["images"],
        "metrics": content["metrics"],
    }
