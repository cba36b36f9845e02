"""What a study's summary.yaml holds, key by key; plain values, and null where something can't be known."""

from typing import Any, NotRequired, TypedDict

Interval = list[float | None]
"""95 %: its two ends."""


class DatasetFacts(TypedDict):
    """The dataset, and the classes or structures that networks tell apart."""

    name: str
    content_hash: str
    classes: NotRequired[list[str]]
    structures: NotRequired[list[str]]


class Figure(TypedDict):
    """A metric on the test split: mean and standard deviation over trainings, interval over patients."""

    mean: float | None
    std: float | None
    interval: Interval


class Difference(TypedDict):
    """Of a metric on the test split: arm − baseline; its interval is over patients alone."""

    mean: float
    interval: Interval


class Effect(TypedDict):
    """What the verdict rests on: the leading metric's difference over patients and trainings.

    `trainings` counts seeds, or folds; `detectable` is the true difference that such a study finds four times out of
    five.
    """

    mean: float
    interval: Interval
    trainings: int
    p: float | None
    p_holm: float | None
    detectable: float | None


class FoldsTest(TypedDict):
    """The leading metric's difference in the left-out folds: corrected resampled t-test."""

    n: int
    mean: float
    interval: Interval
    t: float | None
    p: float | None
    p_holm: float | None


class ArmResult(TypedDict):
    """An arm at a fraction; images are means over its trainings.

    `n_behind` counts all real images that stand behind it: those that its networks learned from, and those that the
    generator of its synthetic images did; null where nobody knows. Studies made before have none.
    """

    arm: str
    fraction: float
    trainings: int
    n_real: float
    n_synthetic: float
    n_behind: NotRequired[float | None]
    test: dict[str, Figure]


class SubgroupFigure(TypedDict):
    """The leading metric of an arm at a fraction, in a subgroup."""

    arm: str
    fraction: float
    figure: Figure


class SubgroupResult(TypedDict):
    """A subgroup of the test split, by sex or age, and every arm's figure in it; `few`: no figure of it says much."""

    group: str
    images: int
    patients: int
    few: NotRequired[bool]
    results: list[SubgroupFigure]


class ExternalDifference(TypedDict):
    """The leading metric's difference between two arms on another dataset, over patients and trainings; uncorrected."""

    arm: str
    against: str
    fraction: float
    mean: float
    interval: Interval
    p: float | None


class ExternalSummary(TypedDict):
    """The arms on another hospital's images; `left_out`: those of no class of the study, or learned from."""

    dataset: str
    images: int
    patients: int
    left_out: int
    results: list[ArmResult]
    differences: list[ExternalDifference]


class Comparison(TypedDict):
    """An arm beside the baseline at a fraction; the paired test is of images (McNemar) or patients (Wilcoxon)."""

    arm: str
    against: str
    fraction: float
    difference: dict[str, Difference]
    difference_by_seed: list[float]
    effect: Effect
    folds: FoldsTest | None
    images: NotRequired[dict[str, float | None]]
    patients: NotRequired[dict[str, float | None]]
    verdict: str
    sentence: str


class Summary(TypedDict):
    """The whole file."""

    dataset: DatasetFacts
    options: dict[str, Any]  # of `config.StudyConfig`
    images: dict[str, Any]  # how many there are (`Task.facts`)
    baseline: str
    results: list[ArmResult]
    comparisons: list[Comparison]
    conclusion: str
    caveats: list[str]
    subgroups: NotRequired[list[SubgroupResult]]
    external: NotRequired[ExternalSummary]
    seconds: NotRequired[float]
