"""The task of a study of classifiers: its images, trainings, figures, tests and words."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

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
from xrgan.downstream.task import FEW_PATIENTS, PairedTest, PairedWording, Results, Task, Trained, Wording
from xrgan.downstream.training_loop import Phase, Report, fixed_seed, join_phases
from xrgan.downstream.trial import Floats, Trial, by_arm
from xrgan.downstream.wording import setting_of, share
from xrgan.errors import XrganError

LEADING = "auroc"  # it needs no threshold, so the verdict rests on it
FEATURES_KEPT = 4  # sets of images: the real ones, another hospital's, and synthetic ones


class FrozenFeatures:
    """What a frozen body answers to images that stay as they are: computed once, for all arms, folds and seeds."""

    def __init__(self) -> None:
        self.known: OrderedDict[int, tuple[Tensor, Tensor]] = OrderedDict()

    def of(self, images: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """The features of those images: as they were computed for this very tensor, else anew."""
        number = id(images)
        _, features = self.known.pop(number, (images, None))
        if features is None:
            features = compute(images)
        self.known[number] = images, features  # the tensor is kept, too: its number is nobody else's as long
        if len(self.known) > FEATURES_KEPT:
            self.known.popitem(last=False)
        return features


@dataclass(frozen=True)
class Classification(Task):
    """Do synthetic X-rays help a classifier? A `Task`; its answers are probabilities (n, K), not yet scored."""

    section: ClassVar[Literal["classify"]] = "classify"
    names: ClassVar[Literal["classes"]] = "classes"
    leading: ClassVar[str] = LEADING
    on_logit_scale: ClassVar[tuple[str, ...]] = (LEADING,)
    chance: ClassVar[float | None] = 0.5
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
    frozen: FrozenFeatures = field(default_factory=FrozenFeatures, repr=False, compare=False)

    def check(self, dataset: PackedDataset, k: int) -> None:
        """Refuse what `data.check_real` does, too small images, and another network's weights; fetch ImageNet's."""
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
        if self.config.weights not in {"none", "imagenet"}:  # a file: does it hold this network?
            with fixed_seed(self.config.seed):
                build(arch, dataset.channels, len(dataset.classes), self.config.weights, self.config.unfreeze)

    def gather(self, dataset: PackedDataset, k: int, seen: tuple[TrainingProvenance, ...]) -> Pool:
        """The labelled images."""
        return data.gather(dataset, self.config.leaks == "drop", seen)

    def gather_external(self, dataset: PackedDataset, rows: Indices, names: Mapping[str, str], pool: Pool) -> Pool:
        """The images of its classes that are the study's, too."""
        return data.gather_external(dataset, rows, names, pool)

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
        return ClassifierTrainer(self.config, data, device, self.frozen)

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

    def few_patients(self, pool: Pool, whose: str) -> list[str]:
        """Where a class has so few that each of them moves every figure by much."""
        labels, patients = pool.targets[pool.test].numpy(), pool.test_groups
        counts = {name: len(np.unique(patients[labels == k])) for k, name in enumerate(pool.names)}
        few = [f"{count} of {name}" for name, count in counts.items() if count < FEW_PATIENTS]
        if not few:
            return []
        return [
            f"{whose} has patients: {', '.join(few)}. One of them more or less moves the AUROC by up to"
            f" {1 / min(counts.values()):.2f}, and no interval of so few can be trusted: read no difference from them."
        ]

    def caveats(self, pool: Pool) -> list[str]:
        """None of its own."""
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
    """Trains the classifiers of one fold."""

    def __init__(self, config: ClassifyConfig, data: FoldData, device: torch.device, frozen: FrozenFeatures) -> None:
        self.config, self.data, self.device, self.frozen = config, data, device, frozen

    @cached_property
    def features(self) -> Tensor:
        """What a frozen body answers to all images: float (N + S, F)."""
        synthetic = self.data.synthetic
        sets = [self.data.pool.images, *([synthetic.images] if synthetic else [])]
        return torch.cat([self._features_of(images) for images in sets])

    def _features_of(self, images: Tensor) -> Tensor:
        return self.frozen.of(images, self._features)

    def _features(self, images: Tensor) -> Tensor:
        with fixed_seed(self.config.seed):
            network = self._build().folded().to(self.device).eval()
        with console.progress(f"Features of {self.config.arch}", len(images)) as bar:
            return run(network.features, images, np.arange(len(images)), self.device, bar.advance)

    def train(self, arm: Arm, phases: Sequence[Phase], validation: Indices, seed: int, report: Report) -> Trained:
        """Train one classifier; where only its head learns, images that stay as they are show it their features."""
        data, classic = self.data, classic_of(self.config) if arm.classic else None
        with fixed_seed(seed):
            network = self._build()
            learner, examples = self._learner(network, classic is not None, validation)
            history = join_phases(
                train(learner, examples, phase, self.device, seed, report, classic) for phase in phases
            )
        on_test, on_fold = (self._asked(network, data.pool.images, part) for part in (data.pool.test, data.fold.test))
        other = data.external.pool if data.external else None
        on_external = self._asked(network, other.images, other.test) if other else None
        return Trained(network, history, on_test, on_fold, on_external)

    def _learner(self, network: Classifier, changes: bool, validation: Indices) -> tuple[nn.Module, Examples]:
        """What of a classifier is trained, and on what.

        Args:
            changes: whether its training images are augmented.
        """
        data, classes = self.data, len(self.data.pool.names)
        if not network.frozen:
            return network, Examples(data.images, data.targets, validation, classes)
        if not changes:
            return network.head, Examples(self.features, data.targets, validation, classes)
        seen = self._features_of(data.pool.images)
        return network.folded(), Examples(data.images, data.targets, validation, classes, seen)

    def _asked(self, network: Classifier, images: Tensor, part: Indices) -> Floats:
        """What a trained classifier answers to those images as they are."""
        if network.frozen:
            return predict(network.head, self._features_of(images), part, self.device)
        return predict(network, images, part, self.device)

    def agreeing(self, network: nn.Module) -> Indices:
        """Those whose class it finds the likeliest; of a class of which it finds none, the one that it doubts least."""
        assert isinstance(network, Classifier) and self.data.synthetic
        real, labels = len(self.data.pool.images), self.data.synthetic.targets.numpy()
        asked = np.arange(real, real + len(labels))
        learner, inputs = (network.head, self.features) if network.frozen else (network, self.data.images)
        answers = predict(learner, inputs, asked, self.device)
        kept = answers.argmax(axis=1) == labels
        for label in np.unique(labels):
            if not kept[labels == label].any():
                kept[np.where(labels == label, answers[:, label], -1).argmax()] = True
        return np.flatnonzero(kept)

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
