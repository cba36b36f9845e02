"""What a classifier and a segmenter do differently in a study; everything else is written once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from torch import nn

from xrgan.config import StudyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.arms import Arm
from xrgan.downstream.checkpoints import Metadata
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import External, FoldData, Pool, SyntheticImages
from xrgan.downstream.summary import Summary
from xrgan.downstream.training_loop import Phase, Report
from xrgan.downstream.trial import Floats, History, Trial, TrialKey

FEW_PATIENTS = 20  # of a class, or in all where there are no classes


@dataclass(frozen=True)
class Wording:
    """How a report speaks of a task.

    Attributes:
        title: of the report; the dataset's name follows.
        networks: plural of what is trained.
        leading: label of the figure that decides.
        loss: what the training loss is.
        trained: what the picture of all trainings shows.
        too_few: why there may be fewer synthetic images than asked for.
        test: what the figures of the test split don't know.
        footnote: which intervals and tests the report holds.
    """

    title: str
    networks: str
    leading: str
    loss: str
    trained: str
    too_few: str
    test: str
    footnote: str


@dataclass(frozen=True)
class PairedWording:
    """How summary and report name the paired test on the test split.

    Attributes:
        key, wins, losses: keys of the summary (`summary.Comparison`).
        test: its name.
        sentence: with {wins} and {losses}.
        head: of the table's column.
    """

    key: Literal["images", "patients"]
    wins: str
    losses: str
    test: str
    sentence: str
    head: str


@dataclass(frozen=True)
class PairedTest:
    """Two arms on the same test images (or patients): where the first one alone is right or better, and the reverse."""

    wins: int
    losses: int
    lean: float  # above 0 = the first one is better
    p: float  # two-sided
    more: dict[str, float] = field(default_factory=dict)  # for the summary


@dataclass(frozen=True)
class Trained:
    """What a training leaves: the network with its best weights, and its answers, one row per image."""

    network: nn.Module
    history: History
    on_test: Floats
    on_fold: Floats
    on_external: Floats | None = None  # None = no other dataset was asked for


@dataclass(frozen=True)
class Results:
    """All trainings of a study, and what they were done on.

    Attributes:
        studies: digests under which its networks are saved (`Metadata.study`).
        folder: where.
        seen: what the generators of its synthetic images learned from, as far as that is known.
        behind: how many real images stand behind each training, its generator's included; None = nobody knows.
    """

    pool: Pool
    folds: Sequence[Fold]
    trials: Sequence[Trial]
    studies: frozenset[str]
    folder: Path
    device: torch.device
    behind: Mapping[TrialKey, int | None] = field(default_factory=dict)
    external: External | None = None
    seen: tuple[TrainingProvenance, ...] = ()

    @property
    def of_most(self) -> list[Trial]:
        """The trainings with the largest fraction of the real images."""
        most = max(trial.key.fraction for trial in self.trials)
        return [trial for trial in self.trials if trial.key.fraction == most]


class Trainer(Protocol):
    """Trains the networks of one fold."""

    def agreeing(self, network: nn.Module) -> Indices:
        """Which synthetic images a trained network understands as they are meant; of each class one at least: (n,)."""

    def train(self, arm: Arm, phases: Sequence[Phase], validation: Indices, seed: int, report: Report) -> Trained:
        """Train a network of the arm through its phases, and ask it of the test split and the fold's left-out part.

        Where the fold's data has external images, it is asked of them, too.

        Args:
            seed: of initial weights, batches and augmentation.

        Raises:
            XrganError: the loss is no longer a number.
        """


class Task(Protocol):
    """A study's subject."""

    section: ClassVar[Literal["classify", "segment"]]  # of the configuration
    names: ClassVar[Literal["classes", "structures"]]  # summary key of `Pool.names`
    leading: ClassVar[str]  # the metric that the verdict rests on; more of it is better
    on_logit_scale: ClassVar[tuple[str, ...]] = ()  # metrics in 0 … 1 whose percentiles are too narrow for few patients
    chance: ClassVar[float | None] = None  # the leading metric of a network that guesses, where there is such a figure
    test_prefix: ClassVar[str]  # of the test split's columns in scores.csv
    validation: ClassVar[Mapping[str, str]]  # figures of an epoch → label, the one that decides first
    decides: ClassVar[frozenset[str]]  # options of its own that decide what a training gives
    wording: ClassVar[Wording]
    paired: ClassVar[PairedWording]
    metadata_kind: ClassVar[type[Metadata]]

    config: StudyConfig

    def check(self, dataset: PackedDataset, k: int) -> None:
        """Refuse a dataset that nothing can be trained or scored on, with k folds (0 = its own split).

        Raises:
            XrganError: it is one.
        """

    def gather(self, dataset: PackedDataset, k: int, seen: tuple[TrainingProvenance, ...]) -> Pool:
        """Read the images that the study can use into memory.

        Raises:
            XrganError: patients stand on both sides, or there are too few.
        """

    def gather_external(self, dataset: PackedDataset, rows: Indices, names: Mapping[str, str], pool: Pool) -> Pool:
        """Read the images of another dataset that networks are asked of: those rows, as far as they can be scored.

        Args:
            names: its classes → the study's.
            pool: of the study.

        Raises:
            XrganError: nothing of it can be scored.
        """

    def cut(self, pool: Pool, k: int) -> list[Fold]:
        """k folds, or the dataset's own split.

        Raises:
            XrganError: the patients can't be cut.
        """

    def choose_synthetic(
        self, pool: Pool, real: Indices, synthetic: SyntheticImages, rng: np.random.Generator
    ) -> Indices:
        """Choose at random `config.ratio` synthetic images per real one, as far as there are any."""

    def trainer(self, data: FoldData, device: torch.device) -> Trainer: ...

    def metadata(self, data: FoldData, trial: Trial, study: str) -> Metadata:
        """What a training's checkpoint says of its network."""

    def metrics(self, names: Sequence[str]) -> dict[str, str]:
        """Metric → label, in the order of tables. Args: names: `Pool.names`."""

    def shown(self, names: Sequence[str]) -> dict[str, str]:
        """Those metrics that are worth a line of the report: all."""
        return self.metrics(names)

    def drawn(self, names: Sequence[str]) -> dict[str, str]:
        """Those metrics that are worth a panel of the picture of all trainings: all that are worth a line."""
        return self.shown(names)

    def figures(self, answers: Floats, pool: Pool, images: Indices) -> Floats:
        """Score answers (n, …) to those images: the value of each of `metrics`, in its order; NaN = not defined."""

    def paired_test(self, ours: Sequence[Floats], theirs: Sequence[Floats], pool: Pool) -> PairedTest:
        """Compare the answers of an arm's trainings on the test split with those of another's."""

    def facts(self, dataset: PackedDataset, pool: Pool) -> dict[str, Any]:
        """How many images there are, for the summary."""

    def few_patients(self, pool: Pool, whose: str) -> list[str]:
        """A doubt where a pool's test images are of so few patients that no interval of theirs can be trusted.

        Args:
            whose: what the pool is called, at the beginning of a sentence.
        """

    def caveats(self, pool: Pool) -> list[str]:
        """What to keep in mind in this task alone."""

    def oddities(self, results: Results) -> list[str]:
        """Trainings that learned nothing: what the user is warned of, and what the caveats hold."""

    def setting(self, summary: Summary) -> str:
        """What was trained, on how many images, and judged by how many: a sentence."""

    def save_pictures(self, results: Results, baseline: str) -> dict[str, str]:
        """Pictures that this task alone has: file name → what it shows, as a sentence."""
