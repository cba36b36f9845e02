"""The task of a study of segmenters: its images, trainings, figures, tests and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import nn

from xrgan.config import SegmentConfig
from xrgan.data.packed import PackedDataset
from xrgan.downstream.arms import Arm, needs_synthetic
from xrgan.downstream.classic import classic_of
from xrgan.downstream.folds import Fold, Indices
from xrgan.downstream.leaks import TrainingProvenance
from xrgan.downstream.pool import FoldData, Pool, SyntheticImages
from xrgan.downstream.segmentation import data, pictures
from xrgan.downstream.segmentation.inference import SegmenterMetadata
from xrgan.downstream.segmentation.metrics import METRICS, dice, flat, metrics_of, score
from xrgan.downstream.segmentation.segmenter import VALIDATION, Examples, build, predict, train
from xrgan.downstream.statistics import wilcoxon
from xrgan.downstream.summary import Summary
from xrgan.downstream.task import FEW_PATIENTS, PairedTest, PairedWording, Results, Task, Trained, Wording
from xrgan.downstream.training_loop import Phase, Report, join_phases
from xrgan.downstream.trial import Floats, Trial, by_arm
from xrgan.downstream.wording import setting_of, share

LEADING = "dice"  # mean over structures
AGREES = 0.8  # mean Dice of masks that were drawn and of those that a segmenter of real images finds
COVERED = 0.01  # share of a structure that the file of its mask may hide without a word


@dataclass(frozen=True)
class Segmentation(Task):
    """Do synthetic X-rays with masks help a segmenter? A `Task`.

    Its answers are scores (n, M, metrics), of each image, structure and one of `metrics.METRICS`.
    """

    section: ClassVar[Literal["segment"]] = "segment"
    names: ClassVar[Literal["structures"]] = "structures"
    leading: ClassVar[str] = LEADING
    test_prefix: ClassVar[str] = "test_"
    validation: ClassVar[Mapping[str, str]] = VALIDATION
    decides: ClassVar[frozenset[str]] = frozenset({"width"})
    metadata_kind: ClassVar[type[SegmenterMetadata]] = SegmenterMetadata
    wording: ClassVar[Wording] = Wording(
        title="Do the synthetic X-rays with masks help?",
        networks="segmenters",
        leading=METRICS[LEADING],
        loss="Dice loss + cross-entropy",
        trained="Each training's Dice on the test split, and each arm's mean.",
        too_few="there were no more",
        test="",
        footnote="Besides, for these very networks: corrected resampled t-test of the mean Dice in left-out folds;"
        " Wilcoxon's signed-rank test over the test split's patients. Dice and IoU lie in [0, 1]. The 95 % Hausdorff"
        " distance counts pixels of the prepared images; less is better.",
    )
    paired: ClassVar[PairedWording] = PairedWording(
        key="patients",
        wins="better",
        losses="worse",
        test="Wilcoxon",
        sentence="{wins} test patients are better segmented with it and {losses} without it",
        head="patients better : worse",
    )

    config: SegmentConfig

    def check(self, dataset: PackedDataset, k: int) -> None:
        """Refuse what `data.check_real` does."""
        data.check_real(dataset)

    def gather(self, dataset: PackedDataset, k: int, seen: tuple[TrainingProvenance, ...]) -> Pool:
        """The images with masks."""
        return data.gather(dataset, k, self.config.leaks == "drop", seen)

    def gather_external(self, dataset: PackedDataset, rows: Indices, names: Mapping[str, str], pool: Pool) -> Pool:
        """The images with masks of the study's structures."""
        return data.gather_external(dataset, rows, pool)

    def cut(self, pool: Pool, k: int) -> list[Fold]:
        """Folds among which classes are spread as evenly as can be."""
        return data.cut(pool, k, self.config.seed)

    def choose_synthetic(
        self, pool: Pool, real: Indices, synthetic: SyntheticImages, rng: np.random.Generator
    ) -> Indices:
        """Whatever they show."""
        return data.choose_synthetic(len(real), synthetic, self.config.ratio, rng)

    def trainer(self, data: FoldData, device: torch.device) -> "SegmenterTrainer":
        """Of one fold."""
        return SegmenterTrainer(self.config, data, device)

    def metadata(self, data: FoldData, trial: Trial, study: str) -> SegmenterMetadata:
        """What a checkpoint says of its segmenter."""
        dataset = data.dataset
        return SegmenterMetadata(
            **trial.key._asdict(),
            channels=dataset.channels,
            size=dataset.size,
            structures=dataset.masks,
            width=self.config.width,
            dice=trial.history.kept.score,
            study=study,
            options=dict(dataset.options),
        )

    def metrics(self, names: Sequence[str]) -> dict[str, str]:
        """Of each metric the mean over structures, then each one's."""
        return metrics_of(names)

    def shown(self, names: Sequence[str]) -> dict[str, str]:
        """Of one structure, the mean says it all."""
        return {name: label for name, label in metrics_of(names).items() if len(names) > 1 or name in METRICS}

    def drawn(self, names: Sequence[str]) -> dict[str, str]:
        """Dice alone."""
        return {name: label for name, label in self.shown(names).items() if name.startswith(LEADING)}

    def figures(self, answers: Floats, pool: Pool, images: Indices) -> Floats:
        """Mean over images."""
        return np.asarray(flat(answers).mean(axis=0))

    def paired_test(self, ours: Sequence[Floats], theirs: Sequence[Floats], pool: Pool) -> PairedTest:
        """Wilcoxon's test of each patient's mean Dice, over the trainings and the patient's images."""
        test = wilcoxon(_of_patients(ours, pool) - _of_patients(theirs, pool))
        return PairedTest(test.better, test.worse, test.lean, test.p, {"rank_correlation": test.lean})

    def facts(self, dataset: PackedDataset, pool: Pool) -> dict[str, Any]:
        """Images of each part, and those that are left out."""
        return {
            "training": len(pool.training),
            "validation": len(pool.validation),
            "test": len(pool.test),
            "left_out": len(dataset.labels) - len(pool.rows),
        }

    def few_patients(self, pool: Pool, whose: str) -> list[str]:
        """Where there are few in all."""
        count = len(np.unique(pool.test_groups))
        if count >= FEW_PATIENTS:
            return []
        return [
            f"{whose} has {count} patient{'' if count == 1 else 's'}: no interval of so few can be trusted; read no"
            " difference from them."
        ]

    def caveats(self, pool: Pool) -> list[str]:
        """One where the dataset's masks show what the file of a synthetic mask can't."""
        covered = {name: part for name, part in data.covered(pool).items() if part > COVERED}
        if not covered or not needs_synthetic(self.config.arms):
            return []
        which = ", ".join(f"{share(round(part, 3))} of {name}" for name, part in covered.items())
        return [
            f"Structures overlap in the real masks ({which}), but not in the synthetic ones, whose files show one a"
            " pixel: part of what the arms differ by is that."
        ]

    def oddities(self, results: Results) -> list[str]:
        """Segmenters that find a structure in no test image."""
        said = []
        for (arm, fraction), trials in by_arm(results.trials).items():
            for k, name in enumerate(results.pool.names):
                blind = sum(not trial.on_test[:, k, 0].any() for trial in trials)  # LEADING is the first of the metrics
                if blind:
                    said.append(
                        f"{blind} of {len(trials)} segmenters of {arm} with {share(fraction)} of the real images find"
                        f" no pixel of {name} in any test image."
                    )
        return said

    def setting(self, summary: Summary) -> str:
        """Network, structures, folds and images."""
        options, images, structures = summary["options"], summary["images"], summary["dataset"]["structures"]
        left_out = "; {:,} whose masks show no organ, or of test patients who were learned from, are left out"
        return (
            f"U-Net of width {options['width']}, from scratch, for {' and '.join(structures)};"
            f" {setting_of(options)}; {images['training']:,} training and {images['validation']:,} validation"
            f" images; judged by {images['test']:,} untouched test images of {images['test_patients']:,}"
            f" patients{left_out.format(images['left_out']) if images['left_out'] else ''}."
        )

    def save_pictures(self, results: Results, baseline: str) -> dict[str, str]:
        """Overlays."""
        return pictures.save_pictures(results, baseline)


class SegmenterTrainer:
    """Trains the segmenters of one fold."""

    def __init__(self, config: SegmentConfig, data: FoldData, device: torch.device) -> None:
        self.config, self.data, self.device = config, data, device

    def train(self, arm: Arm, phases: Sequence[Phase], validation: Indices, seed: int, report: Report) -> Trained:
        """Train one U-Net."""
        data, classic = self.data, classic_of(self.config) if arm.classic else None
        network = build(data.pool.images.shape[1], len(data.pool.names), self.config.width, seed)
        examples = Examples(data.images, data.targets, validation)
        history = join_phases(train(network, examples, phase, self.device, seed, report, classic) for phase in phases)
        on_test, on_fold = (self._scores(network, data.pool, part) for part in (data.pool.test, data.fold.test))
        other = data.external.pool if data.external else None
        on_external = self._scores(network, other, other.test) if other else None
        return Trained(network, history, on_test, on_fold, on_external)

    def agreeing(self, network: nn.Module) -> Indices:
        """Those whose masks it finds with a mean Dice of `AGREES` or more; where there is none, the best one."""
        assert self.data.synthetic
        images, masks = self.data.synthetic.images, self.data.synthetic.targets.numpy() > 127
        found = dice(predict(network, images, np.arange(len(images)), self.device), masks).mean(axis=1)
        return np.flatnonzero(found >= min(AGREES, float(found.max())))

    def _scores(self, network: nn.Module, pool: Pool, part: Indices) -> Floats:
        """Of each image of a pool, structure and metric: (n, M, metrics)."""
        if not len(part):
            return np.empty((0, len(pool.names), len(METRICS)))
        predicted = predict(network, pool.images, part, self.device)
        scores = score(predicted, pool.targets[part].numpy() > 127)
        return np.stack([scores[name] for name in METRICS], axis=2)


def _of_patients(answers: Sequence[Floats], pool: Pool) -> Floats:
    """The mean Dice of each patient of the test split."""
    _, of_image = np.unique(pool.test_groups, return_inverse=True)
    leading = np.mean([flat(one)[:, 0] for one in answers], axis=0)  # LEADING is the first of the metrics
    return np.asarray(np.bincount(of_image, leading) / np.bincount(of_image))
