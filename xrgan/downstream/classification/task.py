"""The task of a study of classifiers: its images, trainings, figures, tests and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from xrgan import console
from xrgan.config import ClassifyConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.arms import Arm
from xrgan.downstream.classic import classic_of
from xrgan.downstream.classification import data, pictures
from xrgan.downstream.classification.classifier import VALIDATION, Examples, predict, run, train
from xrgan.downstream.classification.imagenet_weights import locate
from xrgan.downstream.classification.inference import ClassifierMetadata
from xrgan.downstream.classification.metrics import METRICS, score_or_nan
from xrgan.downstream.classification.networks import SMALLEST_IMAGE, Classifier, build
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import FoldData, Pool, SyntheticImages
from xrgan.downstream.statistics import mcnemar
from xrgan.downstream.summary import Summary
from xrgan.downstream.task import PairedTest, PairedWording, Results, Task, Trained, Wording
from xrgan.downstream.training_loop import Phase, Report, fixed_seed, join_phases
from xrgan.downstream.trial import Floats, Trial, by_arm
from xrgan.downstream.wording import setting_of, share
from xrgan.errors import XrganError

LEADING = "auroc"  # it needs no threshold, so the verdict rests on it


@dataclass(frozen=True)
class Classification(Task):
    """Do synthetic X-rays help a classifier? A `Task`; its answers are probabilities (n, K), not yet scored."""

    section: ClassVar[Literal["classify"]] = "classify"
    names: ClassVar[Literal["classes"]] = "classes"
    leading: ClassVar[str] = LEADING
    on_logit_scale: ClassVar[tuple[str, ...]] = (LEADING,)
    test_prefix: ClassVar[str] = ""
    validation: ClassVar[Mapping[str, str]] = VALIDATION
    decides: ClassVar[frozenset[str]] = frozenset({"arch", "weights", "unfreeze"})
    metadata_kind: ClassVar[type[ClassifierMetadata]] = ClassifierMetadata
    wording: ClassVar[Wording] = Wording(
        title="Do the synthetic X-rays help?",
        networks="classifiers",
        leading=METRICS[LEADING],
        loss="cross-entropy",
        trained="Each training's figures on the test split, and each arm's mean.",
        too_few="a class had no more to keep the real class mix",
        test=" McNemar's test takes images for independent.",
        footnote="Besides, for these very networks: corrected resampled t-test of the AUROC in left-out folds; exact"
        " McNemar test of the test images.",
    )
    paired: ClassVar[PairedWording] = PairedWording(
        key="images",
        wins="only_this_arm_right",
        losses="only_the_other_right",
        test="McNemar",
        sentence="of the test images, {wins} are right with it alone and {losses} without it alone",
        head="right alone : other alone",
    )

    config: ClassifyConfig

    def check(self, dataset: PackedDataset, k: int) -> None:
        """Refuse what `data.check_real` does, and too small images; fetch ImageNet weights if need be."""
        arch = self.config.arch
        smallest = SMALLEST_IMAGE.get(arch, 1)
        if dataset.size < smallest:
            raise XrganError(
                f"{arch} needs images of {smallest} pixels or more; {dataset.name} has {dataset.size}.",
                "Use `--arch resnet18`, or prepare larger images.",
            )
        data.check_real(dataset, k)
        if self.config.weights != "none":
            locate(arch, self.config.weights)

    def gather(self, dataset: PackedDataset, k: int, seen: tuple[TrainingProvenance, ...]) -> Pool:
        """The labelled images."""
        return data.gather(dataset, self.config.leaks == "drop", seen)

    def cut(self, pool: Pool, k: int) -> list[Fold]:
        """Folds with every class in every part."""
        return data.cut(pool, k, self.config.seed)

    def choose_synthetic(
        self, pool: Pool, real: Indices, synthetic: SyntheticImages, rng: np.random.Generator
    ) -> Indices:
        """In the real class mix."""
        return data.choose_synthetic(pool, real, synthetic, self.config.ratio, rng)

    def trainer(self, data: FoldData, device: torch.device) -> "ClassifierTrainer":
        """Of one fold."""
        return ClassifierTrainer(self.config, data, device)

    def metadata(self, data: FoldData, trial: Trial, study: str) -> ClassifierMetadata:
        """What a checkpoint says of its classifier."""
        channels, size = data.pool.images.shape[1:3]
        return ClassifierMetadata(
            **trial.key._asdict(),
            arch=self.config.arch,
            channels=channels,
            size=size,
            classes=data.pool.names,
            auroc=trial.history.kept.score,
            study=study,
            options=dict(data.dataset.options),
        )

    def metrics(self, names: Sequence[str]) -> dict[str, str]:
        """The same whatever the classes are."""
        return METRICS

    def figures(self, answers: Floats, pool: Pool, images: Indices) -> Floats:
        """NaN where a class has no image."""
        return score_or_nan(pool.targets[images].numpy(), answers)

    def paired_test(self, ours: Sequence[Floats], theirs: Sequence[Floats], pool: Pool) -> PairedTest:
        """McNemar's test of the test images that each arm's trainings get right together."""
        labels = pool.targets[pool.test].numpy()
        test = mcnemar(*(together(answers).argmax(axis=1) == labels for answers in (ours, theirs)))
        return PairedTest(test.only_a, test.only_b, test.only_a - test.only_b, test.p)

    def facts(self, dataset: PackedDataset, pool: Pool) -> dict[str, Any]:
        """Images of each class."""
        parts = {"training": pool.training, "validation": pool.validation, "test": pool.test}
        counts = {name: data.class_counts(pool.targets[part], pool.names).tolist() for name, part in parts.items()}
        return {name: dict(zip(pool.names, of_class, strict=True)) for name, of_class in counts.items()}

    def caveats(self, pool: Pool) -> list[str]:
        """None but those of any study."""
        return []

    def oddities(self, results: Results) -> list[str]:
        """Classifiers that call every test image alike."""
        said = []
        for (arm, fraction), trials in by_arm(results.trials).items():
            predicted = [np.unique(trial.on_test.argmax(axis=1)) for trial in trials]
            alike = sorted({results.pool.names[classes[0]] for classes in predicted if len(classes) == 1})
            if alike:
                count = sum(len(classes) == 1 for classes in predicted)
                said.append(
                    f"{count} of {len(trials)} classifiers of {arm} with {share(fraction)} of the real images call"
                    f" every test image {' or '.join(alike)}: they have not learned to tell classes apart."
                )
        return said

    def setting(self, summary: Summary) -> str:
        """Network, folds and images."""
        options, images = summary["options"], summary["images"]
        return (
            f"{_network(options)}; {setting_of(options)}; {_of(images['training'])} training and"
            f" {_of(images['validation'])} validation images; judged by {_of(images['test'])} untouched test images of"
            f" {images['test_patients']:,} patients."
        )

    def save_pictures(self, results: Results, baseline: str) -> dict[str, str]:
        """ROC and confusion."""
        return pictures.save_pictures(results)


class ClassifierTrainer:
    """Trains the classifiers of one fold; what a frozen body answers is computed once for all of them."""

    def __init__(self, config: ClassifyConfig, data: FoldData, device: torch.device) -> None:
        self.config, self.data, self.device = config, data, device

    @cached_property
    def features(self) -> Tensor:
        """What a frozen body answers to all images: float (N + S, F)."""
        images = self.data.images
        with fixed_seed(self.config.seed):
            network = self._build().to(self.device).eval()
        with console.progress(f"Features of {self.config.arch}", len(images)) as bar:
            return run(network.features, images, np.arange(len(images)), self.device, bar.advance)

    def train(self, arm: Arm, phases: Sequence[Phase], validation: Indices, seed: int, report: Report) -> Trained:
        """Train one classifier; where only its head learns, and images stay as they are, from their features."""
        data, classic = self.data, classic_of(self.config) if arm.classic else None
        with fixed_seed(seed):
            network = self._build()
            on_features = network.frozen and not classic
            learner = network.head if on_features else network
            inputs = self.features if on_features else data.images
            examples = Examples(inputs, data.targets, validation, len(data.pool.names))
            history = join_phases(
                train(learner, examples, phase, self.device, seed, report, classic) for phase in phases
            )
        on_test, on_fold = (predict(learner, inputs, part, self.device) for part in (data.pool.test, data.fold.test))
        return Trained(network, history, on_test, on_fold)

    def _build(self) -> Classifier:
        config, pool = self.config, self.data.pool
        return build(config.arch, pool.images.shape[1], len(pool.names), config.weights, config.unfreeze)


def together(answers: Sequence[Floats]) -> Floats:
    """The mean of several classifiers' probabilities: (n, K)."""
    return np.asarray(np.mean(answers, axis=0))


def _network(options: Mapping[str, Any]) -> str:
    learned = "all layers" if options["unfreeze"] or options["weights"] == "none" else "the head alone"
    weights = "from scratch" if options["weights"] == "none" else f"from {options['weights']} weights"
    return f"{options['arch']}, {weights}, {learned} trained"


def _of(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values()):,} ({', '.join(f'{count:,} {name}' for name, count in counts.items())})"
